// Ages in status messages, in coarse steps: a message that changed every second would be written
// every second.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_AGE_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_AGE_H_

#include <string>

#include <absl/time/time.h>

namespace calico::status {

// "less than 30s", "30s", "1m", "1m30s", "2m", "5m", ..., "1h", ..., "3d".
std::string AgeText(absl::Duration age);

// How much older it must become for AgeText to change; never zero.
absl::Duration UntilNextAge(absl::Duration age);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_AGE_H_
