#include "pkg/controller/manager.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/aio/timer.h"
#include "pkg/api/coordination/lease.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const api::ObjectKey kKey{"ns", "operator"};

class ManagerTest : public kube::FakeApiServerTest {
 public:
  // A program with one part of each kind, whose beginnings and ends are recorded.
  struct Program {
    Program(ManagerTest& t, ManagerOptions options)
        : test(t),
          stop(t.executor()),
          sync(t.executor()),
          end_controller(t.executor()),
          group(t.executor()),
          manager(t.executor(), t.client(), std::move(options), base::SystemClock(), t.logger()) {
      manager.AddServer("health", [this] { return test.Part("server"); });
      manager.AddCache(
          "pods", [this] { return test.Part("cache"); },
          [this](absl::Duration timeout) { return sync.Wait(timeout); });
      manager.AddController("installation", [this] { return Controller(); });
    }
    aio::Task<void> Controller() {
      test.events.push_back("controller +");
      (co_await end_controller.Wait()).IgnoreError();
      test.events.push_back("controller -");
    }
    aio::Task<void> WaitForStop() { (co_await stop.Wait()).IgnoreError(); }
    aio::Task<void> Run() { outcome = co_await manager.Run(WaitForStop()); }
    void Start() { group.Spawn(Run()); }

    ManagerTest& test;
    aio::Notifier stop;
    aio::Notifier sync;
    aio::Notifier end_controller;
    aio::TaskGroup group;
    Manager manager;
    std::optional<absl::Status> outcome;
  };

  std::unique_ptr<Program> Start(ManagerOptions options) {
    auto program = std::make_unique<Program>(*this, std::move(options));
    program->Start();
    return program;
  }
  static ManagerOptions WithLease(std::string identity) {
    ManagerOptions options;
    options.leader_election = {.lease = kKey, .identity = std::move(identity)};
    return options;
  }
  aio::Task<void> Part(std::string name) {
    events.push_back(name + " +");
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
    events.push_back(name + " - " + Holder());
  }
  std::string Holder() {
    const std::optional<json::object> object = server().Find(api::kLeases, kKey);
    return object.has_value() ? api::Lease::Decode(*object)->holder_identity : "";
  }
  bool Happened(const std::string& event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
  }

  std::vector<std::string> events;
};

ASYNC_TEST_F(ManagerTest, StartsInOrderAndStopsInReverse) {
  const auto program = Start(WithLease("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return program->manager.Leading(); }));
  EXPECT_EQ(Holder(), "a");
  EXPECT_FALSE(program->manager.Ready());
  EXPECT_THAT(events, ElementsAre("server +", "cache +"));
  program->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  EXPECT_TRUE(program->manager.Ready());
  program->stop.Notify();
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome, base::IsOk());
  EXPECT_FALSE(program->manager.Leading());
  // The lease is given up after the controllers have ended and before the caches and servers do.
  EXPECT_THAT(events, ElementsAre("server +", "cache +", "controller +", "controller -", "cache - ",
                                  "server - "));
  EXPECT_EQ(Holder(), "");
}

ASYNC_TEST_F(ManagerTest, WithoutALeaseItLeadsAtOnce) {
  const auto program = Start({});
  program->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  EXPECT_THAT(server().requests(), IsEmpty());
  program->stop.Notify();
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome, base::IsOk());
}

ASYNC_TEST_F(ManagerTest, AFollowerServesAndFillsItsCachesButControlsNothing) {
  const auto a = Start(WithLease("a"));
  a->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  events.clear();
  const auto b = Start(WithLease("b"));
  b->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return b->manager.Ready(); }));
  EXPECT_FALSE(b->manager.Leading());
  EXPECT_THAT(events, ElementsAre("server +", "cache +"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return server().watches() == 1; }));

  const absl::Time stop = absl::Now();
  a->stop.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  EXPECT_LT(absl::Now() - stop, absl::Seconds(1));
  EXPECT_EQ(Holder(), "b");
  co_await a->group.Join();
  b->stop.Notify();
  co_await b->group.Join();
}

ASYNC_TEST_F(ManagerTest, ARestartLeadsAgainAtOnce) {
  const auto a = Start(WithLease("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->manager.Leading(); }));
  const absl::Time stop = absl::Now();
  a->stop.Notify();
  co_await a->group.Join();
  const auto b = Start(WithLease("b"));
  b->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  EXPECT_LT(absl::Now() - stop, absl::Seconds(1));
  b->stop.Notify();
  co_await b->group.Join();
}

ASYNC_TEST_F(ManagerTest, TheLeaseAndTheCachesAreWaitedForAtTheSameTime) {
  server().Inject({.times = 2, .delay = absl::Milliseconds(300)});  // read and create the lease
  const auto program = Start(WithLease("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("cache +"); }));
  EXPECT_FALSE(program->manager.Leading());
  program->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return program->manager.Ready(); }));
  EXPECT_FALSE(program->manager.Leading());
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  program->stop.Notify();
  co_await program->group.Join();
}

ASYNC_TEST_F(ManagerTest, APartThatEndsByItselfEndsEverything) {
  const auto program = Start(WithLease("a"));
  program->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  program->end_controller.Notify();
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome,
              base::StatusIs(absl::StatusCode::kInternal, HasSubstr("controller installation")));
  EXPECT_EQ(Holder(), "");
  EXPECT_THAT(events, Contains("server - "));
}

ASYNC_TEST_F(ManagerTest, ALostLeaseEndsEverything) {
  const auto program = Start(WithLease("a"));
  program->sync.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("controller +"); }));
  api::Lease lease = *api::Lease::Decode(*server().Find(api::kLeases, kKey));
  lease.holder_identity = "other";
  server().Put(lease.Encode());
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome, base::StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(events, ElementsAre("server +", "cache +", "controller +", "controller -",
                                  "cache - other", "server - other"));
}

// It could write beside the next leader.
ASYNC_TEST_F(ManagerTest, AControllerThatOutlivesItsLeaseIsEnded) {
  std::atomic<bool> timed_out = false;
  ManagerOptions options = WithLease("a");
  options.leader_election->lease_duration = absl::Seconds(4);
  options.leader_election->renew_deadline = absl::Seconds(3);
  options.leader_election->retry_period = absl::Milliseconds(100);
  options.leader_election->stop_timed_out = [&timed_out] { timed_out = true; };
  auto program = std::make_unique<Program>(*this, std::move(options));
  bool hang = true;
  const auto run = [](ManagerTest& test, const bool& hanging) -> aio::Task<void> {
    test.events.push_back("hang +");
    while (hanging) co_await aio::Yield();
  };
  program->manager.AddController("stubborn", [&] { return run(*this, hang); });
  program->sync.Notify();
  program->Start();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("hang +"); }));
  api::Lease lease = *api::Lease::Decode(*server().Find(api::kLeases, kKey));
  lease.holder_identity = "other";
  server().Put(lease.Encode());
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return timed_out.load(); }));
  hang = false;
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome, base::StatusIs(absl::StatusCode::kAborted));
}

ASYNC_TEST_F(ManagerTest, StoppedWhileItWaitsForEverything) {
  server().Inject({.times = 100, .delay = absl::Seconds(60)});
  const auto program = Start(WithLease("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("cache +"); }));
  program->stop.Notify();
  co_await program->group.Join();
  EXPECT_THAT(*program->outcome, base::IsOk());
  EXPECT_THAT(events, Not(Contains("controller +")));
  server().ClearFaults();
}

ASYNC_TEST_F(ManagerTest, CancellationStopsItToo) {
  const auto program = Start(WithLease("a"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return program->manager.Leading(); }));
  co_await program->group.Stop();
  EXPECT_THAT(*program->outcome, base::StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Holder(), "");
}

ASYNC_TEST_F(ManagerTest, SaysWhichPartDoesNotStop) {
  int timeouts = 0;
  ManagerOptions options = WithLease("a");
  options.stop_timeout = absl::Milliseconds(50);
  options.stop_timed_out = [&timeouts] { ++timeouts; };
  auto program = std::make_unique<Program>(*this, std::move(options));
  bool hang = true;
  const auto run = [](ManagerTest& test, const bool& hanging) -> aio::Task<void> {
    test.events.push_back("hang +");
    while (hanging) co_await aio::Yield();
  };
  program->manager.AddController("stubborn", [&] { return run(*this, hang); });
  program->sync.Notify();
  program->Start();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Happened("hang +"); }));
  program->stop.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return timeouts == 1; }));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("did not stop in time"),
                                    HasSubstr(R"("controller":"stubborn")"))));
  EXPECT_EQ(Holder(), "a") << "what still runs must not lose its lease";
  hang = false;
  co_await program->group.Join();
  EXPECT_EQ(Holder(), "");
}

ASYNC_TEST_F(ManagerTest, ShowsLeadershipAsAMetric) {
  metrics::Registry registry;
  ManagerOptions options = WithLease("a");
  options.metrics = &registry;
  const auto program = Start(std::move(options));
  const std::string series = "leader_election_master_status{name=\"operator\"} ";
  EXPECT_THAT(registry.Expose(), HasSubstr(series + "0"));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return program->manager.Leading(); }));
  EXPECT_THAT(registry.Expose(), HasSubstr(series + "1"));
  program->stop.Notify();
  co_await program->group.Join();
  EXPECT_THAT(registry.Expose(), HasSubstr(series + "0"));
}

// A real cache: from start to the first write that a controller makes.
ASYNC_TEST_F(ManagerTest, WritesWithinHalfASecondOfItsStart) {
  struct Nothing {};
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "x"}, {"namespace", "ns"}}}});
  kube::Informer<Nothing> maps(
      client(), api::kConfigMaps, {},
      [](const json::object&) { return std::make_optional<Nothing>(); }, base::SystemClock(),
      logger(), executor());
  Manager manager(executor(), client(), WithLease("a"), base::SystemClock(), logger());
  aio::Notifier stop(executor());
  manager.AddCache(
      "maps", [&] { return maps.Run(); },
      [&](absl::Duration timeout) { return maps.WaitForSync(timeout); });
  const auto write = [](ManagerTest& test, aio::Notifier& done) -> aio::Task<void> {
    EXPECT_THAT(co_await test.client().Create(api::kConfigMaps,
                                              {{"apiVersion", "v1"},
                                               {"kind", "ConfigMap"},
                                               {"metadata", {{"name", "y"}, {"namespace", "ns"}}}}),
                base::IsOk());
    done.Notify();
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
  };
  manager.AddController("writer", [&] { return write(*this, stop); });
  const auto wait = [](aio::Notifier& n) -> aio::Task<void> { (co_await n.Wait()).IgnoreError(); };
  const absl::Time start = absl::Now();
  EXPECT_THAT(co_await manager.Run(wait(stop)), base::IsOk());
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(500)) << "the stop included";
  EXPECT_EQ(Holder(), "");
  EXPECT_TRUE(server().Find(api::kConfigMaps, {"ns", "y"}).has_value());
}

}  // namespace
}  // namespace calico::controller
