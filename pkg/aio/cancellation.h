// What a task may ask and decide about its own cancellation.
//
// Cancellation is a level, not an edge: once a task has been cancelled, every await of this project
// returns kCancelled at once, also the awaits of its clean-up. What must still run goes through
// Shield, with a deadline of its own:
//
//   co_await aio::Shield(aio::WithDeadline(ReleaseLease(), absl::Seconds(3)));
#ifndef CALICO_PKG_AIO_CANCELLATION_H_
#define CALICO_PKG_AIO_CANCELLATION_H_

#include <optional>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/aio/task.h"

namespace calico::aio {

// Whether the calling task has been cancelled. Does not suspend.
Task<bool> IsCancelled();

// Runs `task` to its end and returns its result, whether or not the caller is or gets cancelled.
// Cancellation: none.
Task<absl::Status> Shield(Task<absl::Status> task);

template <class T>
Task<absl::StatusOr<T>> Shield(Task<absl::StatusOr<T>> task) {
  std::optional<absl::StatusOr<T>> result;
  auto keep = [](Task<absl::StatusOr<T>> inner,
                 std::optional<absl::StatusOr<T>>* out) -> Task<absl::Status> {
    out->emplace(co_await std::move(inner));
    co_return (*out)->status();
  };
  absl::Status status = co_await Shield(keep(std::move(task), &result));
  if (!status.ok()) co_return status;
  co_return *std::move(result);
}

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_CANCELLATION_H_
