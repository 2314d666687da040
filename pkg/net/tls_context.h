// TlsContext: trust, identity and rules of TLS connections, made ready once for many.
#ifndef CALICO_PKG_NET_TLS_CONTEXT_H_
#define CALICO_PKG_NET_TLS_CONTEXT_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "pkg/net/layer.h"
#include "pkg/net/tls.h"

namespace calico::net {

// Cheap to share: build it once for many connections. Immutable but for its identity, which it asks
// at the beginning of each handshake.
class TlsContext {
 public:
  // TLS 1.2 or newer. Every certificate in `ca_pem` is a trust anchor, also an intermediate one.
  // Errors: kInvalidArgument naming the field; never quotes PEM. Blocking: reads the system's CA
  // bundle (SSL_CERT_FILE, else the usual places) if `ca_pem` is empty.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> NewClient(const TlsOptions& options);
  // For a TLS proxy: trusts the system's authorities as well as `ca_pem`, shows no certificate.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> NewProxyClient(
      const std::string& ca_pem);
  static absl::StatusOr<std::shared_ptr<const TlsContext>> NewServer(
      const TlsServerOptions& options);

  virtual ~TlsContext() = default;

  // TLS over `lower`, which must outlive the result, as must the context. A client verifies that
  // the peer's certificate is for `peer_name` (a DNS name, which is also sent, or an IP address); a
  // server ignores it. Requires of a client: IsServerName(peer_name) (address.h). Failures of the
  // handshake are kUnauthenticated, a closed or broken connection kUnavailable.
  virtual std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const = 0;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_CONTEXT_H_
