#include "pkg/base/ip_prefix.h"

#include <algorithm>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::base {
namespace {

constexpr size_t kMostTextBytes = 64;

absl::Status Bad(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("parse CIDR {:?}: {}", text.substr(0, kMostTextBytes), why));
}

// `bytes` with everything after the first `bits` bits set to zero.
std::string Masked(std::string_view bytes, int bits) {
  std::string masked(bytes);
  for (size_t i = 0; i < masked.size(); ++i) {
    const int kept = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    masked[i] = static_cast<char>(static_cast<unsigned char>(masked[i]) & (0xff00U >> kept));
  }
  return masked;
}

// -1 for what is no length: no sign, no leading zero, at most three digits.
int LengthOf(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return -1;
  int bits = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return -1;
    bits = bits * 10 + (c - '0');
  }
  return bits;
}

}  // namespace

absl::StatusOr<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return Bad(text, "no slash and length behind the address");
  const std::string_view written = text.substr(0, slash);
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(written);
  if (!address.ok()) return Bad(text, "no IPv4 or IPv6 address before the slash");
  if (address->is_ipv4() && written.find(':') != std::string_view::npos) {
    return Bad(text, "an IPv4 address written as an IPv6 one");
  }
  const int bits = LengthOf(text.substr(slash + 1));
  const int most = address->is_ipv4() ? 32 : 128;
  if (bits < 0 || bits > most) {
    return Bad(text, fmt::format("the length must be a number between 0 and {}", most));
  }
  CALICO_ASSIGN_OR_RETURN(IpAddress network, IpAddress::FromBytes(Masked(address->bytes(), bits)));
  // What is left of ::ffff:0:0/97 and the like would be read as an IPv4 address.
  if (network.is_ipv4() != address->is_ipv4()) return Bad(text, "no network of one family");
  const bool is_exact = network == *address;
  return IpPrefix(std::move(network), bits, is_exact);
}

bool IpPrefix::Contains(const IpAddress& address) const {
  return address.is_ipv4() == is_ipv4() && Masked(address.bytes(), bits_) == address_.bytes();
}

bool IpPrefix::Contains(const IpPrefix& other) const {
  return other.bits_ >= bits_ && Contains(other.address_);
}

std::string IpPrefix::ToString() const { return fmt::format("{}/{}", address_.ToString(), bits_); }

}  // namespace calico::base
