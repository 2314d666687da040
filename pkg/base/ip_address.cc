#include "pkg/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace calico::base {
namespace {

constexpr size_t kMaxTextBytes = INET6_ADDRSTRLEN - 1;  // "0000:...:0000:255.255.255.255"
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        fmt::format("parse IP address: {} characters are too many", text.size()));
  }
  const bool is_ipv6 = text.find(':') != std::string_view::npos;
  std::array<char, 16> bytes{};
  // The C library stops at a NUL; more may stand behind it.
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(is_ipv6 ? AF_INET6 : AF_INET, std::string(text).c_str(), bytes.data()) != 1) {
    return absl::InvalidArgumentError(
        fmt::format("parse IP address {:?}: not an IPv4 or IPv6 address", text));
  }
  return FromBytes({bytes.data(), is_ipv6 ? 16U : 4U});
}

absl::StatusOr<IpAddress> IpAddress::FromBytes(std::string_view bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return absl::InvalidArgumentError(
        fmt::format("read IP address: {} bytes instead of 4 or 16", bytes.size()));
  }
  const std::string_view mapped(reinterpret_cast<const char*>(kMappedPrefix.data()),
                                kMappedPrefix.size());
  if (bytes.starts_with(mapped)) bytes.remove_prefix(mapped.size());
  IpAddress address;
  address.size_ = static_cast<uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  const std::string_view printed(text.data());
  if (is_ipv4() || printed.find('.') == std::string_view::npos) return std::string(printed);
  // The C library prints ::c000:201, which once were addresses of IPv4 hosts, as ::192.0.2.1.
  const auto group = [this](size_t i) { return bytes_[i] << 8 | bytes_[i + 1]; };
  return fmt::format("::{:x}:{:x}", group(12), group(14));
}

}  // namespace calico::base
