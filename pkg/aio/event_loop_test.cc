#include "pkg/aio/event_loop.h"

#include <csignal>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"

namespace calico::aio {
namespace {

Task<int> Return(int value) {
  co_await Yield();
  co_return value;
}

TEST(EventLoopTest, ReturnsTheExitCodeAndCanRunAgain) {
  EventLoop loop;
  EXPECT_EQ(loop.Run(Return(3)), 3);
  EXPECT_EQ(loop.Run(Return(4)), 4);
}

Task<void> StoreSignal(int& number) { number = co_await WaitForTermination(); }

TEST(EventLoopTest, SignalEndsTheWait) {
  for (const int sent : {SIGTERM, SIGINT}) {
    EventLoop loop;
    int number = -1;
    loop.Run([&]() -> Task<void> {
      TaskGroup group(loop.executor());
      group.Spawn(StoreSignal(number));
      for (int i = 0; i < 5; ++i) co_await Yield();
      std::raise(sent);
      co_await group.Join();
    }());
    EXPECT_EQ(number, sent);
  }
}

TEST(EventLoopTest, WaitForTerminationIsCancellable) {
  EventLoop loop;
  int number = -1;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(StoreSignal(number));
    for (int i = 0; i < 5; ++i) co_await Yield();
    co_await group.Stop();
  }());
  EXPECT_EQ(number, 0);
}

Task<void> Throw() {
  co_await Yield();
  throw std::runtime_error("broken invariant");
}

TEST(EventLoopDeathTest, EscapedExceptionEndsTheProcessWithItsMessage) {
  EXPECT_DEATH(
      {
        EventLoop loop;
        loop.Run(Throw());
      },
      "broken invariant");
  EXPECT_DEATH(
      {
        EventLoop loop;
        TaskGroup group(loop.executor());
        group.Spawn(Throw());
        loop.Run(group.Join());
      },
      "broken invariant");
}

Task<void> SleepForever(std::shared_ptr<int> held) { (void)co_await Sleep(absl::Hours(1)); }

// A frame that main left behind is destroyed with the loop, and with it what it holds.
TEST(EventLoopTest, LeftoverWorkIsDropped) {
  auto held = std::make_shared<int>(1);
  {
    EventLoop loop;
    Notifier notifier(loop.executor());
    loop.Run([&]() -> Task<void> {
      (void)co_await WithDeadline(
          [](std::shared_ptr<int> h) -> Task<absl::Status> {
            co_await SleepForever(std::move(h));
            co_return absl::OkStatus();
          }(held),
          absl::Milliseconds(1));
    }());
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace calico::aio
