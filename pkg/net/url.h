// URLs of origins and proxies: scheme, credentials, host, port and path, nothing more.
#ifndef CALICO_PKG_NET_URL_H_
#define CALICO_PKG_NET_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::net {

struct Url {
  std::string scheme;    // lower case
  std::string user;      // percent-decoded
  std::string password;  // percent-decoded
  std::string host;      // lower case, IPv6 addresses without brackets, with `%zone`
  uint16_t port = 0;     // the scheme's own when the URL has none
  std::string path;      // empty, or begins with `/` and does not end with it

  // `host:port` with brackets around an IPv6 address.
  std::string Authority() const;
  // The same for the Host header: without the scheme's own port, and without an IPv6 zone.
  std::string HostHeader() const;
};

// Parses `scheme://[user[:password]@]host[:port][/path]` for http, https, socks5 and socks5h.
// Errors: kInvalidArgument naming the cause; the text itself, which may hold a password, is left
// out. A query or fragment is an error.
absl::StatusOr<Url> ParseUrl(std::string_view text);

// `host:port` with brackets around an IPv6 address.
std::string JoinHostPort(std::string_view host, uint16_t port);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_URL_H_
