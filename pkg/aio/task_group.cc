#include "pkg/aio/task_group.h"

#include <cstdio>
#include <exception>
#include <list>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/internal.h"
#include "pkg/aio/timer.h"
#include "pkg/base/check.h"

namespace calico::aio {

struct TaskGroup::Impl {
  explicit Impl(const Executor& e)
      : executor(e), ended(e, boost::asio::steady_timer::time_point::max()) {}

  Executor executor;
  boost::asio::steady_timer ended;  // cancelled, which wakes the waiters, when the last task ends
  bool stopped = false;
  // Shared, because a signal must outlive the emission that ends its task.
  std::list<std::shared_ptr<boost::asio::cancellation_signal>> running;
};

namespace {

Task<void> StartAtNextTurn(Task<void> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  if (co_await IsCancelled()) co_return;
  co_await std::move(task);
}

Task<void> NotifyAtEnd(Task<void> task, Notifier& ended) {
  co_await std::move(task);
  ended.Notify();
}

}  // namespace

TaskGroup::TaskGroup(Executor executor) : impl_(std::make_shared<Impl>(executor)) {}

TaskGroup::~TaskGroup() { CALICO_CHECK(impl_->running.empty()); }

void TaskGroup::Spawn(Task<void> task) {
  if (impl_->stopped) return;
  auto signal = std::make_shared<boost::asio::cancellation_signal>();
  const auto position = impl_->running.insert(impl_->running.end(), signal);
  boost::asio::co_spawn(impl_->executor, StartAtNextTurn(std::move(task)),
                        boost::asio::bind_cancellation_slot(
                            signal->slot(), [impl = impl_, position](std::exception_ptr exception) {
                              // Nothing of ours throws: what escapes a task is a broken program.
                              if (exception) std::rethrow_exception(exception);
                              impl->running.erase(position);
                              if (impl->running.empty()) impl->ended.cancel();
                            }));
}

size_t TaskGroup::running() const { return impl_->running.size(); }

Task<void> TaskGroup::Join() {
  const std::shared_ptr<Impl> impl = impl_;
  while (!impl->running.empty()) {
    if (co_await IsCancelled()) co_return;
    co_await impl->ended.async_wait(internal::kTuple);
  }
}

Task<void> TaskGroup::Stop() {
  const std::shared_ptr<Impl> impl = impl_;
  impl->stopped = true;
  const std::vector<std::shared_ptr<boost::asio::cancellation_signal>> signals(
      impl->running.begin(), impl->running.end());
  for (const auto& signal : signals) signal->emit(internal::kCancelType);
  while (!impl->running.empty()) {
    co_await impl->ended.async_wait(internal::UncancellableTuple());
  }
}

Task<void> Race(Task<void> first, Task<void> second) {
  const Executor executor = co_await CurrentExecutor();
  Notifier ended(executor);
  TaskGroup group(executor);
  group.Spawn(NotifyAtEnd(std::move(first), ended));
  group.Spawn(NotifyAtEnd(std::move(second), ended));
  (void)co_await ended.Wait();
  co_await group.Stop();
}

}  // namespace calico::aio
