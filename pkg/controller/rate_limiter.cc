#include "pkg/controller/rate_limiter.h"

#include <algorithm>

namespace calico::controller {

absl::Duration RateLimiter::Failed(const api::ObjectKey& key, absl::Time now) {
  const int failures = failures_[key]++;
  absl::Duration wait = limit_.base;
  for (int i = 0; i < failures && wait < limit_.cap; ++i) wait *= 2;
  return std::max(std::min(wait, limit_.cap), TakeToken(now));
}

int RateLimiter::failures(const api::ObjectKey& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

absl::Duration RateLimiter::TakeToken(absl::Time now) {
  if (limit_.retries_per_second <= 0) return absl::ZeroDuration();
  const absl::Duration token = absl::Seconds(1) / limit_.retries_per_second;
  // No more debt than the longest wait pays off.
  full_at_ = std::min(std::max(full_at_, now) + token, now + token * limit_.burst + limit_.cap);
  return std::max(absl::ZeroDuration(), full_at_ - now - token * limit_.burst);
}

}  // namespace calico::controller
