// Manager, informer, leader election and events against a real kube-apiserver: what the fake cannot
// vouch for.
//
//   tools/cluster up --control-plane-only --name kube
//   bazel build //pkg/controller:real_server_test
//   KUBECONFIG=$(tools/cluster kubeconfig --name kube) bazel-bin/pkg/controller/real_server_test
//
// Without KUBECONFIG every test is skipped. It makes and removes a Lease, a ConfigMap and Events
// in the namespace default.
#include <cstdlib>
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
#include "pkg/codec/json.h"
#include "pkg/controller/manager.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::controller {
namespace {

using ::testing::IsEmpty;

const api::ObjectKey kKey{"default", "manager-test"};

struct Nothing {};

class RealServerTest : public testing::Test {
 public:
  void RunTest(aio::Task<void> body) {
    if (std::getenv("KUBECONFIG") == nullptr) GTEST_SKIP() << "KUBECONFIG is not set";
    auto config =
        kube::LoadRestConfig({}, kube::ProcessEnvironment(), base::SystemClock(), logger_);
    ASSERT_THAT(config, base::IsOk());
    client_ = std::make_unique<kube::Client>(loop_.executor(), *config, logger_);
    loop_.Run(CleanAround(std::move(body)));
  }
  aio::Task<void> CleanAround(aio::Task<void> body) {
    co_await Clean();
    co_await std::move(body);
    co_await Clean();
  }
  aio::Task<void> Clean() {
    (co_await client_->Delete(api::kLeases, kKey)).IgnoreError();
    (co_await client_->Delete(api::kConfigMaps, kKey)).IgnoreError();
    for (const json::object& event : co_await Events()) {
      const std::string name(codec::View(event.at("metadata").at("name").get_string()));
      EXPECT_THAT(co_await client_->Delete(api::kEvents, {"default", name}), base::IsOk());
    }
  }
  // The events of these tests.
  aio::Task<std::vector<json::object>> Events() {
    std::vector<json::object> events;
    const auto keep = [&events](json::object event) {
      const json::value* component = event.if_contains("reportingComponent");
      if (component != nullptr && *component == "manager-test") events.push_back(std::move(event));
      return absl::OkStatus();
    };
    EXPECT_THAT(co_await client_->List(api::kEvents, {.ns = "default"}, keep), base::IsOk());
    co_return events;
  }
  aio::Task<std::string> Holder() {
    const absl::StatusOr<json::object> lease = co_await client_->Get(api::kLeases, kKey);
    co_return lease.ok() ? api::Lease::Decode(*lease)->holder_identity : "";
  }

  aio::EventLoop loop_;
  std::vector<std::string> log_;
  base::Logger logger_{base::LogLevel::kWarning,
                       [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }};
  std::unique_ptr<kube::Client> client_;
};

// A program with a cache of ConfigMaps and a controller that only says that it runs.
struct Program {
  Program(RealServerTest& t, const std::string& identity)
      : executor(t.loop_.executor()),
        maps(
            *t.client_, api::kConfigMaps, {.ns = "default"},
            [](const json::object&) { return std::make_optional<Nothing>(); }, base::SystemClock(),
            t.logger_, executor),
        stop(executor),
        group(executor),
        manager(
            executor, *t.client_,
            {.leader_election = kube::LeaderElectionOptions{.lease = kKey, .identity = identity}},
            base::SystemClock(), t.logger_) {
    manager.AddCache(
        "maps", [this] { return maps.Run(); },
        [this](absl::Duration timeout) { return maps.WaitForSync(timeout); });
    manager.AddController("idle", [this] { return Control(); });
    started = absl::Now();
    group.Spawn(Run());
  }
  aio::Task<void> Control() {
    controls_at = absl::Now();
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
  }
  aio::Task<void> WaitForStop() { (co_await stop.Wait()).IgnoreError(); }
  aio::Task<void> Run() { outcome = co_await manager.Run(WaitForStop()); }

  aio::Executor executor;
  kube::Informer<Nothing> maps;
  aio::Notifier stop;
  aio::TaskGroup group;
  Manager manager;
  absl::Time started;
  std::optional<absl::Time> controls_at;
  std::optional<absl::Status> outcome;
};

ASYNC_TEST_F(RealServerTest, LeadsHandsOverAndSeesChanges) {
  auto a = std::make_unique<Program>(*this, "a");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return a->controls_at.has_value(); }));
  EXPECT_LT(*a->controls_at - a->started, absl::Milliseconds(500));
  EXPECT_EQ(co_await Holder(), "a");

  auto b = std::make_unique<Program>(*this, "b");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return b->manager.Ready(); }));
  (co_await aio::Sleep(absl::Seconds(5))).IgnoreError();  // two renewals by `a`
  EXPECT_FALSE(b->manager.Leading());
  EXPECT_TRUE(a->manager.Leading());

  CO_ASSERT_OK(co_await client_->Create(
      api::kConfigMaps, {{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", {{"name", kKey.name}, {"namespace", kKey.ns}}}}));
  for (Program* program : {a.get(), b.get()}) {
    EXPECT_TRUE(
        co_await aio::Eventually([&] { return program->maps.store().Get(kKey) != nullptr; }));
  }

  const absl::Time stop = absl::Now();
  a->stop.Notify();
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return b->controls_at.has_value(); }));
  EXPECT_LT(absl::Now() - stop, absl::Seconds(1));
  co_await a->group.Join();
  EXPECT_THAT(*a->outcome, base::IsOk());
  EXPECT_EQ(co_await Holder(), "b");
  b->stop.Notify();
  co_await b->group.Join();
  EXPECT_EQ(co_await Holder(), "");
  EXPECT_THAT(log_, IsEmpty());
}

ASYNC_TEST_F(RealServerTest, TheServerTakesEventsAboutEverything) {
  kube::EventRecorder recorder(*client_, "manager-test", base::SystemClock(), logger_,
                               loop_.executor());
  aio::TaskGroup group(loop_.executor());
  group.Spawn(recorder.Run());
  const kube::EventSubject subjects[] = {
      {&api::kInstallations, {"", "default"}, "a-uid", "1"},
      {&api::kCertificateSigningRequests,
       {"", "calico-system:calico-typha-85dd449656-9cr25:0b1c2d"},
       "",
       ""},
      {&api::kClusterRoles, {"", "system:Node.Reader"}, "", ""},
      {&api::kPods, {"default", "a"}, "b-uid", ""},
  };
  const std::string message(2000, 'x');
  for (const kube::EventSubject& subject : subjects) {
    recorder.Record(subject, kube::EventType::kWarning, "Tested", message);
  }
  std::vector<json::object> events;
  for (int i = 0; i < 1000 && events.size() < 4; ++i) {
    (co_await aio::Sleep(absl::Milliseconds(5))).IgnoreError();
    events = co_await Events();
  }
  EXPECT_EQ(events.size(), 4u);
  recorder.Record(subjects[0], kube::EventType::kWarning, "Tested", message);
  bool raised = false;
  for (int i = 0; i < 1000 && !raised; ++i) {
    (co_await aio::Sleep(absl::Milliseconds(5))).IgnoreError();
    for (const json::object& event : co_await Events()) raised |= event.at("count") == 2;
  }
  EXPECT_TRUE(raised);
  EXPECT_THAT(log_, IsEmpty());
  co_await group.Stop();
}

}  // namespace
}  // namespace calico::controller
