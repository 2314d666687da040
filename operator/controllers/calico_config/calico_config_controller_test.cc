#include "operator/controllers/calico_config/calico_config_controller.h"

#include <functional>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/calico_config/calico_view.h"
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
using ::testing::IsEmpty;

const api::ObjectKey kPoolKey = {"", "default-ipv4-ippool"};
const api::ObjectKey kDefaultKey = {"", "default"};

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->as_object() : json::object();
}

class CalicoConfigControllerTest : public kube::FakeApiServerTest {
 protected:
  void Start(bool makes_definitions = false) {
    events_ = std::make_unique<kube::EventRecorder>(client(), "test", base::SystemClock(), logger(),
                                                    executor());
    view_ = std::make_unique<CalicoView>(client(), base::SystemClock(), logger(), executor());
    controller_ =
        std::make_unique<CalicoConfigController>(executor(), client(), *view_, *events_, registry_,
                                                 makes_definitions, base::SystemClock(), logger());
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(view_->Run());
    group_->Spawn(controller_->Run());
  }
  aio::Task<void> Stop() { co_await group_->Stop(); }
  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition()) << what;
  }
  static ConfigInput Input(std::string_view pool = "natOutgoing: Enabled",
                           std::string_view release = "v3.33") {
    static std::int64_t generation = 0;
    return {
        .release = std::string(release),
        .spec = Yaml(fmt::format(
            "{{cni: {{type: Calico, ipam: {{type: Calico}}}}, calicoNetwork: {{linuxDataplane: "
            "Iptables, ipPools: [{{name: default-ipv4-ippool, cidr: 10.0.0.0/16, encapsulation: "
            "IPIP, {}}}]}}}}",
            pool)),
        .has_ip_pools = true,
        .generation = ++generation,
        .installation_uid = "uid-1"};
  }
  std::optional<json::object> Pool() { return server().Find(api::kIpPools, kPoolKey); }
  std::optional<json::object> Felix() {
    return server().Find(api::kFelixConfigurations, kDefaultKey);
  }
  // "Degraded: message" of the condition of TigeraStatus `ippools` that is True.
  std::string Status() {
    const std::optional<json::object> status = server().Find(api::kTigeraStatuses, {"", "ippools"});
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
  bool IsSettled() {
    return controller_->outcome().has_value() && controller_->outcome()->is_settled;
  }
  void SetServed(bool served) {
    for (const api::Resource* const resource :
         {&api::kIpPools, &api::kFelixConfigurations, &api::kBgpConfigurations,
          &api::kKubeControllersConfigurations}) {
      server().state().SetServed(*resource, served);
    }
  }
  int Writes() { return server().Count("POST") + server().Count("PATCH") + server().Count("PUT"); }

  metrics::Registry registry_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<CalicoView> view_;
  std::unique_ptr<CalicoConfigController> controller_;
  std::unique_ptr<aio::TaskGroup> group_;
};

ASYNC_TEST_F(CalicoConfigControllerTest, MakesWhatIsMissingAndThenWritesNothing) {
  Start();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), IsOk());
  EXPECT_EQ(Writes(), 0);  // nobody asks for anything
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  EXPECT_EQ(controller_->outcome()->pools, PoolState::kReady);
  EXPECT_EQ(Pool()->at("spec").at("ipipMode"), "Always");
  EXPECT_EQ(Felix()->at("spec").at("nftablesMode"), "Disabled");
  co_await Until("status", [&] { return Status() == "Available: All objects available"; });
  EXPECT_EQ(server()
                .Find(api::kTigeraStatuses, {"", "ippools"})
                ->at("metadata")
                .at("ownerReferences")
                .as_array()[0]
                .at("uid"),
            "uid-1");
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(100)), IsOk());
  server().ClearRequests();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(200)), IsOk());
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, FollowsTheInstallationAndPutsThePoolRight) {
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  controller_->SetInput(Input("natOutgoing: Disabled"));
  co_await Until("changed", [&] { return Pool()->at("spec").at("natOutgoing") == false; });
  json::object pool = *Pool();
  pool["spec"].as_object()["natOutgoing"] = true;
  server().Put(std::move(pool));
  co_await Until("put right", [&] { return Pool()->at("spec").at("natOutgoing") == false; });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, LeavesAUsersPoolAndTells) {
  server().Put(
      Yaml("{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: mine}, "
           "spec: {cidr: 10.0.0.0/16}}"));
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] {
    return Status().starts_with(
        "Degraded: Cannot update an IP pool not owned by the operator: IPPool mine");
  });
  EXPECT_FALSE(Pool().has_value());
  co_await Until("an outcome", [&] { return controller_->outcome().has_value(); });
  EXPECT_EQ(controller_->outcome()->pools, PoolState::kReady);
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, WaitsForDefinitionsAndGoesOnWhenTheyCome) {
  SetServed(false);
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] { return Status().find("does not serve ippools") != Status().npos; });
  EXPECT_EQ(server().Count("", "crd.projectcalico.org/v1/ippools"), 0);
  SetServed(true);
  view_->LookAgain();
  co_await Until("settled", [&] { return IsSettled() && Pool().has_value(); });
  co_await Until("available", [&] { return Status() == "Available: All objects available"; });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, DefinitionsThatThisProcessMakesAreNoProblemYet) {
  SetServed(false);
  Start(/*makes_definitions=*/true);
  controller_->SetInput(Input());
  co_await Until("told", [&] {
    return Status() == "Progressing: Calico's CustomResourceDefinitions are being made";
  });
  co_await Until("an outcome", [&] { return controller_->outcome().has_value(); });
  EXPECT_THAT(controller_->outcome()->problems, IsEmpty());
  EXPECT_FALSE(controller_->outcome()->is_settled);
  SetServed(true);
  view_->LookAgain();
  co_await Until("available", [&] { return Status() == "Available: All objects available"; });
  EXPECT_TRUE(Pool().has_value());
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, TellsWhatIsWrongWithTheDefinitions) {
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  controller_->SetDefinitionProblems({"ippools.crd.projectcalico.org is too old"});
  co_await Until("told",
                 [&] { return Status() == "Degraded: ippools.crd.projectcalico.org is too old"; });
  controller_->SetDefinitionProblems({});
  co_await Until("available", [&] { return Status() == "Available: All objects available"; });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, AListThatFailsChangesNothing) {
  json::object pool = Yaml(
      "{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: old}, spec: "
      "{cidr: 10.9.0.0/16}}");
  server().Put(std::move(pool));
  server().Inject({.method = "GET",
                   .path_contains = "/felixconfigurations",
                   .times = 3,
                   .status = 500,
                   .reason = "InternalError"});
  Start();
  controller_->SetInput(Input());
  while (server().pending_faults() > 0) {
    EXPECT_FALSE(view_->IsKnown());
    EXPECT_EQ(Writes(), 0);
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
  }
  co_await Until("settled", [&] { return IsSettled(); });
  EXPECT_TRUE(Pool().has_value());
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, ASettingAndAnObjectThatAreRemovedComeBack) {
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  server().state().Remove(api::kFelixConfigurations, kDefaultKey);
  co_await Until("Felix is back", [&] { return Felix().has_value(); });
  EXPECT_EQ(Felix()->at("spec").at("healthPort"), 9099);
  server().state().Remove(api::kIpPools, kPoolKey);
  co_await Until("pool is back", [&] { return Pool().has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, AUsersSettingStays) {
  server().Put(
      Yaml("{apiVersion: crd.projectcalico.org/v1, kind: FelixConfiguration, metadata: {name: "
           "default}, spec: {vxlanPort: 6789, logSeverityScreen: Debug}}"));
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  EXPECT_EQ(Felix()->at("spec").at("vxlanPort"), 6789);
  EXPECT_EQ(Felix()->at("spec").at("logSeverityScreen"), "Debug");
  EXPECT_EQ(Felix()->at("spec").at("vxlanVNI"), 4096);
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, WithoutAnInstallationTheStatusGoesAndThePoolsStay) {
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return Status() == "Available: All objects available"; });
  controller_->SetInput(std::nullopt);
  co_await Until("gone",
                 [&] { return !server().Find(api::kTigeraStatuses, {"", "ippools"}).has_value(); });
  EXPECT_TRUE(Pool().has_value());
  EXPECT_TRUE(Felix().has_value());
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, EbpfIsSwitchedOnOnceEveryNodeIsReady) {
  Start();
  ConfigInput input = Input();
  input.node_agent = NodeAgent{};
  controller_->SetInput(input);
  co_await Until("settled", [&] { return IsSettled(); });
  EXPECT_EQ(Felix()->at("spec").at("bpfEnabled"), false);
  input.spec["calicoNetwork"].as_object()["linuxDataplane"] = "BPF";
  controller_->SetInput(input);
  co_await Until("waits", [&] {
    return controller_->outcome().has_value() && !controller_->outcome()->waiting.empty();
  });
  EXPECT_EQ(Felix()->at("spec").at("bpfEnabled"), false);
  input.node_agent->is_ready_for_bpf = true;
  controller_->SetInput(input);
  co_await Until("settled", [&] { return IsSettled(); });
  EXPECT_EQ(Felix()->at("spec").at("bpfEnabled"), true);
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, KindsThatGoAreLostAndWhatWasThereIsMadeAgain) {
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  SetServed(false);
  server().CloseWatches();
  co_await Until("lost", [&] { return view_->IsLost(); });
  co_await Until("told", [&] { return Status().find("does not serve ippools") != Status().npos; });
  server().state().Remove(api::kIpPools, kPoolKey);
  SetServed(true);
  view_->LookAgain();
  co_await Until("back", [&] { return !view_->IsLost() && Pool().has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, AnotherWriterIsNamedAndNotFoughtWithoutEnd) {
  Start();
  controller_->SetInput(Input());
  co_await Until("settled", [&] { return IsSettled(); });
  for (int i = 0; i < 300 && !Status().starts_with("Degraded"); ++i) {
    json::object pool = *Pool();
    if (pool.at("spec").as_object().contains("natOutgoing") &&
        pool.at("spec").at("natOutgoing") == true) {
      pool["spec"].as_object()["natOutgoing"] = false;
      server().Put(std::move(pool));
    }
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
  }
  EXPECT_THAT(Status(), HasSubstr("IPPool default-ipv4-ippool: spec.natOutgoing is changed back"));
  server().ClearRequests();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(200)), IsOk());
  EXPECT_EQ(server().Count("PATCH", "ippools/default-ipv4-ippool"), 0);
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, ARefusalIsToldAndHeals) {
  server().Inject({.method = "POST",
                   .path_contains = "/ippools",
                   .times = 7,
                   .status = 403,
                   .reason = "Forbidden"});
  Start();
  controller_->SetInput(Input());
  co_await Until("told", [&] { return Status().starts_with("Degraded: create IPPool"); });
  co_await Until("healed", [&] { return Status() == "Available: All objects available"; });
  co_await Stop();
}

ASYNC_TEST_F(CalicoConfigControllerTest, OldReleasesHaveNoStatusOfPools) {
  Start();
  controller_->SetInput(Input());
  co_await Until("available", [&] { return Status() == "Available: All objects available"; });
  controller_->SetInput(Input("natOutgoing: Disabled", "v3.27"));
  co_await Until("gone",
                 [&] { return !server().Find(api::kTigeraStatuses, {"", "ippools"}).has_value(); });
  EXPECT_EQ(Pool()->at("spec").at("natOutgoing"), true);  // calico-node's business
  co_await Stop();
}

}  // namespace
}  // namespace calico::calico_config
