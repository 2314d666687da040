// Durations as Go writes them: the only ones that cfssl's files know.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_GO_DURATION_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_GO_DURATION_H_

#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace calico::calicert::cfssl {

// `8760h`, `1h30m`, `1.5h`, `-5m`, `0`: units ns, us, ms, s, m, h; not more than Go can hold (292
// years).
// Errors: InvalidArgument that says what to write: `"10y": there is no unit y: write hours,
// 87600h`.
absl::StatusOr<absl::Duration> ParseGoDuration(std::string_view text);

// "8760h", "1h30m", "90s": as short as Go reads it.
std::string FormatGoDuration(absl::Duration duration);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_GO_DURATION_H_
