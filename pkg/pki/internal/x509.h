// Certificates in OpenSSL's form, for verification and issuing.
#ifndef CALICO_PKG_PKI_INTERNAL_X509_H_
#define CALICO_PKG_PKI_INTERNAL_X509_H_

#include <vector>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/certificate.h"

namespace calico::pki::internal {

struct X509Handle {
  openssl::X509Ptr x509;
};

struct CertificateAccess {
  // Lifetime: that of `certificate` and its copies. OpenSSL takes non-const pointers for much that
  // only reads; what it computes late it locks itself.
  static X509* Handle(const Certificate& certificate);
};

// Errors: Internal.
absl::StatusOr<openssl::CertificateStackPtr> ToX509Stack(
    const std::vector<Certificate>& certificates);

// A certificate just made, as a value. Errors: Internal.
absl::StatusOr<Certificate> FromX509(X509* certificate);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_X509_H_
