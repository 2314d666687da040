// Certificates out of PKCS#7 (.p7b, .p7c): a bag of them, as Windows and Java write it. Signatures
// in it are not looked at: it is a container here.
#ifndef CALICO_PKG_PKI_FORMATS_PKCS7_H_
#define CALICO_PKG_PKI_FORMATS_PKCS7_H_

#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/pki/certificate.h"

namespace calico::pki {

// `der` begins like PKCS#7 signed data.
bool LooksLikePkcs7(std::string_view der);

// In the order of the file, which means nothing: it is a set. At most 1024.
// Errors: InvalidArgument: not PKCS#7, not signed data, no certificate, one that cannot be read
// (with its number).
absl::StatusOr<std::vector<Certificate>> ParsePkcs7(std::string_view der);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_FORMATS_PKCS7_H_
