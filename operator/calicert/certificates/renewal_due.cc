#include "operator/calicert/certificates/renewal_due.h"

#include <charconv>

#include <fmt/format.h>

namespace calico::calicert {
namespace {

std::optional<int> Number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

absl::StatusOr<RenewalThreshold> ParseRenewalThreshold(std::string_view text) {
  const std::string_view head = text.substr(0, text.empty() ? 0 : text.size() - 1);
  if (text.ends_with('%')) {
    const std::optional<int> percent = Number(head);
    if (percent.has_value() && *percent >= 0 && *percent <= 100)
      return RenewalThreshold{percent, {}};
  } else if (text.ends_with('d')) {
    const std::optional<int> days = Number(head);
    if (days.has_value() && *days >= 0) return RenewalThreshold{{}, absl::Hours(24) * *days};
  } else if (absl::Duration left;
             absl::ParseDuration(absl::string_view(text.data(), text.size()), &left) &&
             left >= absl::ZeroDuration() && left != absl::InfiniteDuration()) {
    return RenewalThreshold{{}, left};
  }
  return absl::InvalidArgumentError(
      "expected a part of its life such as 75%, or a time such as 720h or 30d");
}

absl::Time RenewalTime(const pki::Certificate& certificate, const RenewalThreshold& threshold) {
  if (!threshold.percent.has_value()) return certificate.not_after() - threshold.left;
  const absl::Duration life = certificate.not_after() - certificate.not_before();
  return certificate.not_before() + life / 100 * *threshold.percent;
}

}  // namespace calico::calicert
