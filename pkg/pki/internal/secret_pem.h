// PEM of private keys, in memory that is wiped.
#ifndef CALICO_PKG_PKI_INTERNAL_SECRET_PEM_H_
#define CALICO_PKG_PKI_INTERNAL_SECRET_PEM_H_

#include <string_view>

#include "pkg/base/secret_string.h"

namespace calico::pki::internal {

// One block with this label.
base::SecretString SecretPem(std::string_view label, std::string_view der);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_SECRET_PEM_H_
