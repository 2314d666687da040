// Can programs in Go, the API server among them, read a certificate that OpenSSL reads?
//
// Go's crypto/x509 parses more strictly. A pool of roots leaves out in silence what does not parse,
// and a peer then says only "unknown authority"; so it is found here, by its cause.
#ifndef CALICO_PKG_PKI_CA_GO_READING_H_
#define CALICO_PKG_PKI_CA_GO_READING_H_

#include <absl/status/status.h>

#include "pkg/pki/certificate.h"

namespace calico::pki {

// The checks of x509.ParseCertificate (Go 1.26) that OpenSSL does not make, and the critical
// extensions that make its Verify refuse a chain whatever is in them. Not looked at: the syntax of
// URIs and of e-mail constraints. Errors: InvalidArgument, one phrase and what to do: "its serial
// number is negative: make it anew with a positive one".
absl::Status CheckGoReads(const Certificate& certificate);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CA_GO_READING_H_
