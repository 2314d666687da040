// The completion tokens and the entry wrapper that the parts of this folder and pkg/net share.
// Includes heavy Asio headers: for .cc files only.
#ifndef CALICO_PKG_AIO_INTERNAL_H_
#define CALICO_PKG_AIO_INTERNAL_H_

#include <chrono>
#include <utility>

#include <absl/time/time.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "pkg/aio/task.h"

namespace calico::aio::internal {

// Results as a tuple that starts with the error code; nothing throws.
inline constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

// The same for an await that the task's cancellation must not cut short.
inline auto UncancellableTuple() {
  return boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), kTuple);
}

// The type that a coroutine's default cancellation state lets through.
inline constexpr auto kCancelType = boost::asio::cancellation_type::terminal;

// Asio's timers saturate at the far end, absl's durations too.
inline std::chrono::nanoseconds ToChrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(duration);
}

// Every spawned task starts here: awaits must return an error instead of throwing on cancellation.
template <class T>
Task<T> NoThrow(Task<T> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_return co_await std::move(task);
}

}  // namespace calico::aio::internal

#endif  // CALICO_PKG_AIO_INTERNAL_H_
