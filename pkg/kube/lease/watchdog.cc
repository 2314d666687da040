#include "pkg/kube/lease/watchdog.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <system_error>
#include <utility>

namespace calico::kube {

Watchdog::Watchdog(Expired expired)
    : expired_(std::move(expired)),
      timer_fd_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
      timer_errno_(errno),
      stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { Wait(); });
}

Watchdog::~Watchdog() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(stop_fd_, &one, sizeof(one));
  thread_.join();
  close(timer_fd_);
  close(stop_fd_);
}

void Watchdog::Arm(absl::Duration left) {
  // Zero would switch the timer off.
  const itimerspec time{.it_interval = {},
                        .it_value = absl::ToTimespec(std::max(left, absl::Nanoseconds(1)))};
  timerfd_settime(timer_fd_, 0, &time, nullptr);
}

void Watchdog::Wait() const {
  if (timer_fd_ < 0 || stop_fd_ < 0) {  // out of file descriptors
    return expired_(absl::ResourceExhaustedError(
        "no timer: " + std::system_category().message(timer_fd_ < 0 ? timer_errno_ : EMFILE)));
  }
  pollfd fds[] = {{.fd = stop_fd_, .events = POLLIN, .revents = 0},
                  {.fd = timer_fd_, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(fds, std::size(fds), -1) <= 0) continue;  // a signal
    if (fds[0].revents != 0) return;
    uint64_t times = 0;
    // Nothing to read: it was armed again in the meantime.
    if (read(timer_fd_, &times, sizeof(times)) != sizeof(times)) continue;
    return expired_(absl::DeadlineExceededError("what leads did not stop in time"));
  }
}

}  // namespace calico::kube
