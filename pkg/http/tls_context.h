// TlsContext: certificates, keys and rules of TLS connections; the only user of OpenSSL's TLS here.
#ifndef CALICO_PKG_HTTP_TLS_CONTEXT_H_
#define CALICO_PKG_HTTP_TLS_CONTEXT_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "pkg/http/layer.h"
#include "pkg/http/tls.h"

namespace calico::http {

// Immutable and cheap to share: build it once for many connections.
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
  // server ignores it. Failures of the handshake are kUnauthenticated, a closed or broken
  // connection kUnavailable.
  virtual std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const = 0;
};

// Equal for equal options and of no use to find them out.
std::string TlsFingerprint(const TlsOptions& options);

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_TLS_CONTEXT_H_
