// Reads certificates for TLS from PEM text.
#ifndef CALICO_PKG_NET_TLS_PEM_H_
#define CALICO_PKG_NET_TLS_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"

namespace calico::net {

// At least one. Text and blocks of other kinds around them are skipped.
// Errors: kInvalidArgument `load <what>: <cause>`; never quotes PEM.
absl::StatusOr<std::vector<openssl::X509Ptr>> ReadCertificates(const std::string& pem,
                                                               std::string_view what);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_PEM_H_
