// What the operator does and tells when the cluster is not as it should be: rights, other writers,
// objects that do not go, definitions, what somebody wrote into a ConfigMap.

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/crds.h"
#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/render/names.h"
#include "operator/render/testing/objects.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::installation {
namespace {

using base::IsOk;
using render::ObjectAt;
using render::TextAt;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kAlways = 1'000'000;

class TroubleTest : public OperatorProgramTest {
 protected:
  aio::Task<void> StartAvailable() {
    PutInstallation(Installation());
    Start();
    co_await Until("conditions", [&] { return HasConditions(); });
    MakeEverythingRun();
    co_await Until("available", [&] { return IsAvailable(); });
    co_await Settle();
  }
  // Reading that path is refused from now on.
  void Forbid(std::string path) {
    server().Inject({.method = "GET",
                     .path_contains = std::move(path),
                     .times = kAlways,
                     .status = 403,
                     .reason = "Forbidden"});
  }
  std::string Degraded() {
    return Condition("Degraded") == "True" ? Condition("Degraded", "message") : "";
  }
  bool IsTold(std::string_view text) { return Degraded().find(text) != std::string::npos; }
  std::int64_t NodeGeneration() {
    return Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation").to_number<int64_t>();
  }
  void PutEndpoint(const char* host, const char* port) {
    server().Put(
        {{"apiVersion", "v1"},
         {"kind", "ConfigMap"},
         {"metadata", {{"name", "kubernetes-services-endpoint"}, {"namespace", "tigera-operator"}}},
         {"data", {{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", port}}}});
  }
  static std::string Seconds(absl::Duration ago) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now() - ago, absl::UTCTimeZone());
  }
};

// --- kinds that are served by some servers only ---

ASYNC_TEST_F(TroubleTest, APolicyWhoseKindIsNotServedTakesNoBindingAlong) {
  co_await StartAvailable();
  co_await Stop();
  const size_t bindings = server().state().List(api::kValidatingAdmissionPolicyBindings).size();
  server().state().SetServed(api::kValidatingAdmissionPolicies, false);
  Start();
  co_await Settle();
  EXPECT_EQ(server().Count("DELETE"), 0);
  EXPECT_EQ(server().state().List(api::kValidatingAdmissionPolicyBindings).size(), bindings);
  EXPECT_TRUE(IsAvailable()) << StatusText();
  co_await Stop();
}

// --- Calico that is there already ---

json::object ManifestDaemonSet() {
  return {{"apiVersion", "apps/v1"},
          {"kind", "DaemonSet"},
          {"metadata", {{"namespace", "kube-system"}, {"name", "calico-node"}}}};
}

ASYNC_TEST_F(TroubleTest, NothingIsInstalledBesideCalicoFromManifests) {
  server().Put(ManifestDaemonSet());
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("DaemonSet kube-system/calico-node is there"); });
  EXPECT_EQ(Condition("Degraded", "reason"), "MigrationError");
  co_await Settle();
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  EXPECT_TRUE(Made().empty());
  co_await Stop();
  server().state().Remove(api::kDaemonSets, {"kube-system", "calico-node"});
  Start();
  co_await Until("installed", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, WhatRunsBesideCalicoFromManifestsIsLookedAfter) {
  co_await StartAvailable();
  co_await Stop();
  server().Put(ManifestDaemonSet());
  server().state().Remove(api::kDeployments, kTyphaKey);
  Start();
  co_await Until("told", [&] { return IsTold("DaemonSet kube-system/calico-node is there"); });
  co_await Until("typha", [&] { return Find(api::kDeployments, kTyphaKey).has_value(); });
  co_await Stop();
}

// --- rights ---

ASYNC_TEST_F(TroubleTest, RightsThatAreMissingAreToldBesideWhatWorks) {
  for (const char* path :
       {"/nodes?", "/poddisruptionbudgets?", "/replicasets?", "/controllerrevisions?",
        "/calico-system/pods?", "/validatingadmissionpolicies?", "/certificatesigningrequests?",
        "metadata.name!=default"}) {
    Forbid(path);
  }
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("list CertificateSigningRequest"); });
  for (const char* kind : {"Node", "PodDisruptionBudget", "ReplicaSet", "ControllerRevision", "Pod",
                           "ValidatingAdmissionPolicy", "Installation"}) {
    EXPECT_THAT(Degraded(), HasSubstr(fmt::format("list {}", kind)));
  }
  EXPECT_THAT(Degraded(), HasSubstr("apply the operator.yaml of this version"));
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceReadError");
  EXPECT_EQ(Condition("Available"), "False");
  // Nothing of it keeps the workloads from being made.
  EXPECT_TRUE(Find(api::kDaemonSets, kNodeKey).has_value());
  EXPECT_TRUE(Find(api::kDeployments, kTyphaKey).has_value());
  EXPECT_EQ(Made().size(), kObjects);
  MakeEverythingRun();
  server().ClearFaults();
  co_await Until("healed", [&] { return IsAvailable(); });
  EXPECT_FALSE(operator_->exit_code.has_value());
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, ARightThatIsTakenWhileItRunsIsTold) {
  co_await StartAvailable();
  Forbid("/calico-system/pods?");
  server().CloseWatches();
  co_await Until("told", [&] { return IsTold("watch Pod in calico-system"); });
  EXPECT_EQ(Condition("Available"), "False");
  server().ClearFaults();
  co_await Until("healed", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AnInstallationThatCannotBeReadIsToldAndTheOldStateDoesNotStay) {
  co_await StartAvailable();
  co_await Stop();
  Forbid("/installations?");
  server().ClearRequests();
  Start();
  co_await Until("told", [&] { return IsTold("list Installation"); });
  EXPECT_EQ(Condition("Available"), "False");
  EXPECT_EQ(server().Count("DELETE"), 0);
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 0);
  server().ClearFaults();
  co_await Until("healed", [&] { return IsAvailable(); });
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AStatusThatCannotBeReadIsWrittenAllTheSame) {
  co_await StartAvailable();
  co_await Stop();
  Forbid("/tigerastatuses?");
  Start();
  co_await Until("told", [&] { return IsTold("list TigeraStatus"); });
  EXPECT_EQ(Condition("Available"), "False");
  server().ClearFaults();
  co_await Until("healed", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, WhatCannotBeListedIsAppliedAndNeitherSentAgainNorDeleted) {
  co_await StartAvailable();
  co_await Stop();
  Forbid("/calico-system/services?");
  server().ClearRequests();
  Start();
  co_await Until("told", [&] { return IsTold("list Service in calico-system"); });
  EXPECT_EQ(server().Count("PATCH", "/services/calico-typha"), 1);
  for (int i = 0; i < 5; ++i) {
    server().Put(
        {{"apiVersion", "v1"},
         {"kind", "Node"},
         {"metadata",
          {{"name", fmt::format("n{}", i)}, {"labels", {{"kubernetes.io/os", "linux"}}}}}});
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(200)), IsOk());
  }
  EXPECT_EQ(server().Count("PATCH", "/services/calico-typha"), 1);
  EXPECT_EQ(server().Count("DELETE"), 0);
  EXPECT_EQ(Find(api::kDeployments, kTyphaKey)->at("spec").at("replicas"), 3);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, NodesThatCannotBeCountedTakeNoTyphaAway) {
  for (const char* name : {"d", "e", "f"}) {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Node"},
                  {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/os", "linux"}}}}}});
  }
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Stop();
  Forbid("/nodes?");
  Start();
  co_await Until("told", [&] { return IsTold("list Node"); });
  EXPECT_EQ(Find(api::kDeployments, kTyphaKey)->at("spec").at("replicas"), 3);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, WithoutPullSecretsTheRightToThemIsNotMissed) {
  Forbid("fieldSelector=type!=Opaque");
  co_await StartAvailable();
  EXPECT_THAT(co_await aio::Sleep(absl::Seconds(3)), IsOk());
  EXPECT_TRUE(IsAvailable()) << StatusText();
  EXPECT_EQ(Degraded(), "");
  const auto asks_for_copies = [](const auto& request) {
    return request.Query("fieldSelector") == "type!=Opaque";
  };
  EXPECT_EQ(std::count_if(server().requests().begin(), server().requests().end(), asks_for_copies),
            1);
  // With them it is.
  PutPullSecret();
  ChangeSpec([](json::object& spec) {
    spec["imagePullSecrets"] = json::array{json::object{{"name", "my-pull"}}};
  });
  co_await Until("told", [&] { return IsTold("-f image-pull-secrets.yaml"); });
  EXPECT_THAT(Degraded(), HasSubstr("list Secret in calico-system"));
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, CopiesThatAreLeftAreDeletedByANewOperator) {
  PutPullSecret();
  json::object object = Installation();
  ObjectAt(object, {"spec"})["imagePullSecrets"] = json::array{json::object{{"name", "my-pull"}}};
  PutInstallation(std::move(object));
  const api::ObjectKey copy = {"calico-system", "my-pull"};
  Start();
  co_await Until("the copy", [&] { return Find(api::kSecrets, copy).has_value(); });
  co_await Settle();
  co_await Stop();
  PutInstallation(Installation());
  Start();
  co_await Until("no copy", [&] { return !Find(api::kSecrets, copy).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AWriteThatIsForbiddenIsToldWithWhatToApply) {
  server().Inject({.method = "PATCH",
                   .path_contains = "/clusterroles/",
                   .times = kAlways,
                   .status = 403,
                   .reason = "Forbidden"});
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("ClusterRole"); });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceUpdateError");
  EXPECT_THAT(Degraded(), HasSubstr("apply the operator.yaml of this version"));
  server().ClearFaults();
  co_await Until("not degraded", [&] { return Condition("Degraded") == "False"; });
  co_await Stop();
}

// --- what comes from the cluster ---

ASYNC_TEST_F(TroubleTest, AnEndpointThatCannotBeReadRollsNothing) {
  PutEndpoint("10.0.0.10", "6443");
  co_await StartAvailable();
  co_await Stop();
  EXPECT_THAT(codec::Serialize(*Find(api::kDaemonSets, kNodeKey)), HasSubstr("\"10.0.0.10\""));
  const auto before = Made();
  Forbid("/tigera-operator/configmaps?");
  Start();
  co_await Until("told", [&] { return IsTold("list ConfigMap in tigera-operator"); });
  EXPECT_EQ(Made(), before);
  EXPECT_EQ(NodeGeneration(), 1);
  server().ClearFaults();
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, NothingIsInstalledBeforeTheEndpointIsKnown) {
  PutEndpoint("10.0.0.10", "6443");
  Forbid("/tigera-operator/configmaps?");
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("ConfigMap kubernetes-services-endpoint"); });
  EXPECT_TRUE(Made().empty());
  server().ClearFaults();
  co_await Until("made", [&] { return Made().size() == kObjects; });
  EXPECT_THAT(codec::Serialize(*Find(api::kDaemonSets, kNodeKey)), HasSubstr("\"10.0.0.10\""));
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AWrongEndpointRollsNothingAndIsNamed) {
  co_await StartAvailable();
  const auto before = Made();
  struct Case {
    const char* host;
    const char* port;
    const char* key;
  };
  const Case cases[] = {{"https://10.0.0.10:6443", "6443", "KUBERNETES_SERVICE_HOST"},
                        {"https://api.example.com", "", "KUBERNETES_SERVICE_HOST"},
                        {"10.0.0.10:6443", "6443", "KUBERNETES_SERVICE_HOST"},
                        {"10.0.0.10", "https", "KUBERNETES_SERVICE_PORT"},
                        {"10.0.0.10", "70000", "KUBERNETES_SERVICE_PORT"},
                        {"", "6443", "KUBERNETES_SERVICE_HOST"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.host);
    PutEndpoint(c.host, c.port);
    co_await Until("told", [&] { return IsTold(c.key); });
    EXPECT_THAT(Degraded(), HasSubstr("ConfigMap tigera-operator/kubernetes-services-endpoint: "));
    EXPECT_EQ(Made(), before);
    server().state().Remove(api::kConfigMaps, {"tigera-operator", "kubernetes-services-endpoint"});
    co_await Until("available", [&] { return IsAvailable(); });
  }
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AnEndpointThatIsMadeLaterIsTakenUpWithoutItsLineEnd) {
  co_await StartAvailable();
  const auto has = [&](std::string_view text) {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find(text) != std::string::npos;
  };
  PutEndpoint("10.0.0.10\n", "6443\n");
  co_await Until("the endpoint", [&] { return has("\"10.0.0.10\""); });
  EXPECT_TRUE(has("\"6443\""));
  EXPECT_FALSE(has("10.0.0.10\\n"));
  PutEndpoint("[fd00::10]", "6443");
  co_await Until("the endpoint", [&] { return has("\"fd00::10\""); });
  EXPECT_FALSE(has("[fd00::10]\""));
  co_await Stop();
}

// --- other writers ---

ASYNC_TEST_F(TroubleTest, AWebhookThatRewritesOursIsToldAndNotFought) {
  co_await StartAvailable();
  server().state().SetWebhook([](const api::Resource& resource, json::object& object) {
    if (resource != api::kDaemonSets) return;
    ObjectAt(object, {"spec", "template", "spec"})["priorityClassName"] = "theirs";
  });
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 9091; });
  co_await Until("told", [&] { return IsTold("priorityClassName"); });
  EXPECT_THAT(Degraded(), AllOf(HasSubstr("DaemonSet calico-system/calico-node"),
                                HasSubstr("mutating admission webhook")));
  EXPECT_EQ(Condition("Available"), "False");
  co_await Settle();
  server().ClearRequests();
  EXPECT_THAT(co_await aio::Sleep(absl::Seconds(2)), IsOk());
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 0);
  server().state().SetWebhook(nullptr);
  co_await Until("put right", [&] { return Condition("Degraded") == "False"; });
  json::object now = *Find(api::kDaemonSets, kNodeKey);
  EXPECT_NE(TextAt(ObjectAt(now, {"spec", "template", "spec"}), "priorityClassName"), "theirs");
  co_await Stop();
}

// As policies do that take every image from a mirror and keep system pods apart.
ASYNC_TEST_F(TroubleTest, AWebhookThatOnlyMovesPodsAndImagesIsANote) {
  co_await StartAvailable();
  server().state().SetWebhook([](const api::Resource& resource, json::object& object) {
    if (resource != api::kDaemonSets) return;
    json::object& pod = ObjectAt(object, {"spec", "template", "spec"});
    json::array& tolerations = pod["tolerations"].as_array();
    if (TextAt(tolerations.back().as_object(), "key") != "dedicated") {
      tolerations.push_back({{"key", "dedicated"}, {"operator", "Exists"}});
    }
    for (json::value& container : pod["containers"].as_array()) {
      json::value& image = container.as_object()["image"];
      const std::string before(codec::View(image.as_string()));
      image = "mirror.example.com/all/" + before.substr(before.rfind('/') + 1);
    }
  });
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 9091; });
  co_await Until("applied", [&] { return server().Count("PATCH", "/daemonsets/") > 1; });
  MakeEverythingRun();
  const auto is_noted = [this] {
    return Condition("Available", "message")
               .find("DaemonSet calico-system/calico-node: spec.template.spec.tolerations, ") !=
           std::string::npos;
  };
  co_await Until("a note", [&] { return IsAvailable() && is_noted(); });
  EXPECT_EQ(Condition("Degraded"), "False");
  co_await Settle();
  server().ClearRequests();
  MakeEverythingRun();
  EXPECT_THAT(co_await aio::Sleep(absl::Seconds(1)), IsOk());
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 0);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, ASecondFieldManagerIsNamedAndNotFought) {
  co_await StartAvailable();
  const json::object theirs =
      codec::ParseYaml(
          "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: "
          "calico-system}, spec: {template: {spec: {priorityClassName: theirs}}}}")
          ->as_object();
  const absl::Time end = absl::Now() + kPatience;
  while (absl::Now() < end && !IsTold("priorityClassName")) {
    EXPECT_THAT(co_await client().Apply(api::kDaemonSets, theirs,
                                        {.field_manager = "gitops", .force = true}),
                IsOk());
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(150)), IsOk());
  }
  EXPECT_THAT(Degraded(), AllOf(HasSubstr("DaemonSet calico-system/calico-node: "
                                          "spec.template.spec.priorityClassName"),
                                HasSubstr("by \"gitops\"")));
  EXPECT_EQ(Condition("Available"), "False");
  EXPECT_LE(NodeGeneration(), 12);
  co_await Stop();
}

// --- what does not go ---

ASYNC_TEST_F(TroubleTest, AnObjectThatIsStuckInDeletionIsToldWithItsFinalizer) {
  const api::ObjectKey key = {"calico-system", "calico-node"};
  co_await StartAvailable();
  json::object account = *Find(api::kServiceAccounts, key);
  const json::value uid = account.at("metadata").at("uid");
  ObjectAt(account, {"metadata"})["finalizers"] = json::array{"example.com/protector"};
  ObjectAt(account, {"metadata"})["deletionTimestamp"] = Seconds(absl::Minutes(1));
  server().Put(account);
  co_await Until("told", [&] { return IsTold("example.com/protector"); });
  EXPECT_THAT(Degraded(), HasSubstr("ServiceAccount calico-system/calico-node is being deleted and "
                                    "waits for finalizer example.com/protector"));
  EXPECT_EQ(Condition("Available"), "False");
  co_await Settle();
  server().ClearRequests();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  server().state().Remove(api::kServiceAccounts, key);
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_NE(Find(api::kServiceAccounts, key)->at("metadata").at("uid"), uid);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, ANamespaceThatStillEndsIsWaitedFor) {
  const api::ObjectKey key = {"", "calico-system"};
  const auto ending = [](absl::Duration ago) {
    return json::object{{"apiVersion", "v1"},
                        {"kind", "Namespace"},
                        {"metadata",
                         {{"name", "calico-system"},
                          {"deletionTimestamp", Seconds(ago)},
                          {"finalizers", {"test"}}}},
                        {"status",
                         {{"conditions",
                           {{{"type", "NamespaceContentRemaining"},
                             {"status", "True"},
                             {"message", "configmaps. has 1 resource instances"}}}}}}};
  };
  server().Put(ending(absl::ZeroDuration()));
  PutInstallation(Installation());
  Start();
  co_await Until("progressing", [&] { return Condition("Progressing") == "True"; });
  EXPECT_THAT(Condition("Progressing", "message"),
              HasSubstr("Namespace calico-system is being deleted and waits for"));
  EXPECT_EQ(Condition("Degraded"), "False");
  // Not even what is in no namespace.
  EXPECT_FALSE(Find(api::kClusterRoles, {"", "calico-node"}).has_value());

  json::object late = *Find(api::kNamespaces, key);
  ObjectAt(late, {"metadata"})["deletionTimestamp"] = Seconds(absl::Minutes(1));
  server().Put(late);
  co_await Until("told", [&] { return IsTold("configmaps. has 1 resource instances"); });
  EXPECT_THAT(Degraded(), Not(HasSubstr("forbidden")));
  EXPECT_FALSE(Find(api::kClusterRoles, {"", "calico-node"}).has_value());
  server().state().Remove(api::kNamespaces, key);
  co_await Until("made", [&] { return Made().size() == kObjects; });
  co_await Until("not degraded", [&] { return Condition("Degraded") == "False"; });
  co_await Stop();
}

// A selector cannot be changed, and making the object anew would end all its pods at once.
ASYNC_TEST_F(TroubleTest, AWorkloadWithAnotherSelectorAndPodsNeedsSomebody) {
  co_await StartAvailable();
  json::object changed = *Find(api::kDaemonSets, kNodeKey);
  ObjectAt(changed, {"spec"})["selector"] = json::object{{"matchLabels", {{"x", "y"}}}};
  ObjectAt(changed, {"status"})["currentNumberScheduled"] = 3;
  server().Put(changed);
  co_await Until("told", [&] { return Condition("Degraded") == "True"; });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceUpdateError");
  EXPECT_THAT(Degraded(),
              AllOf(HasSubstr("DaemonSet calico-system/calico-node"), HasSubstr("spec.selector"),
                    HasSubstr("kubectl delete daemonsets --namespace calico-system calico-node")));
  EXPECT_EQ(Condition("Available"), "False");
  server().state().Remove(api::kDaemonSets, kNodeKey);
  co_await Until("made anew", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
}

// --- Installations and definitions ---

ASYNC_TEST_F(TroubleTest, AnInstallationOfAnotherNameIsToldOnce) {
  co_await StartAvailable();
  const auto events = [&] {
    const std::vector<json::object> all = server().state().List(api::kEvents);
    return std::count_if(all.begin(), all.end(), [](const json::object& event) {
      return event.at("reason").as_string() == "NotActedOn" &&
             event.at("involvedObject").at("name").as_string() == "tigera-secure" &&
             event.at("metadata").at("namespace").as_string() == "default";
    });
  };
  json::object other = Installation();
  ObjectAt(other, {"metadata"})["name"] = "tigera-secure";
  const auto before = Made();
  server().Put(other);
  co_await Until("the event", [&] { return events() == 1; });
  ObjectAt(other, {"spec"})["registry"] = "other/";
  server().Put(other);
  co_await Settle();
  EXPECT_EQ(events(), 1);
  EXPECT_EQ(Made(), before);
  EXPECT_TRUE(IsAvailable());
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, TheStatusGoesWithItsInstallation) {
  server().Put({{"apiVersion", "operator.tigera.io/v1"},
                {"kind", "TigeraStatus"},
                {"metadata", {{"name", "calico"}}}});
  co_await StartAvailable();
  const auto owner = [&] {
    const json::value status = *Find(api::kTigeraStatuses, kCalico);
    const json::value* const owners =
        status.at("metadata").as_object().if_contains("ownerReferences");
    return owners == nullptr ? std::string() : codec::Serialize(*owners);
  };
  const std::string uid(
      Find(api::kInstallations, kDefault)->at("metadata").at("uid").as_string().c_str());
  EXPECT_THAT(owner(), AllOf(HasSubstr(uid), HasSubstr("\"kind\":\"Installation\"")));
  server().state().Remove(api::kTigeraStatuses, kCalico);
  co_await Until("again", [&] { return HasConditions(); });
  EXPECT_THAT(owner(), HasSubstr(uid));
  co_await Stop();
}

std::vector<json::object> Definitions() {
  std::vector<json::object> definitions;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    definitions.push_back(codec::ParseYaml(file.content)->as_object());
  }
  return definitions;
}

// Those of a version that knows no key algorithms.
std::vector<json::object> OlderDefinitions() {
  std::vector<json::object> definitions = Definitions();
  for (json::object& definition : definitions) {
    if (definition.at("metadata").at("name") != "installations.operator.tigera.io") continue;
    json::object& version = ObjectAt(definition, {"spec"})["versions"].as_array()[0].as_object();
    ObjectAt(version, {"schema", "openAPIV3Schema", "properties", "spec", "properties",
                       "certificateManagement", "properties"})
        .erase("keyAlgorithm");
  }
  return definitions;
}

ASYNC_TEST_F(TroubleTest, AnOlderDefinitionThatDropsFieldsRollsNothing) {
  co_await StartAvailable();
  co_await Stop();
  const auto before = Made();
  for (json::object& definition : OlderDefinitions()) server().Put(std::move(definition));
  // As the API server shows it then: the generation is the same.
  json::object pruned = *Find(api::kInstallations, kDefault);
  ObjectAt(pruned, {"spec", "certificateManagement"}).erase("keyAlgorithm");
  server().Put(pruned);
  server().ClearRequests();
  Start();
  co_await Until("told", [&] { return IsTold("spec.certificateManagement.keyAlgorithm"); });
  EXPECT_THAT(Degraded(), HasSubstr("kubectl apply --server-side"));
  co_await Settle();
  EXPECT_EQ(Made(), before);
  EXPECT_EQ(server().Count("PATCH", "/installations/"), 0) << "would store what is left of it";
  for (json::object& definition : Definitions()) server().Put(std::move(definition));
  PutInstallation(Installation());
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AFieldThatIsLostStaysToldUntilItIsSetAgain) {
  const auto with_key = [](json::object object) {
    ObjectAt(object, {"spec", "certificateManagement"})["keyAlgorithm"] = "ECDSAWithCurve256";
    ObjectAt(object, {"metadata"})["annotations"] = {
        {"kubectl.kubernetes.io/last-applied-configuration",
         R"({"spec":{"certificateManagement":{"keyAlgorithm":"ECDSAWithCurve256"}}})"}};
    return object;
  };
  PutInstallation(with_key(Installation()));
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
  const auto before = Made();
  for (json::object& definition : OlderDefinitions()) server().Put(std::move(definition));
  json::object pruned = *Find(api::kInstallations, kDefault);
  ObjectAt(pruned, {"spec", "certificateManagement"}).erase("keyAlgorithm");
  server().Put(pruned);
  Start();
  co_await Until("told", [&] { return IsTold("kubectl apply --server-side"); });
  for (json::object& definition : Definitions()) server().Put(std::move(definition));
  co_await Until("lost",
                 [&] { return IsTold("may have lost spec.certificateManagement.keyAlgorithm"); });
  co_await Settle();
  EXPECT_EQ(Made(), before);
  PutInstallation(with_key(*Find(api::kInstallations, kDefault)));
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AFieldThatTheOverlayHasLostIsToldByItsName) {
  const auto put_overlay = [&](bool is_pruned) {
    json::object installation = Installation();
    json::object management = ObjectAt(installation, {"spec", "certificateManagement"});
    management["keyAlgorithm"] = "ECDSAWithCurve384";
    if (is_pruned) management.erase("keyAlgorithm");
    server().Put(
        {{"apiVersion", "operator.tigera.io/v1"},
         {"kind", "Installation"},
         {"metadata",
          {{"name", "overlay"},
           {"annotations",
            {{"kubectl.kubernetes.io/last-applied-configuration",
              R"({"spec":{"certificateManagement":{"keyAlgorithm":"ECDSAWithCurve384"}}})"}}}}},
         {"spec", {{"certificateManagement", std::move(management)}}}});
  };
  put_overlay(false);
  co_await StartAvailable();
  const auto before = Made();
  // The Installation stays as it is, and its definition has been looked at before.
  for (json::object& definition : OlderDefinitions()) server().Put(std::move(definition));
  put_overlay(true);
  co_await Until("told", [&] { return IsTold("kubectl apply --server-side"); });
  for (json::object& definition : Definitions()) server().Put(std::move(definition));
  co_await Until("lost", [&] {
    return IsTold("Installation overlay was stored by an older CustomResourceDefinition");
  });
  co_await Settle();
  EXPECT_EQ(Made(), before);
  put_overlay(false);
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AnOlderDefinitionOfWhichNothingWasUsedIsNoObstacleLater) {
  json::object object = Installation();
  ObjectAt(object, {"spec", "certificateManagement"}).erase("keyAlgorithm");
  PutInstallation(std::move(object));
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Stop();
  const auto before = Made();
  for (json::object& definition : OlderDefinitions()) server().Put(std::move(definition));
  Start();
  co_await Until("told", [&] { return IsTold("kubectl apply --server-side"); });
  for (json::object& definition : Definitions()) server().Put(std::move(definition));
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, ADefinitionThatLacksNothingNeededIsUpdatedAfterTheFirstPass) {
  for (json::object& definition : Definitions()) {
    if (definition.at("metadata").at("name") == "whiskers.operator.tigera.io") {
      ObjectAt(definition, {"spec", "names"})["singular"] = "formerly";
    }
    definition["status"] =
        json::object{{"conditions", {{{"type", "Established"}, {"status", "True"}}}}};
    server().Put(std::move(definition));
  }
  PutInstallation(Installation());
  Start(/*leader_elect=*/false, /*manage_crds=*/true);
  const auto first = [&](std::string_view path) {
    const auto& requests = server().requests();
    return std::ranges::find_if(requests,
                                [&](const auto& request) {
                                  return request.method == "PATCH" &&
                                         request.path.find(path) != std::string::npos;
                                }) -
           requests.begin();
  };
  co_await Until("updated", [&] {
    return server().Count("PATCH", "/customresourcedefinitions/whiskers") > 0;
  });
  EXPECT_LT(first("/daemonsets/"), first("/customresourcedefinitions/"));
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, ADefinitionThatCannotBeReadIsTold) {
  Forbid("/customresourcedefinitions/");
  PutInstallation(Installation());
  Start();
  co_await Until("told", [&] { return IsTold("get CustomResourceDefinition"); });
  EXPECT_TRUE(Find(api::kDaemonSets, kNodeKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, WithoutTheRightToDefinitionsItGoesOnAndSaysSo) {
  Forbid("/customresourcedefinitions/");
  PutInstallation(Installation());
  Start(/*leader_elect=*/false, /*manage_crds=*/true);
  co_await Until("told", [&] { return IsTold("--manage-crds=false"); });
  EXPECT_TRUE(Find(api::kDaemonSets, kNodeKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, AKindThatIsGoneDoesNotLeaveAnOldStatus) {
  co_await StartAvailable();
  server().ClearRequests();
  server().state().SetServed(api::kInstallations, false);
  server().DropWatches();
  co_await Until("told", [&] { return IsTold("apply the crds.yaml of this version"); });
  EXPECT_EQ(Condition("Available"), "False");
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 0);
  server().state().SetServed(api::kInstallations, true);
  co_await Until("available", [&] { return IsAvailable(); });
  EXPECT_EQ(NodeGeneration(), 1);
  co_await Stop();
}

ASYNC_TEST_F(TroubleTest, DefinitionsThatAreDeletedComeBackAndItGoesOn) {
  std::vector<api::ObjectKey> keys;
  for (const json::object& definition : Definitions()) {
    keys.push_back({"", std::string(definition.at("metadata").at("name").as_string())});
  }
  const auto establish = [&](const api::ObjectKey& key) {
    json::object definition = *Find(api::kCustomResourceDefinitions, key);
    definition["status"] =
        json::object{{"conditions", {{{"type", "Established"}, {"status", "True"}}}}};
    server().Put(std::move(definition));
  };
  PutInstallation(Installation());
  Start(/*leader_elect=*/false, /*manage_crds=*/true);
  for (const api::ObjectKey& key : keys) {
    co_await Until("definition",
                   [&] { return Find(api::kCustomResourceDefinitions, key).has_value(); });
    establish(key);
  }
  co_await Until("conditions", [&] { return HasConditions(); });
  server().state().Remove(api::kInstallations, kDefault);
  server().state().Remove(api::kTigeraStatuses, kCalico);
  server().state().SetServed(api::kInstallations, false);
  server().state().SetServed(api::kTigeraStatuses, false);
  for (const api::ObjectKey& key : keys) {
    server().state().Remove(api::kCustomResourceDefinitions, key);
  }
  server().DropWatches();
  for (const api::ObjectKey& key : keys) {
    co_await Until("definition again",
                   [&] { return Find(api::kCustomResourceDefinitions, key).has_value(); });
    establish(key);
  }
  server().state().SetServed(api::kInstallations, true);
  server().state().SetServed(api::kTigeraStatuses, true);
  PutInstallation(Installation());
  co_await Until("conditions again", [&] { return HasConditions(); });
  EXPECT_FALSE(operator_->exit_code.has_value());
  co_await Stop();
}

}  // namespace
}  // namespace calico::installation
