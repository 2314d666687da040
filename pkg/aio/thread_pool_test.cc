#include "pkg/aio/thread_pool.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"

namespace calico::aio {
namespace {

TEST(ThreadPoolTest, RunsElsewhereAndResumesOnTheLoop) {
  EventLoop loop;
  ThreadPool pool(1);
  std::thread::id worker;
  const std::thread::id main = std::this_thread::get_id();
  loop.Run([&]() -> Task<void> {
    co_await pool.Run([&] { worker = std::this_thread::get_id(); });
    EXPECT_EQ(std::this_thread::get_id(), main);
  }());
  EXPECT_NE(worker, main);
}

TEST(ThreadPoolTest, ReturnsTheResult) {
  EventLoop loop;
  ThreadPool pool(2);
  std::string result;
  loop.Run([&]() -> Task<void> {
    result = co_await RunOnPool(pool, [] { return std::string("computed"); });
  }());
  EXPECT_EQ(result, "computed");
}

Task<void> Count(ThreadPool& pool, std::atomic<int>& count) {
  co_await pool.Run([&count] { ++count; });
}

TEST(ThreadPoolTest, ManyJobsOnFewThreads) {
  EventLoop loop;
  ThreadPool pool(2);
  std::atomic<int> count = 0;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    for (int i = 0; i < 500; ++i) group.Spawn(Count(pool, count));
    co_await group.Join();
  }());
  EXPECT_EQ(count, 500);
}

TEST(ThreadPoolTest, WorkThatHasBegunIsWaitedFor) {
  EventLoop loop;
  ThreadPool pool(1);
  std::atomic<bool> begun = false;
  std::atomic<bool> release = false;
  std::atomic<int> count = 0;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn([](ThreadPool& p, std::atomic<bool>& b, std::atomic<bool>& r,
                   std::atomic<int>& c) -> Task<void> {
      co_await p.Run([&] {
        b = true;
        while (!r) std::this_thread::yield();
        ++c;
      });
    }(pool, begun, release, count));
    while (!begun) co_await Yield();
    release = true;
    co_await group.Stop();
    EXPECT_EQ(count, 1);
  }());
}

TEST(ThreadPoolTest, ExceptionOfTheWorkReachesTheCaller) {
  EventLoop loop;
  ThreadPool pool(1);
  bool caught = false;
  loop.Run([&]() -> Task<void> {
    try {
      co_await pool.Run([] { throw std::runtime_error("no memory"); });
    } catch (const std::runtime_error&) {
      caught = true;
    }
  }());
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace calico::aio
