#include "operator/config/near_name.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace calico::config {
namespace {

// How many single-character edits make `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// Longer words are nobody's typing.
constexpr size_t kMaxTyped = 64;

}  // namespace

std::string_view NearestName(std::string_view typed, const std::vector<std::string_view>& names) {
  if (typed.size() > kMaxTyped) return "";
  std::string_view nearest;
  size_t least = 1 + typed.size() / 3 + 1;  // further away is a guess, not a hint
  for (const std::string_view name : names) {
    const size_t edits = EditDistance(typed, name);
    if (edits < least && edits > 0) {
      least = edits;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace calico::config
