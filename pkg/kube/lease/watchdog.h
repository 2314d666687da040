// Watchdog: a time that the kernel counts down while the event loop works, stands still or hangs.
#ifndef CALICO_PKG_KUBE_LEASE_WATCHDOG_H_
#define CALICO_PKG_KUBE_LEASE_WATCHDOG_H_

#include <functional>
#include <thread>

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace calico::kube {

// Its thread sleeps until the time is up: arming it again costs a system call and wakes nobody. The
// time goes on while the machine is suspended or the process stopped; the call comes when it runs
// again.
// Threading: all calls from one thread.
class Watchdog {
 public:
  // Called once, on a thread of its own: kDeadlineExceeded when the time is up; kResourceExhausted,
  // at once, when the system has no timer to give.
  using Expired = std::function<void(const absl::Status& reason)>;
  explicit Watchdog(Expired expired);
  // Nothing is called any more; waits for a call in progress.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The time is up after `left`, in place of what was set before.
  void Arm(absl::Duration left);

 private:
  void Wait() const;

  const Expired expired_;
  const int timer_fd_;
  const int timer_errno_;
  const int stop_fd_;
  std::thread thread_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_LEASE_WATCHDOG_H_
