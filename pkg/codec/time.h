// RFC 3339 times as Kubernetes reads and prints them.
#ifndef CALICO_PKG_CODEC_TIME_H_
#define CALICO_PKG_CODEC_TIME_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace calico::codec {

// `2026-11-22T19:42:02Z`, `2026-11-22T19:42:02.123456+01:00`: up to nine digits of fraction.
// Errors: InvalidArgument.
absl::StatusOr<absl::Time> ParseTime(std::string_view text);

// metav1.Time: `2026-11-22T19:42:02Z`; fractions are cut off. Requires: years 0 to 9999.
std::string EncodeTime(absl::Time time);

// metav1.MicroTime: `2026-11-22T19:42:02.123456Z`, always six digits. Requires: years 0 to 9999.
std::string EncodeMicroTime(absl::Time time);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_TIME_H_
