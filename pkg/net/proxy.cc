#include "pkg/net/proxy.h"

#include <charconv>
#include <initializer_list>
#include <optional>

#include <fmt/format.h>

#include "pkg/base/ip_address.h"
#include "pkg/net/address.h"
#include "pkg/net/ascii.h"
#include "pkg/net/url.h"

namespace calico::net {
namespace {

bool InCidr(const base::IpAddress& address, std::string_view cidr) {
  const size_t slash = cidr.find('/');
  const std::optional<base::IpAddress> net = ParseAddress(cidr.substr(0, slash));
  if (!net.has_value() || net->is_ipv4() != address.is_ipv4()) return false;
  int bits = -1;
  const std::string_view digits = cidr.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (bits < 0 || bits > static_cast<int>(net->bytes().size()) * 8) return false;
  for (int i = 0; i < bits; ++i) {
    const int mask = 0x80 >> (i % 8);
    if ((net->bytes()[i / 8] & mask) != (address.bytes()[i / 8] & mask)) return false;
  }
  return true;
}

bool IsLoopback(const base::IpAddress& address) {
  return address.is_ipv4() ? address.bytes()[0] == 127 : address.ToString() == "::1";
}

// Splits `host:port` and `[v6]:port`; a bare IPv6 address has no port.
void SplitPort(std::string_view entry, std::string_view& host, std::string_view& port) {
  host = entry;
  port = {};
  if (!entry.empty() && entry.front() == '[') {
    const size_t end = entry.find(']');
    if (end == entry.npos) return;
    host = entry.substr(1, end - 1);
    if (entry.size() > end + 1 && entry[end + 1] == ':') port = entry.substr(end + 2);
    return;
  }
  const size_t colon = entry.find(':');
  if (colon == entry.npos || entry.find(':', colon + 1) != entry.npos) return;
  host = entry.substr(0, colon);
  port = entry.substr(colon + 1);
}

bool EntryMatches(std::string_view entry, const Url& url,
                  const std::optional<base::IpAddress>& address) {
  if (entry == "*") return true;
  if (entry.find('/') != entry.npos) return address.has_value() && InCidr(*address, entry);
  std::string_view host;
  std::string_view port;
  SplitPort(entry, host, port);
  if (!port.empty() && port != std::to_string(url.port)) return false;
  if (host.empty()) return false;
  if (const auto parsed = ParseAddress(host); parsed.has_value()) {
    return parsed == address;
  }
  if (host.starts_with("*.")) host.remove_prefix(1);
  if (host.starts_with('.')) return url.host.ends_with(host);
  return url.host == host || url.host.ends_with(fmt::format(".{}", host));
}

bool IsDirect(const Url& url, const std::string& no_proxy) {
  const std::optional<base::IpAddress> address = ParseAddress(url.host);
  if (url.host == "localhost" || (address.has_value() && IsLoopback(*address))) return true;
  std::string_view rest = no_proxy;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    if (EntryMatches(ToLower(TrimSpace(item)), url, address)) return true;
  }
  return false;
}

std::string First(const EnvironmentLookup& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment(name); !value.empty()) return value;
  }
  return "";
}

}  // namespace

std::string ProxyForUrl(std::string_view origin, const EnvironmentLookup& environment) {
  const absl::StatusOr<Url> url = ParseUrl(origin);
  if (!url.ok()) return "";
  const std::string proxy = url->scheme == "https"
                                ? First(environment, {"HTTPS_PROXY", "https_proxy"})
                                : First(environment, {"HTTP_PROXY", "http_proxy"});
  if (proxy.empty()) return "";
  if (IsDirect(*url, First(environment, {"NO_PROXY", "no_proxy"}))) return "";
  return proxy.find("://") == proxy.npos ? fmt::format("http://{}", proxy) : proxy;
}

}  // namespace calico::net
