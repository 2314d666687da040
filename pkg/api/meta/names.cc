#include "pkg/api/meta/names.h"

#include <algorithm>
#include <cstddef>

#include <absl/strings/ascii.h>

namespace calico::api {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxSubdomain = 253;
constexpr size_t kMaxSignerName = 571;

// Lower-case letters, digits and '-', which does not stand at the ends.
bool IsLabelOfAnyLength(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

// Whether `check` holds for each piece of `text` between dots.
template <class Check>
bool AllPieces(std::string_view text, Check check) {
  while (true) {
    const size_t end = text.find('.');
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool IsDnsLabel(std::string_view text) {
  return text.size() <= kMaxLabel && IsLabelOfAnyLength(text);
}

bool IsDnsSubdomain(std::string_view text) {
  return text.size() <= kMaxSubdomain && AllPieces(text, &IsLabelOfAnyLength);
}

bool IsSignerName(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.size() > kMaxSignerName) return false;
  const std::string_view domain = text.substr(0, slash);
  return domain.size() <= kMaxSubdomain && domain.find('.') != std::string_view::npos &&
         AllPieces(domain, &IsDnsLabel) && AllPieces(text.substr(slash + 1), &IsDnsSubdomain);
}

}  // namespace calico::api
