// Calico's own configuration: IP pools and settings.

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/render/object_path.h"
#include "operator/render/testing/objects.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::installation {
namespace {

using base::IsOk;
using testing::HasSubstr;

const api::ObjectKey kPoolKey = {"", "default-ipv4-ippool"};

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->as_object() : json::object();
}

class ConfigurationTest : public OperatorProgramTest {
 protected:
  // With `network` as spec.calicoNetwork.
  static json::object InstallationWith(std::string_view network) {
    json::object object = Installation();
    object["spec"].as_object()["calicoNetwork"] = Yaml(network);
    return object;
  }
  void PutPool(std::string_view name, std::string_view spec) {
    server().Put(Yaml(fmt::format(
        "{{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {{name: {}}}, spec: {}}}",
        name, spec)));
  }
  void PutFelix(std::string_view spec) {
    server().Put(Yaml(
        fmt::format("{{apiVersion: crd.projectcalico.org/v1, kind: FelixConfiguration, metadata: "
                    "{{name: default}}, spec: {}}}",
                    spec)));
  }
  aio::Task<void> StartAvailable(json::object installation, int observed_generation = 9) {
    PutInstallation(std::move(installation));
    Start();
    co_await Until("made", [&] { return Made().size() >= kObjects; });
    MakeEverythingRun(observed_generation);
    co_await Until("available", [&] { return IsAvailable(); });
    co_await Settle();
  }
  json::object Felix(std::string_view field) {
    const auto felix = Find(api::kFelixConfigurations, kDefault);
    return felix.has_value() && felix->at("spec").as_object().contains(field)
               ? json::object{{"value", felix->at("spec").at(field)}}
               : json::object();
  }
  bool FelixHas(std::string_view field, json::value value) {
    return Felix(field) == json::object{{"value", std::move(value)}};
  }
  std::string NodeText() { return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)); }
  std::int64_t NodeGeneration() {
    return Find(api::kDaemonSets, kNodeKey)
        ->at("metadata")
        .at("generation")
        .to_number<std::int64_t>();
  }
  bool IsTold(std::string_view text) {
    return Condition("Degraded") == "True" &&
           Condition("Degraded", "message").find(text) != std::string::npos;
  }
  void Serve(bool is_served) {
    for (const api::Resource* const resource :
         {&api::kIpPools, &api::kFelixConfigurations, &api::kBgpConfigurations,
          &api::kKubeControllersConfigurations}) {
      server().state().SetServed(*resource, is_served);
    }
  }
};

ASYNC_TEST_F(ConfigurationTest, ADefaultInstallationGetsAPoolAndSettingsAndIsRolledOnce) {
  co_await StartAvailable(Installation());
  EXPECT_EQ(Find(api::kIpPools, kPoolKey)->at("spec").at("cidr"), "192.168.0.0/16");
  EXPECT_TRUE(FelixHas("healthPort", 9099));
  EXPECT_EQ(NodeGeneration(), 1);
  EXPECT_THAT(NodeText(), HasSubstr("first-found"));
  const auto ippools = Find(api::kTigeraStatuses, {"", "ippools"});
  EXPECT_THAT(codec::Serialize(ippools->at("status")), HasSubstr("All objects available"));
  server().ClearRequests();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(500)), IsOk());
  EXPECT_EQ(Writes(), 0);
  // Nor does a new one write.
  co_await Stop();
  server().ClearRequests();
  Start();
  co_await Until("watches", [&] { return server().watches() > 15; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

// Pools and settings are looked at anew for each, which takes a moment.
ASYNC_TEST_F(ConfigurationTest, AChangeThatChangesNothingIsToldWithOneWrite) {
  co_await StartAvailable(Installation());
  server().ClearRequests();
  ChangeSpec([](json::object& spec) { spec["nonPrivileged"] = "Disabled"; });
  co_await Until("told", [&] { return ConditionGeneration() == generation_; });
  co_await Settle();
  EXPECT_TRUE(IsAvailable());
  const auto writes = [&](std::string_view path) {
    return std::count_if(server().requests().begin(), server().requests().end(),
                         [&](const auto& request) {
                           return request.method != "GET" && request.path.ends_with(path);
                         });
  };
  EXPECT_EQ(writes("/tigerastatuses/calico/status"), 1);
  EXPECT_EQ(writes("/installations/default/status"), 1);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, WhatTakesLongIsToldAndNothingIsAvailableBefore) {
  server().Inject(
      {.method = "POST", .path_contains = "/felixconfigurations", .delay = absl::Seconds(3)});
  PutInstallation(Installation());
  Start();
  co_await Until("the workloads", [&] {
    return Find(api::kDaemonSets, kNodeKey).has_value() &&
           Find(api::kDeployments, kControllersKey).has_value() &&
           Find(api::kDeployments, kTyphaKey).has_value();
  });
  MakeEverythingRun();
  bool was_told = false;
  co_await Until("settings", [&] {
    if (Find(api::kFelixConfigurations, kDefault).has_value()) return true;
    EXPECT_FALSE(IsAvailable());
    was_told =
        was_told ||
        Condition("Progressing", "message").find("IP pools and settings are being looked at") !=
            std::string::npos;
    return false;
  });
  EXPECT_TRUE(was_told);
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, WherePoolsAreOfOthersNoneIsMade) {
  PutPool("mine", "{cidr: 'fd00:10::/48', blockSize: 122}");
  co_await StartAvailable(Installation());
  EXPECT_EQ(server().state().List(api::kIpPools).size(), 1U);
  // Addresses of the family of that pool are looked for.
  EXPECT_THAT(NodeText(), HasSubstr("IP6_AUTODETECTION_METHOD"));
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, WithoutAPoolAndNoneAskedForTheStatusSaysSo) {
  PutInstallation(InstallationWith("{ipPools: []}"));
  Start();
  co_await Until("told", [&] { return IsTold("pods get no address"); });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceNotFound");
  MakeEverythingRun();
  co_await Settle();
  EXPECT_FALSE(IsAvailable());
  EXPECT_TRUE(server().state().List(api::kIpPools).empty());
  PutPool("mine", "{cidr: 10.8.0.0/16}");
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, WhatCannotBeReadMakesAndRollsNothing) {
  PutPool("mine", "{cidr: 'fd00:10::/48', blockSize: 122}");
  PutFelix("{healthPort: 9300}");
  co_await StartAvailable(Installation());
  co_await Stop();
  const auto before = Made();
  for (const char* const path : {"/ippools", "/felixconfigurations"}) {
    server().Inject({.method = "GET",
                     .path_contains = path,
                     .times = 100,
                     .status = 403,
                     .reason = "Forbidden"});
  }
  Start();
  co_await Until("told",
                 [&] { return IsTold("list IPPool") && IsTold("list FelixConfiguration"); });
  EXPECT_EQ(Made(), before);
  EXPECT_EQ(NodeGeneration(), 1);
  EXPECT_EQ(server().state().List(api::kIpPools).size(), 1U);
  server().ClearFaults();
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(NodeGeneration(), 1);
  EXPECT_EQ(server().state().List(api::kIpPools).size(), 1U);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, NothingIsInstalledBeforePoolsAreKnown) {
  PutPool("mine", "{cidr: 'fd00:10::/48', blockSize: 122}");
  server().Inject({.method = "GET",
                   .path_contains = "/ippools",
                   .times = 5,
                   .status = 500,
                   .reason = "InternalError"});
  PutInstallation(Installation());
  Start();
  while (server().pending_faults() > 0) {
    EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(5)), IsOk());
  }
  co_await Until("made", [&] { return Made().size() == kObjects; });
  EXPECT_EQ(server().state().List(api::kIpPools).size(), 1U);
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, SettingsReachThePods) {
  PutFelix("{healthPort: 9300, cgroupV2Path: /run/somewhere}");
  server().Put(Yaml(
      "{apiVersion: crd.projectcalico.org/v1, kind: KubeControllersConfiguration, metadata: {name: "
      "default}, spec: {prometheusMetricsPort: 9494}}"));
  co_await StartAvailable(Installation());
  EXPECT_THAT(NodeText(), HasSubstr("9300"));
  EXPECT_THAT(NodeText(), HasSubstr("/run/somewhere"));
  EXPECT_TRUE(
      Find(api::kServices, {"calico-system", "calico-kube-controllers-metrics"}).has_value());
  EXPECT_EQ(NodeGeneration(), 1);
  // And so does what is changed later.
  json::object felix = *Find(api::kFelixConfigurations, kDefault);
  felix["spec"].as_object()["healthPort"] = 9301;
  server().Put(std::move(felix));
  co_await Until("rolled", [&] { return NodeText().find("9301") != std::string::npos; });
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, EbpfIsSwitchedOnOnceEveryNodeIsReady) {
  co_await StartAvailable(Installation(), /*observed_generation=*/1);
  EXPECT_TRUE(FelixHas("bpfEnabled", false));
  ChangeSpec([](json::object& spec) { spec["calicoNetwork"] = {{"linuxDataplane", "BPF"}}; });
  co_await Until("rolls", [&] { return NodeGeneration() == 2; });
  SetStatus(api::kDaemonSets, kNodeKey,
            {{"observedGeneration", 2},
             {"desiredNumberScheduled", 3},
             {"numberReady", 3},
             {"updatedNumberScheduled", 2},
             {"numberAvailable", 3}});
  co_await Until("waits", [&] {
    return Condition("Progressing", "message").find("eBPF is switched on once") !=
           std::string::npos;
  });
  co_await Settle();
  EXPECT_TRUE(FelixHas("bpfEnabled", false));
  EXPECT_FALSE(IsAvailable());
  MakeEverythingRun(2);
  co_await Until("switched", [&] { return FelixHas("bpfEnabled", true); });
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(NodeGeneration(), 2);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, ANewInstallationWithEbpfHasItFromTheStart) {
  co_await StartAvailable(InstallationWith("{linuxDataplane: BPF}"));
  EXPECT_TRUE(FelixHas("bpfEnabled", true));
  EXPECT_TRUE(FelixHas("nftablesMode", "Enabled"));
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

// As release v3.27 has it, which says it in the environment of the pods.
ASYNC_TEST_F(ConfigurationTest, EbpfOfAnOlderReleaseIsInFelixBeforePodsAreReplaced) {
  co_await StartAvailable(InstallationWith("{linuxDataplane: BPF}"));
  co_await Stop();
  json::object node = *Find(api::kDaemonSets, kNodeKey);
  json::object& container = *render::FindNamed(
      render::ArrayAt(node, {"spec", "template", "spec", "containers"}), "calico-node");
  container["env"].as_array().push_back(
      json::object{{"name", "FELIX_BPFENABLED"}, {"value", "true"}});
  node["spec"].as_object()["template"].as_object()["spec"].as_object()["priorityClassName"] = "old";
  server().Put(std::move(node));
  EXPECT_TRUE(server().state().Remove(api::kFelixConfigurations, kDefault));
  PutFelix("{healthPort: 9099}");
  server().ClearRequests();
  Start();
  co_await Until("replaced", [&] { return NodeText().find("\"old\"") == std::string::npos; });
  EXPECT_TRUE(FelixHas("bpfEnabled", true));
  const auto first = [&](std::string_view path) {
    return std::find_if(server().requests().begin(), server().requests().end(),
                        [&](const auto& request) {
                          return request.method == "PATCH" &&
                                 request.path.find(path) != std::string::npos;
                        }) -
           server().requests().begin();
  };
  EXPECT_LT(first("/felixconfigurations/default"), first("/daemonsets/calico-node"));
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, NodesAreToldWhereTheApiServersAre) {
  PutInstallation(InstallationWith("{linuxDataplane: BPF, bpfNetworkBootstrap: Enabled}"));
  Start();
  co_await Until("told", [&] { return IsTold("spec.calicoNetwork.bpfNetworkBootstrap"); });
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  server().Put(Yaml(
      "{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: "
      "{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], ports: [{name: https, port: 443}]}}"));
  server().Put(
      Yaml("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: kubernetes, "
           "namespace: default, labels: {kubernetes.io/service-name: kubernetes}}, endpoints: "
           "[{addresses: [192.0.2.7]}], ports: [{name: https, port: 6443}]}"));
  co_await Until("made", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  EXPECT_THAT(NodeText(), HasSubstr("192.0.2.7:6443"));
  EXPECT_THAT(NodeText(), HasSubstr("10.96.0.1:443"));
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, DefinitionsThatComeLateAreTakenUp) {
  Serve(false);
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("does not serve felixconfigurations"); });
  EXPECT_THAT(NodeText(), HasSubstr("first-found"));
  MakeEverythingRun();
  Serve(true);
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_TRUE(Find(api::kIpPools, kPoolKey).has_value());
  EXPECT_TRUE(FelixHas("healthPort", 9099));
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, ABadInstallationChangesNoPool) {
  co_await StartAvailable(InstallationWith("{ipPools: [{cidr: 10.8.0.0/16}]}"));
  json::object bad = InstallationWith("{ipPools: [{cidr: nonsense}]}");
  PutInstallation(std::move(bad));
  co_await Until("told", [&] { return IsTold("ipPools[0].cidr"); });
  co_await Settle();
  EXPECT_EQ(server().state().List(api::kIpPools).size(), 1U);
  EXPECT_EQ(Find(api::kIpPools, kPoolKey)->at("spec").at("cidr"), "10.8.0.0/16");
  co_await Stop();
}

ASYNC_TEST_F(ConfigurationTest, PoolsOutliveTheInstallation) {
  co_await StartAvailable(Installation());
  EXPECT_TRUE(server().state().Remove(api::kInstallations, kDefault));
  co_await Until("no status", [&] {
    return !Find(api::kTigeraStatuses, {"", "ippools"}).has_value() &&
           !Find(api::kTigeraStatuses, kCalico).has_value();
  });
  EXPECT_TRUE(Find(api::kIpPools, kPoolKey).has_value());
  EXPECT_TRUE(Find(api::kFelixConfigurations, kDefault).has_value());
  co_await Stop();
}

}  // namespace
}  // namespace calico::installation
