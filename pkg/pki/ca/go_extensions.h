// Extensions as Go's crypto/x509 takes them.
#ifndef CALICO_PKG_PKI_CA_GO_EXTENSIONS_H_
#define CALICO_PKG_PKI_CA_GO_EXTENSIONS_H_

#include <string_view>

#include <absl/status/status.h>

namespace calico::pki::internal {

// `list` is the content of Extensions. Errors: InvalidArgument, as CheckGoReads.
absl::Status CheckGoExtensions(std::string_view list);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_CA_GO_EXTENSIONS_H_
