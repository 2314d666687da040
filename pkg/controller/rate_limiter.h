// RateLimiter: how long a key that failed has to wait. The larger of two waits counts: one doubled
// with each failure of the same key, one from a token bucket that all keys share, of whatever flow.
// Neither is longer than the cap.
#ifndef CALICO_PKG_CONTROLLER_RATE_LIMITER_H_
#define CALICO_PKG_CONTROLLER_RATE_LIMITER_H_

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "pkg/api/meta/object_key.h"

namespace calico::controller {

// client-go's numbers.
struct RateLimit {
  absl::Duration base = absl::Milliseconds(5);  // doubled for each failure of the same key
  absl::Duration cap = absl::Seconds(1000);     // the longest wait, for whatever reason
  double retries_per_second = 10;               // of all keys together; 0 = no such limit
  int burst = 100;                              // retries that need not wait for that
};

// Not thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit = {}) : limit_(limit) {}

  // The wait after one more failure of `key` at `now`, which must not go back.
  absl::Duration Failed(const api::ObjectKey& key, absl::Time now);
  // Success: the next failure is the first one again.
  void Forget(const api::ObjectKey& key) { failures_.erase(key); }
  // Failures since the last Forget.
  int failures(const api::ObjectKey& key) const;

 private:
  absl::Duration TakeToken(absl::Time now);

  RateLimit limit_;
  absl::flat_hash_map<api::ObjectKey, int> failures_;
  // When the bucket is full again. Each token taken moves it by the time that one token needs.
  absl::Time full_at_ = absl::InfinitePast();
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_RATE_LIMITER_H_
