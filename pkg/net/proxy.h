// Which proxy the environment asks for: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, upper or lower case,
// by the rules of Go's golang.org/x/net/http/httpproxy, which Kubernetes programs follow.
#ifndef CALICO_PKG_NET_PROXY_H_
#define CALICO_PKG_NET_PROXY_H_

#include <functional>
#include <string>
#include <string_view>

namespace calico::net {

// The value of an environment variable, or empty.
using EnvironmentLookup = std::function<std::string(const std::string& name)>;

// The proxy URL for `origin` (`http://proxy:3128`; a value without scheme gets `http://`), or empty
// for a direct connection. It is not validated: the client does that. Hosts named `localhost` and
// loopback addresses are always direct. An origin that is no URL is direct.
//
// NO_PROXY is a list separated by commas: `*` (all), `example.com` (it and what is below),
// `.example.com` or `*.example.com` (only what is below), an IP address, a CIDR; a host or address
// may carry `:port`.
std::string ProxyForUrl(std::string_view origin, const EnvironmentLookup& environment);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_PROXY_H_
