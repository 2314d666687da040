// When a certificate should be renewed.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWAL_DUE_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWAL_DUE_H_

#include <optional>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/pki/certificate.h"

namespace calico::calicert {

inline constexpr std::string_view kDefaultRenewal = "66%";

// "75%": once this part of its life is over. "720h", "30d": once it ends within this time.
struct RenewalThreshold {
  std::optional<int> percent;
  absl::Duration left;
};

// Errors: InvalidArgument.
absl::StatusOr<RenewalThreshold> ParseRenewalThreshold(std::string_view text);

// From when on it is due.
absl::Time RenewalTime(const pki::Certificate& certificate, const RenewalThreshold& threshold);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_RENEWAL_DUE_H_
