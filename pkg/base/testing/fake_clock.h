// A Clock that stands still until a test moves it. Not thread-safe.
#ifndef CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_
#define CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_

#include "pkg/base/clock.h"

namespace calico::base {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000)) : now_(start) {}
  absl::Time Now() const override { return now_; }
  void Advance(absl::Duration by) { now_ += by; }

 private:
  absl::Time now_;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_FAKE_CLOCK_H_
