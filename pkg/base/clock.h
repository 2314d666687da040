// Time as an argument: everything that decides by time takes a Clock, tests give a FakeClock.
#ifndef CALICO_PKG_BASE_CLOCK_H_
#define CALICO_PKG_BASE_CLOCK_H_

#include <time.h>

#include <absl/time/clock.h>
#include <absl/time/time.h>

namespace calico::base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock time. Threading: may be called from any thread.
  virtual absl::Time Now() const = 0;
  // A time that nobody sets, which goes on while the machine is suspended: for how long something
  // has lasted. Only differences mean anything. Threading: may be called from any thread.
  virtual absl::Time SteadyNow() const { return Now(); }
};

// The machine's clock. Lifetime: static.
inline const Clock& SystemClock() {
  class System final : public Clock {
    absl::Time Now() const override { return absl::Now(); }
    absl::Time SteadyNow() const override {
      timespec now{};
      clock_gettime(CLOCK_BOOTTIME, &now);
      return absl::TimeFromTimespec(now);
    }
  };
  static const System system;
  return system;
}

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_CLOCK_H_
