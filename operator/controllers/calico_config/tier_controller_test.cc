#include "operator/controllers/calico_config/tier_controller.h"

#include <functional>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {
namespace {

using base::IsOk;
using ::testing::HasSubstr;

const api::ObjectKey kTier = {"", "calico-system"};
const api::ObjectKey kDns = {"kube-system", "calico-system.cluster-dns"};
const api::ObjectKey kDeny = {"calico-system", "calico-system.default-deny"};
const api::ObjectKey kNodeLocalDns = {"", "calico-system.node-local-dns"};

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->as_object() : json::object();
}

class TierControllerTest : public kube::FakeApiServerTest {
 protected:
  void Start() {
    events_ = std::make_unique<kube::EventRecorder>(client(), "test", base::SystemClock(), logger(),
                                                    executor());
    controller_ = std::make_unique<TierController>(
        executor(), client(), *events_, registry_, base::SystemClock(), logger(),
        TierControllerOptions{.interval = absl::Milliseconds(50),
                              .served_interval = absl::Milliseconds(20),
                              .served_timeout = absl::Milliseconds(500)});
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(controller_->Run());
  }
  aio::Task<void> Stop() { co_await group_->Stop(); }
  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition()) << what << ": " << Status();
  }
  static TierInput Input(std::string_view release = "v3.33", std::string_view spec = "{}") {
    return {.facts = {.release = std::string(release), .spec = Yaml(spec)},
            .generation = 1,
            .installation_uid = "uid-1"};
  }
  void SetServed(bool served) {
    for (const api::Resource* const resource :
         {&api::kServedTiers, &api::kServedNetworkPolicies, &api::kServedGlobalNetworkPolicies,
          &api::kServedIpPools}) {
      server().state().SetServed(*resource, served);
    }
  }
  std::string Status() {
    const std::optional<json::object> status = server().Find(api::kTigeraStatuses, {"", "tiers"});
    const json::object* const inner =
        status.has_value() ? codec::FindObject(*status, "status") : nullptr;
    if (inner == nullptr || !inner->contains("conditions")) return "";
    for (const json::value& condition : inner->at("conditions").as_array()) {
      const json::object& object = condition.as_object();
      if (codec::TextAt(object, "status") != "True") continue;
      return fmt::format("{}: {}", codec::TextAt(object, "type"), codec::TextAt(object, "message"));
    }
    return "";
  }
  bool IsAvailable() { return Status() == "Available: All objects available"; }
  std::optional<json::object> Policy(const api::ObjectKey& key) {
    return server().Find(api::kServedNetworkPolicies, key);
  }
  int Writes() { return server().Count("POST") + server().Count("PATCH") + server().Count("PUT"); }

  metrics::Registry registry_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<TierController> controller_;
  std::unique_ptr<aio::TaskGroup> group_;
};

ASYNC_TEST_F(TierControllerTest, WaitsWhileTheApiIsNotServedAndGoesOnWhenItIs) {
  SetServed(false);
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] {
    return Status().starts_with("Progressing: Waiting for Tigera API server to be ready");
  });
  SetServed(true);
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(server().Find(api::kServedTiers, kTier)->at("spec").at("order"), 100);
  EXPECT_TRUE(Policy(kDns).has_value());
  EXPECT_TRUE(Policy(kDeny).has_value());
  EXPECT_FALSE(server().Find(api::kServedGlobalNetworkPolicies, kNodeLocalDns).has_value());
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(100)), IsOk());
  server().ClearRequests();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(300)), IsOk());
  EXPECT_GT(server().Count("GET", "/tiers"), 0);
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, AnApiServerThatDoesNotAnswerIsNoFault) {
  server().Inject({.method = "GET",
                   .path_contains = "/apis/projectcalico.org/v3",
                   .times = 100,
                   .status = 503,
                   .reason = "ServiceUnavailable"});
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] { return Status().starts_with("Progressing: Waiting for"); });
  server().ClearFaults();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, PutsRightWhatIsChangedOrDeleted) {
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return IsAvailable(); });
  json::object deny = *Policy(kDeny);
  deny["spec"].as_object()["selector"] = "all()";
  server().Put(std::move(deny));
  EXPECT_TRUE(server().state().Remove(api::kServedNetworkPolicies, kDns));
  co_await Until("put right", [&] {
    return Policy(kDns).has_value() &&
           Policy(kDeny)->at("spec").at("selector") == "k8s-app != 'calico-apiserver'";
  });
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, PoliciesThatNobodyWantsGoAndThoseOfOthersStay) {
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return IsAvailable(); });
  server().Put(
      Yaml("{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: "
           "calico-system.apiserver-access, namespace: calico-system}, spec: {selector: all()}}"));
  controller_->SetInput(Input("v3.33", "{networkPolicy: {managePolicies: Disabled}}"));
  co_await Until("gone", [&] { return !Policy(kDns).has_value() && !Policy(kDeny).has_value(); });
  EXPECT_TRUE(server().Find(api::kServedTiers, kTier).has_value());
  EXPECT_TRUE(Policy({"calico-system", "calico-system.apiserver-access"}).has_value());
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, NodeLocalDnsIsReachedAtTheClustersAddress) {
  server().Put(
      Yaml("{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: node-local-dns, namespace: "
           "kube-system}, spec: {}}"));
  server().Put(
      Yaml("{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, "
           "spec: {clusterIPs: [10.96.0.10, 'fd00::a']}}"));
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return IsAvailable(); });
  const auto policy = server().Find(api::kServedGlobalNetworkPolicies, kNodeLocalDns);
  EXPECT_THAT(codec::Serialize(policy->at("spec")), HasSubstr("10.96.0.10/32"));
  EXPECT_THAT(codec::Serialize(policy->at("spec")), HasSubstr("fd00::a/128"));
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, ARefusalIsToldAndDeniesNothing) {
  server().Inject({.method = "POST",
                   .path_contains = "/networkpolicies",
                   .times = 1000,
                   .status = 403,
                   .reason = "Forbidden"});
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] { return Status().starts_with("Degraded: create NetworkPolicy"); });
  EXPECT_FALSE(Policy(kDeny).has_value());
  server().ClearFaults();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(TierControllerTest, OldReleasesAndNoInstallationHaveNoStatus) {
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return IsAvailable(); });
  controller_->SetInput(Input("v3.27"));
  const auto has_status = [&] {
    return server().Find(api::kTigeraStatuses, {"", "tiers"}).has_value();
  };
  co_await Until("gone", [&] { return !has_status(); });
  controller_->SetInput(Input("v3.32"));
  co_await Until("back", [&] { return IsAvailable(); });
  controller_->SetInput(std::nullopt);
  co_await Until("gone", [&] { return !has_status(); });
  EXPECT_TRUE(Policy(kDeny).has_value());
  co_await Stop();
}

}  // namespace
}  // namespace calico::calico_config
