#include "operator/calicert/inventory/days.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

namespace calico::calicert::inventory {
namespace {

constexpr int kMostDays = 365'000;

int DaysOf(char unit) {
  switch (unit) {
    case 'd':
      return 1;
    case 'w':
      return 7;
    case 'y':
      return 365;
  }
  return 0;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDays(std::string_view text) {
  const auto bad = [&] {
    return absl::InvalidArgumentError(
        fmt::format("{:?} is no period: write one such as 30d, 2w, 1y or 720h", text));
  };
  if (text.empty()) return bad();
  if (const int days = DaysOf(text.back()); days != 0) {
    int count = 0;
    if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size() - 1), &count) || count < 0 ||
        count > kMostDays / days) {
      return bad();
    }
    return absl::Hours(24) * days * count;
  }
  absl::Duration period;
  if (!absl::ParseDuration(absl::string_view(text.data(), text.size()), &period) ||
      period < absl::ZeroDuration() || period > absl::Hours(24) * kMostDays) {
    return bad();
  }
  return period;
}

}  // namespace calico::calicert::inventory
