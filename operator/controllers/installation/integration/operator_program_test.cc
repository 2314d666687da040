// The whole operator in this process, against the fake API server.

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/controllers/status/certificate_health.h"
#include "operator/render/names.h"
#include "operator/render/testing/objects.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::installation {
namespace {

using base::IsOk;
using render::ObjectAt;
using render::TextAt;
using testing::HasSubstr;

ASYNC_TEST_F(OperatorProgramTest, Installs) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  EXPECT_TRUE(Find(api::kDaemonSets, kNodeKey).has_value());
  EXPECT_EQ(Find(api::kDeployments, kTyphaKey)->at("spec").at("replicas"), 2);
  EXPECT_EQ(Condition("Progressing"), "True");
  EXPECT_EQ(Made().size(), kObjects);

  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  json::object installation = *Find(api::kInstallations, kDefault);
  EXPECT_EQ(TextAt(ObjectAt(installation, {"status"}), "calicoVersion"), "v3.33.1");
  EXPECT_EQ(TextAt(ObjectAt(installation, {"status"}), "variant"), "Calico");
  EXPECT_EQ(installation.at("status").at("conditions").at(2).at("type"), "Ready");
  EXPECT_EQ(installation.at("spec"), Installation().at("spec"));
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 1);
  EXPECT_LT(server().requests().size(), 180U);
  EXPECT_GE(server().state().List(api::kEvents).size(), 2U);
  co_await Stop();
  EXPECT_EQ(operator_->exit_code, kExitOk);
}

ASYNC_TEST_F(OperatorProgramTest, WhatIsAskedAheadIsNotAskedAgain) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  for (const char* path :
       {"/deployments/tigera-operator", "/configmaps/kubeadm-config", "/daemonsets/aws-node"}) {
    EXPECT_EQ(server().Count("GET", path), 1) << path;
  }
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, WritesNothingWhenNothingHasChanged) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  server().ClearRequests();
  MakeEverythingRun();  // an event that says nothing new
  server().DropWatches();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
  // Neither does a new one.
  server().ClearRequests();
  Start();
  co_await Until("watches", [&] { return server().watches() > 15; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 1);
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, ABadSpecChangesNothingAndIsTold) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  const auto before = Made();
  ChangeSpec([](json::object& spec) {
    ObjectAt(spec, {"certificateManagement"})["signerName"] = "signer";
    spec["nodeMetricsPort"] = 99999;
  });
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "InvalidConfigurationError");
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("spec.certificateManagement.signerName"));
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("spec.nodeMetricsPort"));
  EXPECT_EQ(Condition("Available"), "False");
  EXPECT_EQ(Made(), before);

  PutInstallation(Installation());
  co_await Until("available again", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, AnUnreadableInstallationIsTold) {
  json::object object = Installation();
  ObjectAt(object, {"spec"})["calicoNetwork"] = json::object{{"mtu", "big"}};
  PutInstallation(std::move(object));
  Start();
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("spec.calicoNetwork.mtu"));
  EXPECT_TRUE(Made().empty());
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, IgnoredFieldsAreNamed) {
  json::object object = Installation();
  ObjectAt(object, {"spec"})["calicoNetwork"] = json::object{{"windowsDataplane", "HNS"}};
  PutInstallation(std::move(object));
  Start();
  co_await Until("told", [&] {
    return Condition("Progressing", "message").find("spec.calicoNetwork.windowsDataplane") !=
           std::string::npos;
  });
  co_await Settle();
  EXPECT_EQ(std::count_if(log().begin(), log().end(),
                          [](const std::string& line) {
                            return line.find("note on the installation") != std::string::npos;
                          }),
            1);
  co_await Stop();
}

std::string CaFile(const std::string& name) {
  std::ifstream file("testdata/pki/ca_files/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

ASYNC_TEST_F(OperatorProgramTest, AnOldRootAndForbiddenAddressesAreNotes) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "Node"},
                {"metadata", {{"name", "outside"}, {"labels", {{"kubernetes.io/os", "linux"}}}}},
                {"status",
                 {{"addresses", json::array{json::object{{"type", "InternalIP"},
                                                         {"address", "192.168.1.5"}}}}}}});
  json::object object = Installation();
  ObjectAt(object, {"spec", "certificateManagement"})["caCert"] =
      base::Base64Encode(CaFile("constrained_ten.pem") + CaFile("expired.pem"));
  PutInstallation(std::move(object));
  Start();
  co_await Until("told", [&] {
    const std::string message = Condition("Progressing", "message");
    return message.find("certificate 2 of 2") != std::string::npos &&
           message.find("expired on 2020-01-01") != std::string::npos &&
           message.find("10.0.0.0/8, not 192.168.1.5") != std::string::npos;
  });
  EXPECT_NE(Condition("Degraded"), "True");
  EXPECT_TRUE(Find(api::kDaemonSets, kNodeKey).has_value()) << "rolled out";
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, PutsRightWhatWasDoneByHand) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  const auto before = Made();
  server().state().Remove(api::kDaemonSets, kNodeKey);
  server().state().Remove(api::kClusterRoleBindings, {"", "calico-node:csr-creator"});
  json::object service = *Find(api::kServices, {"calico-system", "calico-typha"});
  ObjectAt(service, {"spec", "selector"})["k8s-app"] = "wrong";
  ObjectAt(service, {"metadata", "labels"}).erase(render::kManagedByLabel);
  server().Put(service);
  co_await Until("the same", [&] { return Made() == before; });
  co_await Stop();
}

// The RoleBinding goes with the namespace when an Installation is deleted.
ASYNC_TEST_F(OperatorProgramTest, WithoutTheRightToCopyPullSecretsTheStatusSaysWhatToApply) {
  PutPullSecret();
  json::object object = Installation();
  ObjectAt(object, {"spec"})["imagePullSecrets"] = json::array{{{"name", "my-pull"}}};
  PutInstallation(std::move(object));
  server().Inject({.method = "PATCH",
                   .path_contains = "/namespaces/calico-system/secrets/my-pull",
                   .times = 1000,
                   .status = 403});
  Start();
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceUpdateError");
  const std::string message = Condition("Degraded", "message");
  EXPECT_THAT(message, HasSubstr("Secret"));
  EXPECT_THAT(message, HasSubstr("calico-system"));
  EXPECT_THAT(message, HasSubstr("`kubectl apply --server-side -f image-pull-secrets.yaml`"));
  server().ClearFaults();  // it was applied
  co_await Until("the copy",
                 [&] { return Find(api::kSecrets, {"calico-system", "my-pull"}).has_value(); });
  co_await Until("not degraded", [&] { return Condition("Degraded") == "False"; });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, WhatTheInstallationNoLongerAsksForIsDeleted) {
  json::object object = Installation();
  ObjectAt(object, {"spec"})["typhaMetricsPort"] = 9093;
  PutInstallation(std::move(object));
  Start();
  const api::ObjectKey metrics = {"calico-system", "calico-typha-metrics"};
  co_await Until("the service", [&] { return Find(api::kServices, metrics).has_value(); });
  co_await Settle();
  PutInstallation(Installation());
  co_await Until("no service", [&] { return !Find(api::kServices, metrics).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, PullSecretsAreCopied) {
  json::object object = Installation();
  ObjectAt(object, {"spec"})["imagePullSecrets"] = json::array{{{"name", "my-pull"}}};
  PutInstallation(std::move(object));
  Start();
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceNotFound");
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("\"my-pull\" not found"));
  EXPECT_TRUE(Made().empty());

  PutPullSecret();
  const api::ObjectKey copy = {"calico-system", "my-pull"};
  co_await Until("the copy", [&] { return Find(api::kSecrets, copy).has_value(); });
  EXPECT_EQ(Find(api::kSecrets, copy)->at("data").at(".dockerconfigjson"), "eyJhdXRocyI6e319");
  co_await Until("not degraded", [&] { return Condition("Degraded") == "False"; });
  co_await Settle();
  PutInstallation(Installation());
  co_await Until("no copy", [&] { return !Find(api::kSecrets, copy).has_value(); });
  for (const std::string& line : log()) {
    EXPECT_THAT(line, testing::Not(HasSubstr("eyJhdXRocyI6e319")));
  }
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, FollowsNodesAndTheEndpoint) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  for (const char* name : {"d", "e"}) {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Node"},
                  {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/os", "linux"}}}}}});
  }
  co_await Until("three replicas", [&] {
    return Find(api::kDeployments, kTyphaKey)->at("spec").at("replicas") == 3;
  });
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 1);
  server().Put(
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"metadata", {{"name", "kubernetes-services-endpoint"}, {"namespace", "tigera-operator"}}},
       {"data", {{"KUBERNETES_SERVICE_HOST", "192.0.2.1"}, {"KUBERNETES_SERVICE_PORT", "6443"}}}});
  co_await Until("the endpoint", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find("192.0.2.1") !=
           std::string::npos;
  });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, AnotherProviderThanTheClusterShowsIsRefused) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "aws-auth"}, {"namespace", "kube-system"}}}});
  json::object installation = Installation();
  installation["spec"].as_object()["kubernetesProvider"] = "GKE";
  PutInstallation(installation);
  Start();
  co_await Until("told", [&] {
    return StatusText().find("spec.kubernetesProvider") != std::string::npos &&
           StatusText().find("EKS") != std::string::npos;
  });
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, VirtualNodesCountForNothing) {
  for (int i = 0; i < 40; ++i) {
    server().Put(
        {{"apiVersion", "v1"},
         {"kind", "Node"},
         {"metadata",
          {{"name", fmt::format("fargate-{}", i)},
           {"labels",
            {{"kubernetes.io/os", "linux"}, {"eks.amazonaws.com/compute-type", "fargate"}}}}}});
  }
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  EXPECT_EQ(Find(api::kDeployments, kTyphaKey)->at("spec").at("replicas"), 2);
  // Three nodes are covered, and there are no more that need to be.
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, ANodeWithoutAnAgentIsNotAvailable) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  server().Put({{"apiVersion", "v1"},
                {"kind", "Node"},
                {"metadata", {{"name", "d"}, {"labels", {{"kubernetes.io/os", "linux"}}}}}});
  co_await Until("progressing", [&] {
    return Condition("Progressing", "message").find("covers 3 of 4 Linux nodes") !=
           std::string::npos;
  });
  EXPECT_FALSE(IsAvailable());
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, WithoutAnInstallationThereIsNothing) {
  Start();
  co_await Until("watches", [&] { return server().watches() > 15; });
  PutInstallation(Installation());
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  // The garbage collector is not here, so the objects stay; the status must go.
  server().state().Remove(api::kInstallations, kDefault);
  co_await Until("no status", [&] { return !Find(api::kTigeraStatuses, kCalico).has_value(); });
  server().state().Remove(api::kDaemonSets, kNodeKey);
  co_await Settle();
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, WhatIsBeingDeletedIsNotMadeAgain) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  json::object object = *Find(api::kInstallations, kDefault);
  ObjectAt(object, {"metadata"})["deletionTimestamp"] = "2027-01-01T00:00:00Z";
  server().Put(object);
  co_await Settle();
  server().state().Remove(api::kDaemonSets, kNodeKey);
  co_await Settle();
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, ADeletedStatusIsWrittenAgain) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  server().state().Remove(api::kTigeraStatuses, kCalico);
  co_await Until("conditions again", [&] { return HasConditions(); });
  co_await Stop();
}

// What is known of the DaemonSet is older than what was applied, and must not pass for the result.
ASYNC_TEST_F(OperatorProgramTest, NotAvailableBeforeTheWatchHasShownWhatWasApplied) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun(/*generation=*/1);
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  const size_t watches = server().watches();
  // Both workloads.
  server().Inject({.method = "GET",
                   .path_contains = "/apps/v1/namespaces/calico-system/d",
                   .times = 100,
                   .delay = absl::Seconds(3)});
  server().DropWatches();
  co_await Until("all watches but two", [&] { return server().watches() == watches - 2; });
  ChangeSpec([](json::object& spec) {
    ObjectAt(spec, {"certificateManagement"})["keyAlgorithm"] = "ECDSAWithCurve384";
  });
  co_await Until("the new generation", [&] { return ConditionGeneration() == 2; });
  EXPECT_FALSE(IsAvailable());
  EXPECT_EQ(server().watches(), watches - 2);
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 2);
  for (const char* workload :
       {"DaemonSet \"calico-system/calico-node\"", "Deployment \"calico-system/calico-typha\""}) {
    EXPECT_THAT(
        Condition("Progressing", "message"),
        HasSubstr(fmt::format("{} update is being processed (generation 2, observed generation 1)",
                              workload)));
  }
  server().ClearFaults();
  MakeEverythingRun(/*generation=*/2);
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

// --- requests of our pods ---

class RequestTest : public OperatorProgramTest {
 protected:
  static constexpr char kUid[] = "9a3a10ff-0000-0000-0000-000000000001";

  // Of the DaemonSet as it is, unless `owner_uid` says otherwise.
  void PutPod(const char* uid, std::string owner_uid = "", const char* owner = "calico-node") {
    if (owner_uid.empty()) {
      json::object set = *Find(api::kDaemonSets, kNodeKey);
      owner_uid = TextAt(ObjectAt(set, {"metadata"}), "uid");
    }
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata",
                   {{"name", "calico-node-5ckvq"},
                    {"namespace", "calico-system"},
                    {"uid", uid},
                    {"creationTimestamp",
                     absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone())},
                    {"labels", {{"k8s-app", "calico-node"}}},
                    {"ownerReferences",
                     {{{"apiVersion", "apps/v1"},
                       {"kind", "DaemonSet"},
                       {"name", owner},
                       {"uid", owner_uid},
                       {"controller", true}}}}}},
                  {"spec", {{"serviceAccountName", "calico-node"}}},
                  {"status", {{"phase", "Pending"}}}});
  }
  void PutRequest(const char* name, const char* uid, json::object status) {
    server().Put({{"apiVersion", "certificates.k8s.io/v1"},
                  {"kind", "CertificateSigningRequest"},
                  {"metadata",
                   {{"name", name},
                    {"creationTimestamp",
                     absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone())}}},
                  {"spec",
                   {{"request", "Z2FyYmFnZQ=="},
                    {"signerName", "example.com/signer"},
                    {"usages", {"client auth"}},
                    {"username", "system:serviceaccount:calico-system:calico-node"},
                    {"extra", {{"authentication.kubernetes.io/pod-uid", {uid}}}}}},
                  {"status", std::move(status)}});
  }
  static json::object Denied() {
    return {{"conditions",
             {{{"type", "Denied"},
               {"status", "True"},
               {"reason", "Policy"},
               {"message", "rule common-name"}}}}};
  }
  aio::Task<void> StartAvailable() {
    PutInstallation(Installation());
    Start();
    co_await Until("conditions", [&] { return HasConditions(); });
    MakeEverythingRun();
    co_await Until("available", [&] { return IsAvailable(); });
  }
};

ASYNC_TEST_F(RequestTest, PendingThenDeniedThenReplaced) {
  co_await StartAvailable();
  PutPod(kUid);
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", kUid, {});
  co_await Until("progressing", [&] {
    return Condition("Progressing", "message")
               .find(
                   "CertificateSigningRequest calico-system:calico-node-5ckvq:9a3a10 is waiting "
                   "for approval by signer example.com/signer") != std::string::npos;
  });
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", kUid, Denied());
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "CertificateError");
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("rule common-name"));

  // A restarted operator does not forget it for a moment.
  co_await Settle();
  co_await Stop();
  server().ClearRequests();
  Start();
  co_await Until("watches", [&] { return server().watches() > 15; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);

  // The pod is replaced by one that needs nothing: the denial is history.
  server().state().Remove(api::kPods, {"calico-system", "calico-node-5ckvq"});
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

// The pod asks again meanwhile, and why it was refused is not on its new request.
ASYNC_TEST_F(RequestTest, ABadSpecForgetsNoRefusal) {
  constexpr char kName[] = "calico-system:calico-node-5ckvq:9a3a10";
  const auto degraded = [this](std::string_view text) {
    return Condition("Degraded", "message").find(text) != std::string::npos;
  };
  co_await StartAvailable();
  PutPod(kUid);
  PutRequest(kName, kUid, Denied());
  co_await Until("denied", [&] { return degraded("rule common-name"); });
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 99999; });
  co_await Until("bad", [&] { return degraded("spec.nodeMetricsPort"); });
  PutRequest(kName, kUid, {});
  co_await Settle();
  PutInstallation(Installation());
  co_await Until("good", [&] { return !degraded("spec.nodeMetricsPort"); });
  EXPECT_TRUE(degraded("rule common-name")) << Condition("Degraded", "message");
  co_await Stop();
}

ASYNC_TEST_F(RequestTest, ForeignersChangeNothing) {
  co_await StartAvailable();
  co_await Settle();
  server().ClearRequests();
  PutPod(kUid);
  PutRequest("anything", kUid, Denied());
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", "another-uid", Denied());
  PutRequest("calico-system:gone:123456", "123456", Denied());
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_TRUE(IsAvailable());
  co_await Stop();
}

// Whoever may make pods in the namespace can give them any label and any owner's name.
ASYNC_TEST_F(RequestTest, PodsOfOtherOwnersChangeNothing) {
  co_await StartAvailable();
  co_await Settle();
  server().ClearRequests();
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", kUid, Denied());
  PutPod(kUid, "another-set", "another");
  co_await Settle();
  PutPod(kUid, "another-set", "calico-node");
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_TRUE(IsAvailable());
  PutPod(kUid);
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  co_await Stop();
}

ASYNC_TEST_F(RequestTest, ARestartWithoutRequestsForgetsNothing) {
  co_await StartAvailable();
  PutPod(kUid);
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", kUid, Denied());
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  co_await Settle();
  co_await Stop();
  server().Inject({.method = "GET",
                   .path_contains = "certificatesigningrequests",
                   .times = 1000,
                   .status = 500});
  server().ClearRequests();
  Start();
  // The operator waits two seconds for them.
  co_await Until("a second look", [&] {
    return server().Count("GET", "certificatesigningrequests") >= 3 && server().watches() > 13;
  });
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(2500)), IsOk());
  EXPECT_EQ(Writes(), 0);
  EXPECT_EQ(Condition("Degraded", "reason"), "CertificateError");
  server().ClearFaults();
  PutRequest("calico-system:calico-node-5ckvq:9a3a10", kUid, {});
  co_await Until("progressing", [&] { return Condition("Progressing") == "True"; });
  co_await Stop();
}

// --- trouble ---

ASYNC_TEST_F(OperatorProgramTest, KilledAnywhereAndStartedAgainItEndsInTheSameState) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  const auto whole = Made();
  co_await Stop();
  for (const api::Resource& resource : api::Resources()) {
    for (const json::object& object : server().state().List(resource)) {
      const json::object& metadata = object.at("metadata").as_object();
      if (!IsMade(metadata)) continue;
      server().state().Remove(resource, {std::string(TextAt(metadata, "namespace")),
                                         std::string(TextAt(metadata, "name"))});
    }
  }
  EXPECT_TRUE(Made().empty());
  for (int i = 0; i < 10; ++i) {
    Start();
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(7 * i)), IsOk());
    co_await Kill();
  }
  Start();
  co_await Until("the same", [&] { return Made() == whole; });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, CarriesOnThroughFaults) {
  PutInstallation(Installation());
  server().Inject({.path_contains = "/apis/", .times = 5, .status = 503});
  server().Inject({.method = "PATCH", .times = 4, .act_then_close = true});
  server().Inject({.method = "PATCH", .path_contains = "daemonsets", .times = 3, .status = 500});
  server().Inject({.method = "PUT", .path_contains = "tigerastatuses", .times = 2, .status = 409});
  Start();
  co_await Until("conditions", [&] {
    return HasConditions() && Condition("Degraded") == "False" &&
           Find(api::kDaemonSets, kNodeKey).has_value();
  });
  EXPECT_EQ(Made().size(), kObjects);
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, TheUsersTemplatesForBirdReachCalicoNode) {
  PutInstallation(Installation());
  Start();
  co_await Until("the DaemonSet", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "bird-templates"}, {"namespace", "tigera-operator"}}},
                {"data", {{"bird.cfg.template", "text"}}}});
  const api::ObjectKey copy = {"calico-system", "bird-templates"};
  co_await Until("a copy", [&] { return Find(api::kConfigMaps, copy).has_value(); });
  const auto has_mount = [&] {
    json::object node = *Find(api::kDaemonSets, kNodeKey);
    return codec::Serialize(node).find("/etc/calico/confd/templates/bird.cfg.template") !=
           std::string::npos;
  };
  co_await Until("a mount", has_mount);
  server().state().Remove(api::kConfigMaps, {"tigera-operator", "bird-templates"});
  co_await Until("no copy", [&] { return !Find(api::kConfigMaps, copy).has_value(); });
  co_await Until("no mount", [&] { return !has_mount(); });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, TheLayoutForEarlyNetworkingReachesCalicoNode) {
  PutInstallation(Installation());
  Start();
  co_await Until("the DaemonSet", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  const auto put_layout = [&](std::string_view key) {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "ConfigMap"},
                  {"metadata", {{"name", "bgp-layout"}, {"namespace", "tigera-operator"}}},
                  {"data", {{key, "text"}}}});
  };
  put_layout("layout");
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceValidationError");
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("has no key earlyNetworkConfiguration"));
  put_layout("earlyNetworkConfiguration");
  co_await Until("a mount", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey))
               .find("/etc/calico/early-networking.yaml") != std::string::npos;
  });
  const api::ObjectKey copy = {"calico-system", "bgp-layout"};
  EXPECT_TRUE(Find(api::kConfigMaps, copy).has_value());
  server().state().Remove(api::kConfigMaps, {"tigera-operator", "bgp-layout"});
  co_await Until("no copy", [&] { return !Find(api::kConfigMaps, copy).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, WhatTheServerRefusesIsTold) {
  PutInstallation(Installation());
  server().Inject({.method = "PATCH",
                   .path_contains = "daemonsets/calico-node",
                   .times = 3,
                   .status = 422,
                   .reason = "Invalid"});
  Start();
  co_await Until("degraded", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceUpdateError");
  EXPECT_THAT(Condition("Degraded", "message"), HasSubstr("DaemonSet calico-system/calico-node"));
  co_await Until("recovered", [&] { return Condition("Degraded") == "False"; });
  co_await Stop();
}

ASYNC_TEST_F(OperatorProgramTest, TheLeaseIsTakenAndGivenUp) {
  PutInstallation(Installation());
  Start(/*leader_elect=*/true);
  co_await Until("conditions", [&] { return HasConditions(); });
  const api::ObjectKey lease = {"tigera-operator", "operator-lock"};
  json::object held = *Find(api::kLeases, lease);
  EXPECT_NE(TextAt(ObjectAt(held, {"spec"}), "holderIdentity"), "");
  co_await Stop();
  EXPECT_EQ(operator_->exit_code, kExitOk);
  json::object released = *Find(api::kLeases, lease);
  EXPECT_EQ(TextAt(ObjectAt(released, {"spec"}), "holderIdentity"), "");
}

}  // namespace
}  // namespace calico::installation
