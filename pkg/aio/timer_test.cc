#include "pkg/aio/timer.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::aio {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;

constexpr absl::Duration kShort = absl::Milliseconds(5);
constexpr absl::Duration kNever = absl::Hours(1);

// Stores what `task` returned, to look at it after a group was stopped.
template <class T>
Task<void> Store(Task<T> task, std::optional<T>& out) {
  out = co_await std::move(task);
}

Task<void> YieldTimes(int times) {
  for (int i = 0; i < times; ++i) co_await Yield();
}

Task<absl::Status> ReturnAfterYields(int yields, absl::Status status) {
  co_await YieldTimes(yields);
  co_return status;
}

Task<absl::StatusOr<std::string>> ReturnText(absl::Duration after, std::string text) {
  absl::Status status = co_await Sleep(after);
  if (!status.ok()) co_return status;
  co_return text;
}

TEST(SleepTest, EndsAfterItsTime) {
  EventLoop loop;
  std::optional<absl::Status> status;
  const absl::Time start = absl::Now();
  loop.Run(Store(Sleep(kShort), status));
  EXPECT_THAT(*status, IsOk());
  EXPECT_GE(absl::Now() - start, kShort - absl::Milliseconds(1));
}

TEST(SleepTest, NegativeAndZeroEndAtOnce) {
  EventLoop loop;
  std::optional<absl::Status> status;
  loop.Run(Store(Sleep(-absl::InfiniteDuration()), status));
  EXPECT_THAT(*status, IsOk());
  loop.Run(Store(Sleep(absl::ZeroDuration()), status));
  EXPECT_THAT(*status, IsOk());
}

TEST(SleepTest, InfiniteIsCancelled) {
  EventLoop loop;
  std::optional<absl::Status> status;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Store(Sleep(absl::InfiniteDuration()), status));
    co_await YieldTimes(5);
    EXPECT_FALSE(status.has_value());
    co_await group.Stop();
  }());
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kCancelled));
}

// Sleeps again and again: without the level rule the second sleep would last an hour.
Task<void> SleepThrice(std::vector<absl::Status>& out) {
  for (int i = 0; i < 3; ++i) out.push_back(co_await Sleep(kNever));
}

TEST(SleepTest, CancellationStays) {
  EventLoop loop;
  std::vector<absl::Status> statuses;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(SleepThrice(statuses));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  ASSERT_EQ(statuses.size(), 3u);
  for (const absl::Status& status : statuses) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  }
}

TEST(WithDeadlineTest, ReturnsTheResultInTime) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run(Store(WithDeadline(ReturnText(absl::ZeroDuration(), "text"), kNever), result));
  EXPECT_THAT(*result, IsOkAndHolds("text"));
}

TEST(WithDeadlineTest, ResultWithoutSuspension) {
  EventLoop loop;
  std::optional<absl::Status> status;
  loop.Run(Store(WithDeadline(ReturnAfterYields(0, absl::DataLossError("lost")), kNever), status));
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kDataLoss, "lost"));
}

TEST(WithDeadlineTest, TimesOut) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run(Store(WithDeadline(ReturnText(kNever, "text"), kShort), result));
  EXPECT_THAT(*result, StatusIs(absl::StatusCode::kDeadlineExceeded, "timed out after 5ms"));
}

TEST(WithDeadlineTest, ErrorOfTheTaskIsKept) {
  EventLoop loop;
  std::optional<absl::Status> status;
  loop.Run(Store(WithDeadline(ReturnAfterYields(3, absl::NotFoundError("gone")), kNever), status));
  EXPECT_THAT(*status, StatusIs(absl::StatusCode::kNotFound, "gone"));
}

// Ignores its cancellation and succeeds anyway.
Task<absl::StatusOr<std::string>> SucceedWhenCancelled() {
  (void)co_await Sleep(kNever);
  co_return "late";
}

TEST(WithDeadlineTest, SuccessThatRacesWithTheDeadlineIsKept) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run(Store(WithDeadline(SucceedWhenCancelled(), kShort), result));
  EXPECT_THAT(*result, IsOkAndHolds("late"));
}

TEST(WithDeadlineTest, InnerDeadlineFiresFirst) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run(Store(WithDeadline(WithDeadline(ReturnText(kNever, "x"), kShort), kNever), result));
  EXPECT_THAT(*result, StatusIs(absl::StatusCode::kDeadlineExceeded, "timed out after 5ms"));
}

TEST(WithDeadlineTest, OuterDeadlineReachesTheInnermostTask) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  std::optional<absl::StatusOr<std::string>> inner;
  auto record = [](auto task, auto& out) -> Task<absl::StatusOr<std::string>> {
    out = co_await std::move(task);
    co_return *out;
  };
  loop.Run(Store(WithDeadline(WithDeadline(record(ReturnText(kNever, "x"), inner), kNever), kShort),
                 result));
  EXPECT_THAT(*inner, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(*result, StatusIs(absl::StatusCode::kDeadlineExceeded, "timed out after 5ms"));
}

TEST(WithDeadlineTest, CancellationIsPassedOnAndIsNotATimeout) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Store(WithDeadline(WithDeadline(ReturnText(kNever, "x"), kNever), kNever), result));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_THAT(*result, StatusIs(absl::StatusCode::kCancelled));
}

Task<absl::Status> Throw() {
  co_await Yield();
  throw std::runtime_error("broken");
}

TEST(WithDeadlineTest, ExceptionReachesTheCaller) {
  EventLoop loop;
  bool caught = false;
  loop.Run([&]() -> Task<void> {
    try {
      (void)co_await WithDeadline(Throw(), kNever);
    } catch (const std::runtime_error& e) {
      caught = true;
    }
  }());
  EXPECT_TRUE(caught);
}

Task<absl::Status> CleanUp(std::vector<std::string>& log) {
  log.push_back((co_await IsCancelled()) ? "cancelled" : "alive");
  log.push_back((co_await Sleep(kShort)).ok() ? "slept" : "cut short");
  co_return absl::OkStatus();
}

Task<void> WaitThenCleanUp(std::vector<std::string>& log) {
  (void)co_await Sleep(kNever);
  log.push_back((co_await IsCancelled()) ? "cancelled" : "alive");
  EXPECT_THAT(co_await Shield(CleanUp(log)), IsOk());
  log.push_back((co_await Sleep(kShort)).ok() ? "slept" : "cut short");
}

TEST(ShieldTest, RunsAfterCancellation) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(WaitThenCleanUp(log));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "alive", "slept", "cut short"}));
}

TEST(ShieldTest, IsNotCutShortByALaterCancellation) {
  EventLoop loop;
  std::optional<absl::StatusOr<std::string>> result;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Store(Shield(ReturnText(kShort, "done")), result));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_THAT(*result, IsOkAndHolds("done"));
}

TEST(NotifierTest, IsLevelTriggered) {
  EventLoop loop;
  Notifier notifier(loop.executor());
  loop.Run([&]() -> Task<void> {
    notifier.Notify();
    notifier.Notify();
    EXPECT_THAT(co_await notifier.Wait(kNever), IsOk());
    // The two notifications counted once.
    EXPECT_THAT(co_await notifier.Wait(kShort), StatusIs(absl::StatusCode::kDeadlineExceeded));
  }());
}

TEST(NotifierTest, WakesAllWaiters) {
  EventLoop loop;
  Notifier notifier(loop.executor());
  std::optional<absl::Status> first, second, third;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Store(notifier.Wait(), first));
    group.Spawn(Store(notifier.Wait(kNever), second));
    co_await YieldTimes(5);
    notifier.Notify();
    // Told but not yet run waiters do not use up the second notification.
    notifier.Notify();
    co_await group.Join();
    group.Spawn(Store(notifier.Wait(kNever), third));
    co_await group.Join();
  }());
  EXPECT_THAT(*first, IsOk());
  EXPECT_THAT(*second, IsOk());
  EXPECT_THAT(*third, IsOk());
}

TEST(NotifierTest, CancelledWaitLeavesTheNotificationToOthers) {
  EventLoop loop;
  Notifier notifier(loop.executor());
  std::optional<absl::Status> cancelled, later;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Store(notifier.Wait(), cancelled));
    co_await YieldTimes(5);
    co_await group.Stop();
    notifier.Notify();
    TaskGroup others(loop.executor());
    others.Spawn(Store(notifier.Wait(kNever), later));
    co_await others.Join();
  }());
  EXPECT_THAT(*cancelled, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(*later, IsOk());
}

TEST(NotifierTest, NotifiedFromAThread) {
  EventLoop loop;
  Notifier notifier(loop.executor());
  std::optional<absl::Status> status;
  std::thread thread([&] { notifier.NotifyFromThread(); });
  loop.Run(Store(notifier.Wait(kNever), status));
  thread.join();
  EXPECT_THAT(*status, IsOk());
}

}  // namespace
}  // namespace calico::aio
