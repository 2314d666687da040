// The order of releases by their numbers ("v3.33", "v3.33.1"), and the one answer to what is so for
// a release that a table has no row for: what is so for the newest listed one before it.
//
//   constexpr Form kForms[] = {{.release = "v3.27", ...}, {.release = "v3.32", ...}};
//   const Form& form = base::RowFor(kForms, "v3.31");  // that of v3.27
#ifndef CALICO_PKG_BASE_RELEASE_ORDER_H_
#define CALICO_PKG_BASE_RELEASE_ORDER_H_

#include <compare>
#include <cstddef>
#include <optional>
#include <string_view>

namespace calico::base {

struct ReleaseNumber {
  int major = 0;
  int minor = 0;
  int patch = 0;

  friend auto operator<=>(const ReleaseNumber&, const ReleaseNumber&) = default;

  // Of "v3.33", "v3.33.1" and "v3.33.1-fips"; what is not there is 0, and what follows a hyphen or
  // a plus does not count. Nothing for another form, such as the name of a branch.
  static std::optional<ReleaseNumber> Parse(std::string_view text);
};

// Whether `a` comes after `b`. One of another form is after all that have a number; two such are
// not after each other.
bool IsLaterRelease(std::string_view a, std::string_view b);

// The row for `release`: the last one whose `release` is not later. `rows` begin with the oldest;
// a release before all of them has the first.
template <typename Row, size_t kCount>
const Row& RowFor(const Row (&rows)[kCount], std::string_view release) {
  const Row* found = &rows[0];
  for (const Row& row : rows) {
    if (!IsLaterRelease(row.release, release)) found = &row;
  }
  return *found;
}

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_RELEASE_ORDER_H_
