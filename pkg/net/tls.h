// What a TLS connection needs, without naming the TLS library.
#ifndef CALICO_PKG_NET_TLS_H_
#define CALICO_PKG_NET_TLS_H_

#include <memory>
#include <string>

#include "pkg/net/tls_identity.h"

namespace calico::net {

// TLS 1.2 or newer and host verification always, unless `insecure_skip_verify` says otherwise.
struct TlsOptions {
  std::string ca_pem;  // trust anchors; empty = the system's
  // What the client shows when a server asks; null = nothing.
  std::shared_ptr<const TlsIdentity> identity;
  std::string server_name;  // SNI and verified name; empty = the origin's host
  bool insecure_skip_verify = false;

  // By the identity itself, not by the pair that it holds at the moment.
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

// Server side (stand-ins, tests, metrics). The client certificate is demanded when `client_ca_pem`
// is set.
struct TlsServerOptions {
  std::shared_ptr<const TlsIdentity> identity;  // required
  std::string client_ca_pem;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_H_
