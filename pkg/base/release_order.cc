#include "pkg/base/release_order.h"

#include <charconv>
#include <system_error>

namespace calico::base {

std::optional<ReleaseNumber> ReleaseNumber::Parse(std::string_view text) {
  if (!text.starts_with('v')) return std::nullopt;
  text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("-+"));
  ReleaseNumber number;
  int* const parts[] = {&number.major, &number.minor, &number.patch};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int* const part : parts) {
    // from_chars takes a sign.
    if (at == end || *at == '-') return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, *part);
    if (error != std::errc()) return std::nullopt;
    at = next;
    if (at == end) return part == &number.major ? std::nullopt : std::optional(number);
    if (*at != '.') return std::nullopt;
    ++at;
  }
  return std::nullopt;
}

bool IsLaterRelease(std::string_view a, std::string_view b) {
  const std::optional<ReleaseNumber> first = ReleaseNumber::Parse(a);
  const std::optional<ReleaseNumber> second = ReleaseNumber::Parse(b);
  if (!first.has_value()) return second.has_value();
  return second.has_value() && *first > *second;
}

}  // namespace calico::base
