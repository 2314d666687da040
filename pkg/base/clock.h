// Time as an argument: everything that decides by time takes a Clock, tests give a FakeClock.
#ifndef CALICO_PKG_BASE_CLOCK_H_
#define CALICO_PKG_BASE_CLOCK_H_

#include <absl/time/clock.h>
#include <absl/time/time.h>

namespace calico::base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock time. Threading: may be called from any thread.
  virtual absl::Time Now() const = 0;
};

// The machine's clock. Lifetime: static.
inline const Clock& SystemClock() {
  class System final : public Clock {
    absl::Time Now() const override { return absl::Now(); }
  };
  static const System system;
  return system;
}

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_CLOCK_H_
