#include "pkg/aio/event_loop.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/internal.h"

namespace calico::aio {
namespace {

[[noreturn]] void Die(std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fatal: exception escaped a task: %s\n", e.what());
  } catch (...) {
    std::fprintf(stderr, "fatal: unknown exception escaped a task\n");
  }
  std::abort();
}

Task<int> ReturnZero(Task<void> task) {
  co_await std::move(task);
  co_return 0;
}

}  // namespace

struct EventLoop::Impl {
  boost::asio::io_context context{1};
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

Executor EventLoop::executor() const { return impl_->context.get_executor(); }

int EventLoop::Run(Task<int> main) {
  int result = 0;
  impl_->context.restart();
  boost::asio::co_spawn(impl_->context, internal::NoThrow(std::move(main)),
                        [this, &result](std::exception_ptr exception, int value) {
                          if (exception) Die(exception);
                          result = value;
                          impl_->context.stop();
                        });
  try {
    impl_->context.run();
  } catch (...) {
    Die(std::current_exception());
  }
  return result;
}

void EventLoop::Run(Task<void> main) { Run(ReturnZero(std::move(main))); }

Task<int> WaitForTermination() {
  if (co_await IsCancelled()) co_return 0;
  boost::asio::signal_set signals(co_await boost::asio::this_coro::executor);
  boost::system::error_code ignored;
  signals.add(SIGTERM, ignored);
  signals.add(SIGINT, ignored);
  const auto [error, number] = co_await signals.async_wait(internal::kTuple);
  co_return error ? 0 : number;
}

}  // namespace calico::aio
