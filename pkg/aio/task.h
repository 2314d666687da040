// Task<T>: the coroutine type of every asynchronous function in this project.
//
// A task runs on the io_context thread it was spawned on. It is lazy: nothing happens before it is
// awaited or spawned (TaskGroup). Parameters are taken by value, or by reference to something
// documented to outlive the task. Errors are absl::Status, not exceptions; a cancelled task returns
// kCancelled from the await that was cut short.
#ifndef CALICO_PKG_AIO_TASK_H_
#define CALICO_PKG_AIO_TASK_H_

#if !defined(__clang__)
#error "GCC 12 destroys temporaries of co_await statements twice; build with clang-19 (CC=clang-19)"
#endif

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

namespace calico::aio {

template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

// The executor of the calling task. Does not suspend.
inline Task<Executor> CurrentExecutor() { co_return co_await boost::asio::this_coro::executor; }

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_TASK_H_
