#include "pkg/aio/cancellation.h"

#include <exception>
#include <memory>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include "pkg/aio/internal.h"

namespace calico::aio {

Task<bool> IsCancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

Task<absl::Status> Shield(Task<absl::Status> task) {
  struct State {
    explicit State(const Executor& executor)
        : ended(executor, boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer ended;
    std::exception_ptr exception;
    std::optional<absl::Status> result;
  };
  const Executor executor = co_await boost::asio::this_coro::executor;
  auto state = std::make_shared<State>(executor);
  boost::asio::co_spawn(executor, internal::NoThrow(std::move(task)),
                        [state](std::exception_ptr exception, absl::Status status) {
                          state->exception = exception;
                          state->result = std::move(status);
                          state->ended.cancel();
                        });
  while (!state->result.has_value()) {
    co_await state->ended.async_wait(internal::UncancellableTuple());
  }
  if (state->exception) std::rethrow_exception(state->exception);
  co_return *std::move(state->result);
}

}  // namespace calico::aio
