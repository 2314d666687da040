#include "pkg/aio/timer.h"

#include <exception>
#include <list>
#include <optional>

#include <absl/time/time.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/internal.h"

namespace calico::aio {
namespace {

using boost::asio::steady_timer;
using boost::system::error_code;

absl::Status TimedOut(absl::Duration timeout) {
  return absl::DeadlineExceededError(
      fmt::format("timed out after {}", absl::FormatDuration(timeout)));
}

}  // namespace

Task<absl::Status> Sleep(absl::Duration duration) {
  if (co_await IsCancelled()) co_return absl::CancelledError("sleep cancelled");
  steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(internal::ToChrono(duration));
  const auto [error] = co_await timer.async_wait(internal::kTuple);
  if (error) co_return absl::CancelledError("sleep cancelled");
  co_return absl::OkStatus();
}

Task<void> Yield() {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
}

struct Notifier::Impl {
  explicit Impl(Executor e) : executor(std::move(e)) {}

  struct Waiter {
    steady_timer timer;
    bool notified = false;
  };

  void Notify() {
    // A waiter that has been told but has not run yet must not use up a later notification.
    set = true;
    for (Waiter& waiter : waiters) {
      if (waiter.notified) continue;
      waiter.notified = true;
      waiter.timer.cancel();
      set = false;
    }
  }

  Executor executor;
  bool set = false;
  std::list<Waiter> waiters;
};

Notifier::Notifier(Executor executor) : impl_(std::make_shared<Impl>(std::move(executor))) {}
Notifier::~Notifier() = default;

void Notifier::Notify() { impl_->Notify(); }

void Notifier::NotifyFromThread() {
  boost::asio::post(impl_->executor, [impl = impl_] { impl->Notify(); });
}

Task<absl::Status> Notifier::Wait(absl::Duration timeout) {
  const std::shared_ptr<Impl> impl = impl_;
  if (co_await IsCancelled()) co_return absl::CancelledError("wait cancelled");
  if (std::exchange(impl->set, false)) co_return absl::OkStatus();

  // Unlinks the waiter also when the coroutine is destroyed while it waits.
  struct Link {
    explicit Link(Impl& i) : impl(i) {
      impl.waiters.push_back({.timer = steady_timer(impl.executor)});
      position = std::prev(impl.waiters.end());
    }
    ~Link() { impl.waiters.erase(position); }
    Impl& impl;
    std::list<Impl::Waiter>::iterator position;
  };
  Link link(*impl);
  Impl::Waiter& waiter = *link.position;
  waiter.timer.expires_after(internal::ToChrono(timeout));
  const auto [error] = co_await waiter.timer.async_wait(internal::kTuple);
  if (waiter.notified) co_return absl::OkStatus();
  if (error) co_return absl::CancelledError("wait cancelled");
  co_return TimedOut(timeout);
}

Task<absl::Status> WithDeadline(Task<absl::Status> task, absl::Duration timeout) {
  struct State {
    explicit State(const Executor& executor) : timer(executor) {}
    steady_timer timer;  // the deadline, and cancelled when the task ends
    boost::asio::cancellation_signal cancel;
    std::exception_ptr exception;
    std::optional<absl::Status> result;
  };
  if (co_await IsCancelled()) co_return absl::CancelledError("task cancelled before it began");
  const Executor executor = co_await boost::asio::this_coro::executor;
  auto state = std::make_shared<State>(executor);
  state->timer.expires_after(internal::ToChrono(timeout));
  boost::asio::co_spawn(
      executor, internal::NoThrow(std::move(task)),
      boost::asio::bind_cancellation_slot(
          state->cancel.slot(), [state](std::exception_ptr exception, absl::Status status) {
            state->exception = exception;
            state->result = std::move(status);
            state->timer.cancel();
          }));

  bool expired = false;
  if (!state->result.has_value()) {
    const auto [error] = co_await state->timer.async_wait(internal::kTuple);
    if (!state->result.has_value()) {
      expired = !error;
      state->cancel.emit(internal::kCancelType);
      state->timer.expires_at(steady_timer::time_point::max());
    }
  }
  while (!state->result.has_value()) {
    co_await state->timer.async_wait(internal::UncancellableTuple());
  }
  if (state->exception) std::rethrow_exception(state->exception);
  // A task that made it in spite of the cancellation keeps its result.
  if (expired && !state->result->ok()) co_return TimedOut(timeout);
  co_return *std::move(state->result);
}

}  // namespace calico::aio
