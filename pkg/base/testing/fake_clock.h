// A Clock that stands still until a test moves it, or sets its wall clock. Not thread-safe.
#ifndef CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_
#define CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_

#include "pkg/base/clock.h"

namespace calico::base {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000)) : now_(start) {}
  absl::Time Now() const override { return now_ + step_; }
  absl::Time SteadyNow() const override { return now_; }
  void Advance(absl::Duration by) { now_ += by; }
  // As if somebody set the clock: no time goes by.
  void StepWall(absl::Duration by) { step_ += by; }

 private:
  absl::Time now_;
  absl::Duration step_ = absl::ZeroDuration();
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_
