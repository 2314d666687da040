#include "pkg/controller/controller.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"

namespace calico::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(DispositionTest, WhatBecomesOfAKey) {
  using Next = Disposition::Next;
  using base::LogLevel;
  struct Case {
    absl::StatusOr<Result> result;
    Next next;
    LogLevel level;
  };
  const Case kCases[] = {
      {Result{}, Next::kForget, LogLevel::kDebug},
      {Result{absl::Minutes(5)}, Next::kAfter, LogLevel::kDebug},
      {Result{absl::ZeroDuration()}, Next::kAfter, LogLevel::kDebug},
      {absl::InvalidArgumentError("422 of a webhook"), Next::kRateLimited, LogLevel::kError},
      {absl::DataLossError("not JSON"), Next::kRateLimited, LogLevel::kError},
      {absl::AbortedError("conflict"), Next::kRateLimited, LogLevel::kDebug},
      {absl::AlreadyExistsError("cache is late"), Next::kRateLimited, LogLevel::kDebug},
      {absl::UnavailableError("down"), Next::kRateLimited, LogLevel::kError},
      {absl::PermissionDeniedError("RBAC"), Next::kRateLimited, LogLevel::kError},
      {absl::NotFoundError("gone"), Next::kRateLimited, LogLevel::kError},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.result.status().ToString());
    const Disposition disposition = DispositionOf(c.result);
    EXPECT_EQ(static_cast<int>(disposition.next), static_cast<int>(c.next));
    EXPECT_EQ(static_cast<int>(disposition.level), static_cast<int>(c.level));
    if (c.next == Next::kAfter) EXPECT_EQ(disposition.wait, c.result->requeue_after);
  }
}

class ControllerTest : public testing::Test {
 protected:
  // Runs the controller until `calls` reconciles have begun, then stops it.
  void RunUntil(size_t calls, Reconcile reconcile, int workers = 1) {
    loop_.Run(RunUntilTask(calls, std::move(reconcile), workers));
  }
  aio::Task<void> RunUntilTask(size_t calls, Reconcile reconcile, int workers) {
    aio::TaskGroup group(loop_.executor());
    group.Spawn(RunController({.name = "test", .workers = workers, .metrics = &metrics_}, queue_,
                              std::move(reconcile), logger_));
    while (calls_.size() < calls) (co_await aio::Sleep(absl::Milliseconds(1))).IgnoreError();
    for (int i = 0; i < 5; ++i) co_await aio::Yield();
    co_await group.Stop();
  }
  // Answers each call for a key with the next of its results, the last one for ever.
  aio::Task<absl::StatusOr<Result>> Answer(api::ObjectKey key) {
    calls_.push_back(key.name);
    std::vector<absl::StatusOr<Result>>& answers = answers_[key.name];
    if (answers.empty()) co_return Result{};
    absl::StatusOr<Result> answer = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    co_return answer;
  }
  aio::Task<absl::StatusOr<Result>> Block(api::ObjectKey key) {
    calls_.push_back(key.name);
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
    ended_.push_back(key.name);
    co_return absl::CancelledError("stopped");
  }

  aio::EventLoop loop_;
  metrics::Registry registry_;
  ControllerMetrics metrics_{registry_, "test"};
  WorkQueue queue_{loop_.executor(), base::SystemClock(), {}, &metrics_};
  std::vector<std::string> log_;
  base::Logger logger_{base::LogLevel::kInfo,
                       [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }};
  std::vector<std::string> calls_;
  std::vector<std::string> ended_;
  std::map<std::string, std::vector<absl::StatusOr<Result>>> answers_;
};

TEST_F(ControllerTest, ReconcilesEachKeyOnceWhenAllIsWell) {
  queue_.Add({"", "a"});
  queue_.Add({"", "b"});
  RunUntil(2, [this](api::ObjectKey key) { return Answer(std::move(key)); });
  EXPECT_THAT(calls_, ElementsAre("a", "b"));
  EXPECT_EQ(metrics_.succeeded.value(), 2);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ControllerTest, RetriesAFailureUntilItSucceeds) {
  answers_["a"] = {absl::UnavailableError("apply DaemonSet: connection refused"),
                   absl::AbortedError("conflict"), Result{}};
  queue_.Add({"ns", "a"});
  RunUntil(3, [this](api::ObjectKey key) { return Answer(std::move(key)); });
  EXPECT_EQ(metrics_.failed.value(), 2);
  EXPECT_EQ(metrics_.succeeded.value(), 1);
  EXPECT_EQ(queue_.Failures({"ns", "a"}), 0);
  ASSERT_EQ(log_.size(), 1u) << "a conflict is no error";
  EXPECT_THAT(log_[0], HasSubstr("connection refused"));
  EXPECT_THAT(log_[0], HasSubstr(R"("controller":"test","namespace":"ns","name":"a")"));
}

TEST_F(ControllerTest, RunsAgainAfterTheTimeAskedFor) {
  answers_["a"] = {Result{absl::Milliseconds(3)}, Result{}};
  queue_.Add({"", "a"});
  RunUntil(2, [this](api::ObjectKey key) { return Answer(std::move(key)); });
  EXPECT_THAT(calls_, ElementsAre("a", "a"));
  EXPECT_EQ(metrics_.requeued.value(), 1);
}

// A webhook that refuses today takes the same object tomorrow.
TEST_F(ControllerTest, WhatTheServerCallsInvalidIsTriedAgain) {
  answers_["a"] = {absl::InvalidArgumentError("apply ConfigMap ns/a: denied by webhook"), Result{}};
  queue_.Add({"", "a"});
  RunUntil(2, [this](api::ObjectKey key) { return Answer(std::move(key)); });
  EXPECT_THAT(calls_, ElementsAre("a", "a"));
  EXPECT_EQ(metrics_.failed.value(), 1);
  EXPECT_EQ(metrics_.succeeded.value(), 1);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("denied by webhook")));
}

TEST_F(ControllerTest, StopCancelsWorkAndWaitsForIt) {
  queue_.Add({"", "a"});
  queue_.Add({"", "b"});
  queue_.Add({"", "c"});
  RunUntil(2, [this](api::ObjectKey key) { return Block(std::move(key)); }, 2);
  EXPECT_THAT(calls_, ElementsAre("a", "b"));
  EXPECT_THAT(ended_, ElementsAre("a", "b"));
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(metrics_.active_workers.value(), 0);
}

TEST_F(ControllerTest, ShutDownOfTheQueueEndsTheController) {
  queue_.ShutDown();
  loop_.Run(RunController(
      {.name = "test", .workers = 3}, queue_,
      [this](api::ObjectKey key) { return Answer(std::move(key)); }, logger_));
  EXPECT_THAT(calls_, IsEmpty());
}

// kCancelled that does not come from the end of the controller must not end a worker.
TEST_F(ControllerTest, ACancelledCallInsideOfReconcileIsRetried) {
  answers_["a"] = {absl::CancelledError("inner"), Result{}};
  queue_.Add({"", "a"});
  RunUntil(2, [this](api::ObjectKey key) { return Answer(std::move(key)); });
  EXPECT_THAT(calls_, ElementsAre("a", "a"));
}

}  // namespace
}  // namespace calico::controller
