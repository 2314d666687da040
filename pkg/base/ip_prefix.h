// IP networks in CIDR notation: pools, pod networks, ranges of addresses.
#ifndef CALICO_PKG_BASE_IP_PREFIX_H_
#define CALICO_PKG_BASE_IP_PREFIX_H_

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/statusor.h>

#include "pkg/base/ip_address.h"

namespace calico::base {

class IpPrefix {
 public:
  // Reads "<address>/<bits>" (RFC 4632, RFC 4291). Bits behind the prefix are dropped, as Go's
  // net.ParseCIDR does: 10.0.0.1/16 is 10.0.0.0/16. An IPv4-mapped IPv6 address is refused, because
  // the length would be that of another family.
  // Errors: InvalidArgument.
  static absl::StatusOr<IpPrefix> Parse(std::string_view text);

  bool is_ipv4() const { return address_.is_ipv4(); }
  bool is_ipv6() const { return address_.is_ipv6(); }
  const IpAddress& address() const { return address_; }  // the network's first one
  int bits() const { return bits_; }
  // The text had no bits behind the prefix. Not part of the value: 10.0.0.1/16 equals 10.0.0.0/16.
  bool is_exact() const { return is_exact_; }

  bool Contains(const IpAddress& address) const;
  // Every address of `other` is one of this network.
  bool Contains(const IpPrefix& other) const;
  bool Overlaps(const IpPrefix& other) const { return Contains(other) || other.Contains(*this); }

  // Canonical: "10.0.0.0/16", "fd00:10::/64". Two texts of one network give the same.
  std::string ToString() const;

  friend bool operator==(const IpPrefix& a, const IpPrefix& b) {
    return a.bits_ == b.bits_ && a.address_ == b.address_;
  }

 private:
  IpPrefix(IpAddress address, int bits, bool is_exact)
      : address_(std::move(address)), bits_(bits), is_exact_(is_exact) {}

  IpAddress address_;
  int bits_;
  bool is_exact_;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_IP_PREFIX_H_
