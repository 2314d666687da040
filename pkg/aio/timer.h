// Sleeping, deadlines and wake-ups.
#ifndef CALICO_PKG_AIO_TIMER_H_
#define CALICO_PKG_AIO_TIMER_H_

#include <memory>
#include <optional>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"

namespace calico::aio {

// OK after `duration` (steady clock). Errors: kCancelled. Cancellation: total.
Task<absl::Status> Sleep(absl::Duration duration);

// Lets other ready tasks run.
Task<void> Yield();

// Notifier: a level-triggered flag that one or more tasks wait for.
// Threading: event loop thread only, except NotifyFromThread.
class Notifier {
 public:
  explicit Notifier(Executor executor);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Sets the flag and wakes all waiters. Setting it twice before a wait counts once.
  void Notify();
  // The same from any thread, at the next turn of the loop. Lifetime: the loop must outlive the
  // call.
  void NotifyFromThread();
  // OK once the flag is set (it is cleared by this call). Errors: kDeadlineExceeded after
  // `timeout`, kCancelled. Cancellation: total. Lifetime: the notifier must outlive the task.
  Task<absl::Status> Wait(absl::Duration timeout = absl::InfiniteDuration());

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Runs `task` and returns its result; cancels it after `timeout` and then returns
// kDeadlineExceeded, unless it ended with OK all the same. Returns only after `task` has ended.
// Cancellation: passed on to `task`, whose result is returned.
Task<absl::Status> WithDeadline(Task<absl::Status> task, absl::Duration timeout);

template <class T>
Task<absl::StatusOr<T>> WithDeadline(Task<absl::StatusOr<T>> task, absl::Duration timeout) {
  std::optional<absl::StatusOr<T>> result;
  auto keep = [](Task<absl::StatusOr<T>> inner,
                 std::optional<absl::StatusOr<T>>* out) -> Task<absl::Status> {
    out->emplace(co_await std::move(inner));
    co_return (*out)->status();
  };
  absl::Status status = co_await WithDeadline(keep(std::move(task), &result), timeout);
  if (!status.ok()) co_return status;
  co_return *std::move(result);
}

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_TIMER_H_
