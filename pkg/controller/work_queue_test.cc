#include "pkg/controller/work_queue.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/fake_clock.h"

namespace calico::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

api::ObjectKey Key(std::string name) { return {"ns", std::move(name)}; }

// Takes keys until the queue ends.
aio::Task<void> Take(WorkQueue& queue, std::vector<std::string>& taken) {
  while (const auto key = co_await queue.Get()) {
    taken.push_back(key->name);
    queue.Done(*key);
  }
  taken.push_back("end");
}

class WorkQueueTest : public testing::Test {
 public:
  aio::EventLoop loop_;
  base::FakeClock clock_;
  WorkQueue queue_{loop_.executor(), clock_};
  std::vector<std::string> taken_;
};

TEST_F(WorkQueueTest, WakesWaitingWorkersForEachKey) {
  std::vector<std::string> other;
  loop_.Run([](WorkQueueTest& test, std::vector<std::string>& second) -> aio::Task<void> {
    aio::TaskGroup group(test.loop_.executor());
    group.Spawn(Take(test.queue_, test.taken_));
    group.Spawn(Take(test.queue_, second));
    co_await aio::Yield();
    co_await aio::Yield();
    test.queue_.Add(Key("a"));
    test.queue_.Add(Key("b"));
    while (test.taken_.size() + second.size() < 2) co_await aio::Yield();
    test.queue_.ShutDown();
    co_await group.Join();
  }(*this, other));
  taken_.insert(taken_.end(), other.begin(), other.end());
  EXPECT_THAT(taken_, testing::UnorderedElementsAre("a", "b", "end", "end"));
}

TEST_F(WorkQueueTest, CancellationEndsGet) {
  loop_.Run([](WorkQueueTest& test) -> aio::Task<void> {
    aio::TaskGroup group(test.loop_.executor());
    group.Spawn(Take(test.queue_, test.taken_));
    co_await aio::Yield();
    co_await aio::Yield();
    co_await group.Stop();
  }(*this));
  EXPECT_THAT(taken_, ElementsAre("end"));
}

TEST_F(WorkQueueTest, ShutDownDropsWhatWaitsAndTakesNothingMore) {
  queue_.Add(Key("a"));
  queue_.AddAfter(Key("b"), absl::Seconds(1));
  queue_.ShutDown();
  queue_.Add(Key("c"));
  queue_.AddRateLimited(Key("d"));
  EXPECT_EQ(queue_.size(), 0u);
  loop_.Run(Take(queue_, taken_));
  EXPECT_THAT(taken_, ElementsAre("end"));
}

TEST_F(WorkQueueTest, DelayedKeysComeWhenTheClockSaysSo) {
  queue_.AddAfter(Key("late"), absl::Hours(1));
  queue_.AddAfter(Key("never"), absl::InfiniteDuration());
  queue_.AddAfter(Key("now"), absl::ZeroDuration());
  clock_.Advance(absl::Minutes(59));
  queue_.Add(Key("new"));
  loop_.Run([](WorkQueueTest& test) -> aio::Task<void> {
    aio::TaskGroup group(test.loop_.executor());
    group.Spawn(Take(test.queue_, test.taken_));
    while (test.taken_.size() < 2) co_await aio::Yield();
    test.clock_.Advance(absl::Minutes(1));
    test.queue_.Add(Key("wake"));
    while (test.taken_.size() < 4) co_await aio::Yield();
    test.queue_.ShutDown();
    co_await group.Join();
  }(*this));
  EXPECT_THAT(taken_, ElementsAre("now", "new", "wake", "late", "end"));
}

// The real clock: a worker waits for the earliest time, also when another worker knew it first.
TEST(WorkQueueClockTest, SleepsUntilTheEarliestKeyIsDue) {
  aio::EventLoop loop;
  WorkQueue queue(loop.executor(), base::SystemClock());
  std::vector<std::string> taken;
  loop.Run([](aio::EventLoop& l, WorkQueue& q, std::vector<std::string>& out) -> aio::Task<void> {
    aio::TaskGroup group(l.executor());
    q.AddAfter(Key("hour"), absl::Hours(1));
    group.Spawn(Take(q, out));
    group.Spawn(Take(q, out));
    co_await aio::Yield();
    co_await aio::Yield();
    q.AddAfter(Key("second"), absl::Milliseconds(20));
    q.AddAfter(Key("first"), absl::Milliseconds(10));
    while (out.size() < 2) (co_await aio::Sleep(absl::Milliseconds(1))).IgnoreError();
    co_await group.Stop();
  }(loop, queue, taken));
  EXPECT_THAT(taken, ElementsAre("first", "second", "end", "end"));
}

TEST_F(WorkQueueTest, RateLimitedKeysWaitLongerEachTime) {
  EXPECT_EQ(queue_.AddRateLimited(Key("a")), absl::Milliseconds(5));
  EXPECT_EQ(queue_.AddRateLimited(Key("a")), absl::Milliseconds(10));
  EXPECT_EQ(queue_.Failures(Key("a")), 2);
  EXPECT_EQ(queue_.size(), 0u);
  queue_.Forget(Key("a"));
  EXPECT_EQ(queue_.Failures(Key("a")), 0);
}

TEST(WorkQueueMetricsTest, CountsWhatHappens) {
  aio::EventLoop loop;
  base::FakeClock clock;
  metrics::Registry registry;
  ControllerMetrics metrics(registry, "test");
  WorkQueue queue(loop.executor(), clock, {}, &metrics);
  queue.Add(Key("a"));
  queue.Add(Key("b"));
  EXPECT_EQ(metrics.depth.value(), 2);
  clock.Advance(absl::Seconds(3));
  loop.Run([](WorkQueue& q, base::FakeClock& c, ControllerMetrics& m) -> aio::Task<void> {
    const auto key = co_await q.Get();
    EXPECT_EQ(m.depth.value(), 1);
    EXPECT_EQ(m.active_workers.value(), 1);
    c.Advance(absl::Seconds(2));
    q.AddRateLimited(*key);
    q.Done(*key);
  }(queue, clock, metrics));
  EXPECT_EQ(metrics.active_workers.value(), 0);
  EXPECT_EQ(metrics.adds.value(), 3);
  EXPECT_EQ(metrics.retries.value(), 1);
  EXPECT_EQ(metrics.queue_seconds.sum(), 3);
  EXPECT_EQ(metrics.reconcile_seconds.sum(), 2);
}

}  // namespace
}  // namespace calico::controller
