// Asks a proxy for a tunnel: HTTP CONNECT (RFC 9110 9.3.6) and SOCKS5 (RFC 1928, RFC 1929).
#ifndef CALICO_PKG_NET_TUNNEL_H_
#define CALICO_PKG_NET_TUNNEL_H_

#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/aio/task.h"
#include "pkg/net/connection.h"
#include "pkg/net/url.h"

namespace calico::net {

// The value of `Proxy-Authorization` for the proxy's credentials, or empty without.
std::string BasicAuthorization(const Url& proxy);

// After this, `connection` leads to `host:port`. `host` goes to the proxy as it is, so that names
// are looked up there. The connection must outlive the task. Errors: kUnauthenticated (proxy wants
// other credentials), kUnavailable. Cancellation: total; the connection is of no use then.
aio::Task<absl::Status> OpenHttpTunnel(Connection& connection, Url proxy, std::string host,
                                       uint16_t port);
aio::Task<absl::Status> OpenSocks5Tunnel(Connection& connection, Url proxy, std::string host,
                                         uint16_t port);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TUNNEL_H_
