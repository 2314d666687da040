// Periods as people say them about certificates: in days and weeks as well as in hours.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_DAYS_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_DAYS_H_

#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace calico::calicert::inventory {

// "30d", "2w", "1y" (365 days), and what Go writes: "720h", "1h30m".
// Errors: InvalidArgument; also for what is negative or longer than 1,000 years.
absl::StatusOr<absl::Duration> ParseDays(std::string_view text);

}  // namespace calico::calicert::inventory

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_DAYS_H_
