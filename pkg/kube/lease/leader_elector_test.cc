// RunAsLeader against a server: one leads, and another one follows when it ends, dies or is cut
// off.
#include "pkg/kube/lease/leader_elector.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/aio/timer.h"
#include "pkg/api/coordination/lease.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const api::ObjectKey kKey{"ns", "operator"};

LeaderElectionOptions Options(std::string identity) {
  return {.lease = kKey,
          .identity = std::move(identity),
          .lease_duration = absl::Seconds(2),
          .renew_deadline = absl::Milliseconds(1500),
          .retry_period = absl::Milliseconds(100),
          // A busy machine may stand still for longer than this lease lasts.
          .stop_timed_out = [] {}};
}

json::object ConfigMap(int number) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", std::to_string(number)}, {"namespace", "ns"}}}};
}

// One process that wants to lead.
struct Candidate {
  Candidate(FakeApiServerTest& t, LeaderElectionOptions o)
      : test(t), options(std::move(o)), group(t.executor()), let_go(t.executor()) {}

  aio::Task<void> Run() {
    outcome = co_await RunAsLeader(
        test.client(), options, [this] { return Lead(); },
        [this](const std::string& identity) { observed.push_back(identity); }, base::SystemClock(),
        test.logger());
    ended_at = absl::Now();
  }
  aio::Task<absl::Status> Lead() {
    leading = true;
    led_at = absl::Now();
    const absl::Status status = co_await let_go.Wait();
    leading = false;
    stopped_leading_at = absl::Now();
    co_return status.ok() ? absl::NotFoundError("lead has ended") : status;
  }
  void Start() { group.Spawn(Run()); }

  FakeApiServerTest& test;
  const LeaderElectionOptions options;
  aio::TaskGroup group;
  aio::Notifier let_go;  // ends Lead
  bool leading = false;
  absl::Time led_at = absl::InfiniteFuture();
  absl::Time stopped_leading_at = absl::InfiniteFuture();
  absl::Time ended_at = absl::InfiniteFuture();
  std::optional<absl::Status> outcome;
  std::vector<std::string> observed;
};

class LeaderElectorTest : public FakeApiServerTest {
 public:
  std::unique_ptr<Candidate> Start(const std::string& identity) {
    auto candidate = std::make_unique<Candidate>(*this, Options(identity));
    candidate->Start();
    return candidate;
  }
  api::Lease Lease() {
    const std::optional<json::object> object = server().Find(api::kLeases, kKey);
    if (!object.has_value()) return {};
    return api::Lease::Decode(*object).value();
  }
  void PutLease(const std::string& holder) {
    api::Lease lease = Lease();
    lease.meta.ns = kKey.ns;
    lease.meta.name = kKey.name;
    lease.holder_identity = holder;
    lease.lease_duration_seconds = 2;
    lease.renew_time = absl::Now();
    server().Put(lease.Encode());
  }
  int Watches() {
    int count = 0;
    for (const RecordedRequest& request : server().requests()) {
      count += !request.Query("watch").empty();
    }
    return count;
  }
};

ASYNC_TEST_F(LeaderElectorTest, CreatesLeadsRenewsAndGivesUp) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  const api::Lease first = Lease();
  EXPECT_EQ(first.holder_identity, "a");
  EXPECT_EQ(first.lease_duration_seconds, 2);
  EXPECT_EQ(first.lease_transitions, 0);
  EXPECT_THAT(a->observed, ElementsAre("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Lease().renew_time > first.renew_time; }));
  EXPECT_EQ(Lease().acquire_time, first.acquire_time);
  co_await a->group.Stop();
  EXPECT_THAT(*a->outcome, base::StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LE(a->stopped_leading_at, a->ended_at);
  EXPECT_EQ(Lease().holder_identity, "");
  EXPECT_EQ(Lease().lease_duration_seconds, 1);
}

ASYNC_TEST_F(LeaderElectorTest, OneOfTwoLeadsAndTheOtherFollowsAtOnceAfterARelease) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  const auto b = Start("b");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Watches() == 1; }));
  EXPECT_THAT(b->observed, ElementsAre("a"));
  // Longer than the lease lasts: renewals reach the follower.
  (co_await aio::Sleep(absl::Milliseconds(2500))).IgnoreError();
  EXPECT_FALSE(b->leading);
  EXPECT_TRUE(a->leading);
  const absl::Time stop = absl::Now();
  co_await a->group.Stop();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return b->leading; }));
  EXPECT_LT(absl::Now() - stop, absl::Seconds(1));
  EXPECT_GE(b->led_at, a->stopped_leading_at);
  EXPECT_EQ(Lease().holder_identity, "b");
  EXPECT_EQ(Lease().lease_transitions, 1);
  EXPECT_THAT(b->observed, ElementsAre("a", "b"));
  co_await b->group.Stop();
}

ASYNC_TEST_F(LeaderElectorTest, ANextProcessLeadsAtOnce) {
  for (const char* identity : {"a", "b", "c"}) {
    const absl::Time start = absl::Now();
    const auto candidate = Start(identity);
    CO_ASSERT_TRUE(co_await aio::Eventually([&] { return candidate->leading; }));
    EXPECT_LT(absl::Now() - start, absl::Seconds(1));
    co_await candidate->group.Stop();
  }
}

ASYNC_TEST_F(LeaderElectorTest, ALeaderThatIsSilentIsReplacedAfterItsLease) {
  PutLease("dead");
  const auto a = Start("a");
  const absl::Time start = absl::Now();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(1950));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(Lease().lease_transitions, 1);
  co_await a->group.Stop();
}

ASYNC_TEST_F(LeaderElectorTest, WithoutTheRightToWatchItPolls) {
  PutLease("other");
  server().Inject({.method = "GET", .path_contains = "watch=true", .times = 1000, .status = 403});
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return server().Count("GET") >= 4; }));
  EXPECT_EQ(Watches(), 1);
  EXPECT_THAT(log(), Contains(HasSubstr("lease cannot be watched")));
  PutLease("");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  co_await a->group.Stop();
}

ASYNC_TEST_F(LeaderElectorTest, ADeletedLeaseIsTaken) {
  PutLease("other");
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Watches() == 1; }));
  server().state().Remove(api::kLeases, kKey);
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  EXPECT_EQ(Lease().lease_transitions, 0);
  co_await a->group.Stop();
}

ASYNC_TEST_F(LeaderElectorTest, AFollowerThatStopsWritesNothing) {
  PutLease("other");
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Watches() == 1; }));
  co_await a->group.Stop();
  EXPECT_THAT(*a->outcome, base::StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(server().Count("PUT") + server().Count("POST"), 0);
  EXPECT_EQ(Lease().holder_identity, "other");
}

ASYNC_TEST_F(LeaderElectorTest, TheEndOfLeadGivesUpTheLeaseAndReturnsItsStatus) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  a->let_go.Notify();
  co_await a->group.Join();
  EXPECT_THAT(*a->outcome, base::StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Lease().holder_identity, "");
}

ASYNC_TEST_F(LeaderElectorTest, LosesWhenTheServerCannotBeReachedInTime) {
  LeaderElectionOptions options = Options("a");
  options.lease_duration = absl::Seconds(4);
  const auto a = std::make_unique<Candidate>(*this, options);
  a->Start();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  const absl::Time renewed = *Lease().renew_time;
  co_await server().Stop();
  co_await a->group.Join();
  EXPECT_THAT(*a->outcome, base::StatusIs(absl::StatusCode::kAborted));
  // Before another one may lead, which is when the lease ends.
  EXPECT_LT(a->stopped_leading_at - renewed, absl::Seconds(4));
  EXPECT_GE(a->stopped_leading_at - renewed, absl::Milliseconds(1400));
  CO_ASSERT_OK(server().Start());
}

ASYNC_TEST_F(LeaderElectorTest, AShortOutageIsSurvived) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  co_await server().Stop();
  (co_await aio::Sleep(absl::Milliseconds(300))).IgnoreError();
  CO_ASSERT_OK(server().Start());
  const absl::Time back = absl::Now();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return *Lease().renew_time > back; }));
  EXPECT_TRUE(a->leading);
  co_await a->group.Stop();
  EXPECT_EQ(Lease().holder_identity, "");
}

ASYNC_TEST_F(LeaderElectorTest, ASlowServerIsNoLoss) {
  server().Inject({.method = "PUT", .times = 5, .delay = absl::Milliseconds(300)});
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return server().pending_faults() == 0; }));
  EXPECT_TRUE(a->leading);
  co_await a->group.Stop();
}

// More calls than the client has connections, none of which gets an answer.
ASYNC_TEST_F(LeaderElectorTest, SlowCallsDoNotDelayARenewal) {
  server().Inject({.path_contains = "/configmaps", .times = 1000, .delay = absl::Seconds(60)});
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  aio::TaskGroup calls(executor());
  const auto write = [this](int number) -> aio::Task<void> {
    (co_await client().Create(api::kConfigMaps, ConfigMap(number), absl::Seconds(60)))
        .status()
        .IgnoreError();
  };
  for (int i = 0; i < 48; ++i) calls.Spawn(write(i));
  CO_ASSERT_TRUE(
      co_await aio::Eventually([&] { return server().Count("POST", "/configmaps") > 0; }));
  // Longer than a lease that is not renewed lasts.
  (co_await aio::Sleep(absl::Seconds(3))).IgnoreError();
  EXPECT_TRUE(a->leading);
  co_await calls.Stop();
  co_await a->group.Stop();
  EXPECT_EQ(Lease().holder_identity, "");
}

// A task that does not listen must not act beside the next leader.
ASYNC_TEST_F(LeaderElectorTest, WhatDoesNotEndAfterTheLossIsEndedInTime) {
  LeaderElectionOptions options = Options("a");
  options.lease_duration = absl::Seconds(4);
  std::atomic<bool> timed_out = false;
  options.stop_timed_out = [&timed_out] { timed_out = true; };
  EXPECT_LT(options.StopLimit(), options.lease_duration - options.renew_deadline);
  std::optional<absl::Status> outcome;
  bool leading = false;
  bool hangs = true;
  const auto lead = [&]() -> aio::Task<absl::Status> {
    leading = true;
    while (hangs) co_await aio::Yield();
    co_return absl::OkStatus();
  };
  const auto run = [&]() -> aio::Task<void> {
    outcome = co_await RunAsLeader(client(), options, lead, nullptr, base::SystemClock(), logger());
  };
  aio::TaskGroup group(executor());
  group.Spawn(run());
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return leading; }));
  PutLease("usurper");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return timed_out.load(); }));
  EXPECT_FALSE(outcome.has_value());
  EXPECT_THAT(log(), Contains(HasSubstr("lost the lease")));
  hangs = false;
  co_await group.Join();
  EXPECT_THAT(*outcome, base::StatusIs(absl::StatusCode::kAborted));
}

ASYNC_TEST_F(LeaderElectorTest, WhatEndsAfterTheLossIsLeftInPeace) {
  LeaderElectionOptions options = Options("a");
  options.lease_duration = absl::Seconds(4);
  std::atomic<bool> timed_out = false;
  options.stop_timed_out = [&timed_out] { timed_out = true; };
  const auto a = std::make_unique<Candidate>(*this, options);
  a->Start();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  PutLease("usurper");
  co_await a->group.Join();
  (co_await aio::Sleep(options.lease_duration)).IgnoreError();
  EXPECT_FALSE(timed_out);
}

ASYNC_TEST_F(LeaderElectorTest, AnAnswerThatIsLostIsFoundAgain) {
  server().Inject({.method = "POST", .act_then_close = true});
  server().Inject({.method = "PUT", .act_then_close = true});
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return server().Count("PUT") >= 4; }));
  EXPECT_TRUE(a->leading);
  EXPECT_EQ(Lease().lease_transitions, 0);
  co_await a->group.Stop();
  EXPECT_EQ(Lease().holder_identity, "");
}

ASYNC_TEST_F(LeaderElectorTest, StoppedDuringItsFirstWriteItGivesUpWhatItMayHave) {
  server().Inject({.method = "POST", .delay = absl::Milliseconds(50), .act_then_close = true});
  const auto a = Start("a");
  CO_ASSERT_TRUE(
      co_await aio::Eventually([&] { return server().Find(api::kLeases, kKey).has_value(); }));
  co_await a->group.Stop();
  EXPECT_FALSE(a->leading);
  EXPECT_EQ(Lease().holder_identity, "");
}

ASYNC_TEST_F(LeaderElectorTest, TakenOverItStopsAndLeavesTheLeaseAlone) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  PutLease("usurper");
  co_await a->group.Join();
  EXPECT_THAT(*a->outcome, base::StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Lease().holder_identity, "usurper");
}

ASYNC_TEST_F(LeaderElectorTest, EndsInTimeWhenTheServerIsGone) {
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  server().Inject({.times = 1000, .delay = absl::Seconds(60)});
  const absl::Time stop = absl::Now();
  co_await a->group.Stop();
  EXPECT_LT(absl::Now() - stop, absl::Seconds(4));
  server().ClearFaults();
}

// A whole process that leads, and does nothing but `lead`.
[[noreturn]] void LeadInProcess(const RestConfig& config,
                                std::function<aio::Task<absl::Status>()> lead,
                                absl::Duration lease_duration = absl::Seconds(2)) {
  aio::EventLoop loop;
  base::Logger logger(base::LogLevel::kError);
  Client client(loop.executor(), config, logger);
  LeaderElectionOptions options = Options("child");
  options.lease_duration = lease_duration;
  options.stop_timed_out = nullptr;
  loop.Run([](Client& c, LeaderElectionOptions o, std::function<aio::Task<absl::Status>()> run,
              const base::Logger& l) -> aio::Task<void> {
    (co_await RunAsLeader(c, std::move(o), std::move(run), nullptr, base::SystemClock(), l))
        .IgnoreError();
  }(client, std::move(options), std::move(lead), logger));
  _exit(2);
}
[[noreturn]] void LeadUntilKilled(const RestConfig& config) {
  LeadInProcess(config, [] { return aio::Sleep(absl::InfiniteDuration()); });
}

// Whatever blocks it: no event loop, no renewal, and so no process when another one may lead.
ASYNC_TEST_F(LeaderElectorTest, AProcessThatHangsEndsBeforeItsLease) {
  const pid_t child = fork();
  if (child == 0) {
    const auto hang = []() -> aio::Task<absl::Status> {
      sleep(60);
      co_return absl::OkStatus();
    };
    // Much longer than a busy machine needs to end a process.
    LeadInProcess(server().Config(), hang, absl::Seconds(10));
  }
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Lease().holder_identity == "child"; }));
  int status = 0;
  const bool ended = co_await aio::Eventually(
      [&] { return waitpid(child, &status, WNOHANG) == child; }, absl::Seconds(20));
  EXPECT_LT(absl::Now() - *Lease().renew_time, absl::Seconds(10)) << "the lease";
  EXPECT_TRUE(ended);
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

// It learns only then that its lease is over, and must not go on as if nothing had happened.
ASYNC_TEST_F(LeaderElectorTest, AProcessThatWasStoppedForLongEndsAsSoonAsItRunsAgain) {
  const pid_t child = fork();
  if (child == 0) LeadUntilKilled(server().Config());
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Lease().holder_identity == "child"; }));
  EXPECT_EQ(kill(child, SIGSTOP), 0);
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, WNOHANG), 0);
  EXPECT_EQ(kill(child, SIGCONT), 0);
  const bool ended = co_await aio::Eventually(
      [&] { return waitpid(child, &status, WNOHANG) == child; }, absl::Seconds(10));
  EXPECT_TRUE(ended);
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(a->leading);
  EXPECT_EQ(Lease().holder_identity, "a");
  co_await a->group.Stop();
}

ASYNC_TEST_F(LeaderElectorTest, AKilledLeaderIsReplacedAfterItsLease) {
  const pid_t child = fork();
  if (child == 0) LeadUntilKilled(server().Config());
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Lease().holder_identity == "child"; }));
  const auto a = Start("a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Watches() == 1; }));
  (co_await aio::Sleep(absl::Milliseconds(500))).IgnoreError();
  EXPECT_EQ(kill(child, SIGKILL), 0);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  const absl::Time renewed = *Lease().renew_time;
  EXPECT_FALSE(a->leading);
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->leading; }));
  EXPECT_GE(a->led_at - renewed, absl::Milliseconds(1950));
  EXPECT_LT(a->led_at - renewed, absl::Seconds(10));
  co_await a->group.Stop();
}

}  // namespace
}  // namespace calico::kube
