#include "pkg/base/ip_address.h"

#include <algorithm>
#include <optional>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace calico::base {
namespace {

constexpr size_t kMaxTextBytes = 45;  // "0000:...:0000:255.255.255.255"
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

absl::Status Malformed(std::string_view text) {
  return absl::InvalidArgumentError(
      fmt::format("parse IP address {:?}: not an IPv4 or IPv6 address", text));
}

// The four parts of dotted decimal text, written to `out`.
bool ParseDotted(std::string_view text, uint8_t* out) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
    size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      value = value * 10 + (text[digits++] - '0');
    }
    // Leading zeros are octal to some resolvers and decimal to others: refused, as Go does.
    if (digits == 0 || value > 255 || (digits > 1 && text.front() == '0')) return false;
    out[part] = static_cast<uint8_t>(value);
    text.remove_prefix(digits);
  }
  return text.empty();
}

// Takes a group of one to four hexadecimal digits from the front of `text`.
std::optional<uint16_t> TakeGroup(std::string_view& text) {
  size_t digits = 0;
  unsigned value = 0;
  for (; digits < text.size() && digits < 5; ++digits) {
    const char c = text[digits];
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value = value * 16 + static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      break;
    }
  }
  if (digits == 0 || digits > 4) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<uint16_t>(value);
}

// Reads the groups of RFC 4291 2.2 into the 16 bytes of `out`.
bool ParseGroups(std::string_view text, uint8_t* out) {
  size_t used = 0;
  std::optional<size_t> gap;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos && text.find('.') != std::string_view::npos) {
      if (used > 12 || !ParseDotted(text, out + used)) return false;
      used += 4;
      break;
    }
    const std::optional<uint16_t> group = TakeGroup(text);
    if (!group.has_value() || used > 14) return false;
    out[used++] = static_cast<uint8_t>(*group >> 8);
    out[used++] = static_cast<uint8_t>(*group & 0xff);
    if (text.empty()) break;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.empty()) return false;  // a single colon at the end
    if (text.front() == ':') {
      if (gap.has_value()) return false;
      gap = used;
      text.remove_prefix(1);
    }
  }
  if (!gap.has_value()) return used == 16;
  if (used == 16) return false;  // "::" must stand for at least one group
  std::copy_backward(out + *gap, out + used, out + 16);
  std::fill(out + *gap, out + *gap + (16 - used), uint8_t{0});
  return true;
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        fmt::format("parse IP address: {} characters are too many", text.size()));
  }
  std::array<uint8_t, 16> bytes{};
  const bool is_ipv6 = text.find(':') != std::string_view::npos;
  if (!(is_ipv6 ? ParseGroups(text, bytes.data()) : ParseDotted(text, bytes.data()))) {
    return Malformed(text);
  }
  return FromBytes({reinterpret_cast<const char*>(bytes.data()), is_ipv6 ? 16U : 4U});
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
  if (is_ipv4()) {
    return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
  }
  const auto group = [this](size_t i) { return bytes_[2 * i] << 8 | bytes_[2 * i + 1]; };
  size_t gap_start = 8, gap_length = 1;  // RFC 5952 4.2.2: one zero group is not shortened
  for (size_t i = 0; i < 8; ++i) {
    size_t end = i;
    while (end < 8 && group(end) == 0) ++end;
    if (end - i > gap_length) {
      gap_start = i;
      gap_length = end - i;
    }
    if (end > i) i = end - 1;
  }
  std::string text;
  for (size_t i = 0; i < 8; ++i) {
    if (i == gap_start) {
      text += "::";
      i += gap_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", group(i));
  }
  return text;
}

}  // namespace calico::base
