// Hosts as they are written: names, and IP addresses, of which an IPv6 one may carry a zone.
#ifndef CALICO_PKG_NET_ADDRESS_H_
#define CALICO_PKG_NET_ADDRESS_H_

#include <algorithm>
#include <optional>
#include <string_view>

#include "pkg/base/ip_address.h"
#include "pkg/net/ascii.h"

namespace calico::net {

// The address that `host` is, without its zone (`fe80::1%eth0`); nullopt if it is a name.
inline std::optional<base::IpAddress> ParseAddress(std::string_view host) {
  const size_t percent = host.find('%');
  if (percent != host.npos && host.find(':') == host.npos) return std::nullopt;
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(host.substr(0, percent));
  if (!address.ok()) return std::nullopt;
  return *address;
}

// Whether `host` is an IPv4 or IPv6 address.
inline bool IsIpAddress(std::string_view host) { return ParseAddress(host).has_value(); }

// Whether a TLS peer can be verified by `name`: an IP address, or a name of letters, digits, `-`,
// `.` and `_` that fits into the server_name extension (RFC 6066, section 3).
inline bool IsServerName(std::string_view name) {
  if (IsIpAddress(name)) return true;
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    return IsAlnum(c) || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace calico::net

#endif  // CALICO_PKG_NET_ADDRESS_H_
