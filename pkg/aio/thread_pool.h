// RunOnPool: hands CPU-bound or blocking work (RSA keys, fsync) to a small thread pool.
#ifndef CALICO_PKG_AIO_THREAD_POOL_H_
#define CALICO_PKG_AIO_THREAD_POOL_H_

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "pkg/aio/task.h"

namespace calico::aio {

// Threading: Post from the event loop thread; `work` runs on a pool thread.
// The destructor waits for running work. Destroy the pool before the event loop.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Runs `work` on the pool and resumes on the caller's executor. Lifetime: what `work` refers to
  // must outlive the task. Cancellation: none; work that has begun is waited for.
  Task<void> Run(std::function<void()> work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The result of `work` run on `pool`.
template <class Work>
Task<std::invoke_result_t<Work>> RunOnPool(ThreadPool& pool, Work work) {
  std::optional<std::invoke_result_t<Work>> result;
  co_await pool.Run([&result, &work] { result.emplace(work()); });
  co_return *std::move(result);
}

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_THREAD_POOL_H_
