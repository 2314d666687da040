// Certificates in OpenSSL's form, for verification and issuing.
#ifndef CALICO_PKG_PKI_INTERNAL_X509_H_
#define CALICO_PKG_PKI_INTERNAL_X509_H_

#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/internal/openssl_ptr.h"

namespace calico::pki::internal {

// Null unless `der` is one certificate and nothing else.
X509Ptr ToX509(std::string_view der);

// Errors: Internal, since the certificates have been read once.
absl::StatusOr<X509Ptr> ToX509(const Certificate& certificate);
absl::StatusOr<CertificateStackPtr> ToX509Stack(const std::vector<Certificate>& certificates);

// A certificate just made, as a value. Errors: Internal.
absl::StatusOr<Certificate> FromX509(X509* certificate);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_X509_H_
