#include "pkg/aio/thread_pool.h"

#include <exception>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "pkg/aio/internal.h"

namespace calico::aio {

struct ThreadPool::Impl {
  explicit Impl(int threads) : pool(static_cast<size_t>(threads)) {}
  boost::asio::thread_pool pool;
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>(threads)) {}

ThreadPool::~ThreadPool() { impl_->pool.join(); }

Task<void> ThreadPool::Run(std::function<void()> work) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  auto initiate = [this, &executor, &work](auto handler) {
    boost::asio::post(
        impl_->pool, [handler = std::move(handler), executor, work = std::move(work)]() mutable {
          std::exception_ptr exception;
          try {
            work();
          } catch (...) {
            exception = std::current_exception();
          }
          // The work's captures end here, before the caller, which owns what they refer to,
          // resumes.
          work = nullptr;
          boost::asio::post(executor, [handler = std::move(handler), exception]() mutable {
            std::move(handler)(exception);
          });
        });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(std::exception_ptr)>(initiate,
                                                                 boost::asio::use_awaitable);
}

}  // namespace calico::aio
