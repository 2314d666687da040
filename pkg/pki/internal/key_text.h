// Private keys from their DER, in memory that is wiped.
#ifndef CALICO_PKG_PKI_INTERNAL_KEY_TEXT_H_
#define CALICO_PKG_PKI_INTERNAL_KEY_TEXT_H_

#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"

namespace calico::pki::internal {

// A key from its DER, with all checks of PrivateKey::ParsePem. `label` says the encoding.
absl::StatusOr<PrivateKey> KeyFromDer(std::string_view label, std::string_view der);
absl::StatusOr<PrivateKey> KeyFromPkcs8(const PKCS8_PRIV_KEY_INFO* info);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_KEY_TEXT_H_
