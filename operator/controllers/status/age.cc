#include "operator/controllers/status/age.h"

#include <cstdint>

#include <fmt/format.h>

namespace calico::status {
namespace {

constexpr std::int64_t kStepSeconds[] = {30,   60,   90,   120,   300,   600,  900,
                                         1800, 3600, 7200, 14400, 28800, 43200};
constexpr std::int64_t kDay = 86400;

}  // namespace

std::string AgeText(absl::Duration age) {
  const std::int64_t seconds = absl::ToInt64Seconds(age);
  if (seconds < kStepSeconds[0]) return "less than 30s";
  if (seconds >= kDay) return fmt::format("{}d", seconds / kDay);
  std::int64_t step = kStepSeconds[0];
  for (const std::int64_t candidate : kStepSeconds) {
    if (candidate <= seconds) step = candidate;
  }
  if (step >= 3600) return fmt::format("{}h", step / 3600);
  if (step < 60) return fmt::format("{}s", step);
  return step % 60 == 0 ? fmt::format("{}m", step / 60)
                        : fmt::format("{}m{}s", step / 60, step % 60);
}

absl::Duration UntilNextAge(absl::Duration age) {
  for (const std::int64_t step : kStepSeconds) {
    if (age < absl::Seconds(step)) return absl::Seconds(step) - age;
  }
  return absl::Seconds(kDay) - absl::Seconds(absl::ToInt64Seconds(age) % kDay);
}

}  // namespace calico::status
