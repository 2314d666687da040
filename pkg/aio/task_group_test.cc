#include "pkg/aio/task_group.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::aio {
namespace {

Task<void> Append(std::vector<std::string>& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}

Task<void> AppendWhenStopped(std::vector<std::string>& log, std::string text, int slow) {
  (void)co_await Sleep(absl::InfiniteDuration());
  for (int i = 0; i < slow; ++i) co_await Yield();
  log.push_back(std::move(text));
}

Task<void> YieldTimes(int times) {
  for (int i = 0; i < times; ++i) co_await Yield();
}

TEST(TaskGroupTest, SpawnStartsAtTheNextTurn) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Append(log, "task"));
    log.push_back("spawner");
    EXPECT_EQ(group.running(), 1u);
    co_await group.Join();
    EXPECT_EQ(group.running(), 0u);
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"spawner", "task"}));
}

TEST(TaskGroupTest, StopCancelsAllAndWaitsForTheSlowest) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(AppendWhenStopped(log, "slow", 20));
    group.Spawn(AppendWhenStopped(log, "fast", 0));
    co_await YieldTimes(5);
    co_await group.Stop();
    log.push_back("stopped");
    group.Spawn(Append(log, "never"));
    co_await group.Join();
    EXPECT_EQ(group.running(), 0u);
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"fast", "slow", "stopped"}));
}

TEST(TaskGroupTest, StopBeforeTheFirstTurnDropsTheTask) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Append(log, "never"));
    co_await group.Stop();
  }());
  EXPECT_TRUE(log.empty());
}

TEST(TaskGroupTest, GroupsStopInTheOrderAsked) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup servers(loop.executor());
    TaskGroup controllers(loop.executor());
    servers.Spawn(AppendWhenStopped(log, "server", 0));
    controllers.Spawn(AppendWhenStopped(log, "controller", 10));
    co_await YieldTimes(5);
    co_await controllers.Stop();
    co_await servers.Stop();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"controller", "server"}));
}

Task<void> OwnGroup(std::vector<std::string>& log, Executor executor) {
  TaskGroup inner(executor);
  inner.Spawn(AppendWhenStopped(log, "inner", 5));
  co_await inner.Join();  // cut short by the outer Stop; the inner task goes on
  log.push_back(inner.running() == 1 ? "join cut short" : "inner gone");
  co_await inner.Stop();
  log.push_back("outer");
}

TEST(TaskGroupTest, StopReachesNestedGroups) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(OwnGroup(log, loop.executor()));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"join cut short", "inner", "outer"}));
}

Task<void> SpawnAnother(std::vector<std::string>& log, TaskGroup& group) {
  group.Spawn(Append(log, "second"));
  log.push_back("first");
  co_return;
}

TEST(TaskGroupTest, JoinWaitsForTasksSpawnedByTasks) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(SpawnAnother(log, group));
    co_await group.Join();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"first", "second"}));
}

Task<void> SpawnWhenStopped(std::vector<std::string>& log, TaskGroup& group) {
  (void)co_await Sleep(absl::InfiniteDuration());
  group.Spawn(Append(log, "never"));
  log.push_back("ended");
}

TEST(TaskGroupTest, TaskThatSpawnsWhileStoppingIsIgnored) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(SpawnWhenStopped(log, group));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"ended"}));
}

TEST(TaskGroupDeathTest, DestroyingARunningGroupIsACheckFailure) {
  EXPECT_DEATH(
      {
        EventLoop loop;
        std::vector<std::string> log;
        TaskGroup group(loop.executor());
        group.Spawn(Append(log, "x"));
      },
      "running.empty");
}

TEST(RaceTest, TheFirstToEndCancelsTheOther) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    co_await Race(AppendWhenStopped(log, "loser", 3), Append(log, "winner"));
    log.push_back("over");
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"winner", "loser", "over"}));
}

TEST(RaceTest, CancellationReachesBoth) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    group.Spawn(Race(AppendWhenStopped(log, "a", 0), AppendWhenStopped(log, "b", 3)));
    co_await YieldTimes(5);
    co_await group.Stop();
  }());
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
}

TEST(TaskGroupTest, ManyTasks) {
  EventLoop loop;
  std::vector<std::string> log;
  loop.Run([&]() -> Task<void> {
    TaskGroup group(loop.executor());
    for (int i = 0; i < 1000; ++i) group.Spawn(AppendWhenStopped(log, "x", i % 3));
    co_await YieldTimes(3);
    EXPECT_EQ(group.running(), 1000u);
    co_await group.Stop();
  }());
  EXPECT_EQ(log.size(), 1000u);
}

}  // namespace
}  // namespace calico::aio
