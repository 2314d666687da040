// IPv4 and IPv6 addresses as values: the one notion of "same address" for SANs, pods and nodes.
//
// An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address, as in Go's net.IP, so that
// text and bytes from Kubernetes and from certificates compare equal.
#ifndef CALICO_PKG_BASE_IP_ADDRESS_H_
#define CALICO_PKG_BASE_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <absl/status/statusor.h>

namespace calico::base {

class IpAddress {
 public:
  // Reads dotted decimal IPv4 or RFC 4291 IPv6 text. No zone, no prefix length, no surrounding
  // space, no leading zero in an IPv4 part.
  // Errors: InvalidArgument.
  static absl::StatusOr<IpAddress> Parse(std::string_view text);

  // Reads network byte order, as in an X.509 iPAddress name.
  // Errors: InvalidArgument unless `bytes` has 4 or 16 bytes.
  static absl::StatusOr<IpAddress> FromBytes(std::string_view bytes);

  bool is_ipv4() const { return size_ == 4; }
  bool is_ipv6() const { return size_ == 16; }

  // 4 or 16 bytes in network order. Lifetime: as long as this object.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }

  // Canonical text: dotted decimal, or RFC 5952 (lower case, longest run of zeros as "::").
  std::string ToString() const;

  // IPv4 sorts before IPv6, then by bytes.
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend std::strong_ordering operator<=>(const IpAddress&, const IpAddress&) = default;

  template <class Hash>
  friend Hash AbslHashValue(Hash state, const IpAddress& address) {
    return Hash::combine(std::move(state), address.size_, address.bytes_);
  }

 private:
  IpAddress() = default;

  uint8_t size_ = 0;
  std::array<uint8_t, 16> bytes_{};  // unused bytes stay zero, so that == may compare all
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_IP_ADDRESS_H_
