// The whole operator in this process with the kinds beside Installation: APIServer, ImageSet,
// Goldmane, Whisker, and an Installation `overlay`.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/crds.h"
#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/render/releases.h"
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
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const api::ObjectKey kApiServerKey = {"calico-system", "calico-apiserver"};
const api::ObjectKey kApiService = {"", "v3.projectcalico.org"};
constexpr char kDigest[] =
    "sha256:0123456789012345678901234567890123456789012345678901234567890123";
constexpr char kImageSet[] = "calico-v3.32.1";

class KindsTest : public OperatorProgramTest {
 protected:
  // A release whose API server has an image of its own.
  KindsTest() { release_ = *render::Releases::Embedded().Find("v3.32"); }

  void Put(std::string_view kind, std::string_view name, json::object spec) {
    server().Put({{"apiVersion", "operator.tigera.io/v1"},
                  {"kind", kind},
                  {"metadata", {{"name", name}, {"generation", ++kind_generation_}}},
                  {"spec", std::move(spec)}});
  }
  void PutApiServer(json::object spec = {}, std::string_view name = "default") {
    Put("APIServer", name, std::move(spec));
  }
  // A set with a digest of every image, but for these.
  void PutImageSet(std::string_view name, const std::string& without = "") {
    json::array images;
    for (const auto& [reference, key] : release_->images().KeysByReference({})) {
      if (key != without) images.push_back({{"image", key}, {"digest", kDigest}});
    }
    Put("ImageSet", name, {{"images", std::move(images)}});
  }
  // A field of a condition of a TigeraStatus; empty: not there.
  std::string Of(std::string_view status, std::string_view type,
                 std::string_view field = "status") {
    std::optional<json::object> found = Find(api::kTigeraStatuses, {"", std::string(status)});
    if (!found.has_value() || !found->contains("status")) return "";
    for (json::value& condition : render::ArrayAt(*found, {"status", "conditions"})) {
      if (TextAt(condition.as_object(), "type") == type) {
        return std::string(TextAt(condition.as_object(), field));
      }
    }
    return "";
  }
  bool IsApiServerAvailable() { return Of("apiserver", "Available") == "True"; }
  void MakeApiServerRun() {
    SetStatus(api::kDeployments, kApiServerKey,
              {{"observedGeneration", 9},
               {"replicas", 2},
               {"updatedReplicas", 2},
               {"readyReplicas", 2},
               {"availableReplicas", 2}});
  }
  void SetApiService(std::string_view status) {
    SetStatus(api::kApiServices, kApiService,
              {{"conditions",
                {{{"type", "Available"},
                  {"status", status},
                  {"reason", status == "True" ? "Passed" : "FailedDiscoveryCheck"},
                  {"message", status == "True" ? "all checks passed" : "no response from 10.0.0.5"},
                  {"lastTransitionTime", "2026-01-02T03:04:05Z"}}}}});
  }
  aio::Task<void> StartAvailable() {
    PutInstallation(Installation());
    Start();
    co_await Until("conditions", [&] { return HasConditions(); });
    MakeEverythingRun();
    co_await Until("available", [&] { return IsAvailable(); });
  }
  aio::Task<void> StartWithApiServer() {
    PutApiServer();
    PutInstallation(Installation());
    Start();
    co_await Until("conditions", [&] { return !Of("apiserver", "Degraded").empty(); });
    MakeEverythingRun();
    MakeApiServerRun();
    SetApiService("True");
    co_await Until("available", [&] { return IsAvailable() && IsApiServerAvailable(); });
    co_await Settle();
  }
  std::string Image(const api::Resource& resource, const api::ObjectKey& key) {
    std::optional<json::object> object = Find(resource, key);
    if (!object.has_value()) return "";
    json::array& containers = render::ArrayAt(render::PodSpec(*object), {"containers"});
    return std::string(TextAt(containers.front().as_object(), "image"));
  }
  std::string Owner(const api::Resource& resource, const api::ObjectKey& key) {
    const std::optional<json::object> object = Find(resource, key);
    if (!object.has_value()) return "";
    const json::object& owner = object->at("metadata").at("ownerReferences").at(0).as_object();
    return fmt::format("{}/{}", TextAt(owner, "kind"), TextAt(owner, "name"));
  }
  json::object StatusOf(const api::Resource& resource) {
    json::object object = *Find(resource, kDefault);
    return object.contains("status") ? object.at("status").as_object() : json::object();
  }

 private:
  int kind_generation_ = 0;
};

// --- APIServer ---

ASYNC_TEST_F(KindsTest, AnApiServerIsInstalledAndCounted) {
  PutApiServer();
  PutInstallation(Installation());
  Start();
  co_await Until("progress", [&] { return Of("apiserver", "Progressing") == "True"; });
  EXPECT_EQ(Owner(api::kDeployments, kApiServerKey), "APIServer/default");
  EXPECT_EQ(Owner(api::kApiServices, kApiService), "APIServer/default");
  EXPECT_EQ(Owner(api::kDaemonSets, kNodeKey), "Installation/default");
  EXPECT_THAT(Of("apiserver", "Progressing", "message"),
              HasSubstr("Deployment \"calico-system/calico-apiserver\""));
  EXPECT_EQ(Of("apiserver", "Available"), "False");
  // Each is counted for itself.
  MakeApiServerRun();
  SetApiService("True");
  co_await Until("the API server available", [&] { return IsApiServerAvailable(); });
  EXPECT_FALSE(IsAvailable());
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  EXPECT_EQ(Of("apiserver", "Available", "reason"), "AllObjectsAvailable");
  EXPECT_EQ(StatusOf(api::kApiServers).at("conditions").at(2).at("type"), "Ready");
  server().ClearRequests();
  MakeApiServerRun();
  server().DropWatches();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
  Start();
  co_await Until("watches", [&] { return server().watches() > 20; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AnApiServiceThatDoesNotAnswerIsNotAvailable) {
  PutApiServer();
  PutInstallation(Installation());
  Start();
  co_await Until("progress", [&] { return Of("apiserver", "Progressing") == "True"; });
  MakeEverythingRun();
  MakeApiServerRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Until("told", [&] {
    return Of("apiserver", "Progressing", "message")
               .find("APIService v3.projectcalico.org is not looked at yet") != std::string::npos;
  });
  SetApiService("False");
  co_await Until("the cause", [&] {
    return Of("apiserver", "Progressing", "message").find("no response from 10.0.0.5") !=
           std::string::npos;
  });
  EXPECT_EQ(Of("apiserver", "Available"), "False");
  SetApiService("True");
  co_await Until("available", [&] { return IsApiServerAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AWrongApiServerIsToldInItsOwnStatusAndNothingElseStops) {
  co_await StartWithApiServer();
  const auto before = Made();
  PutApiServer(
      {{"apiServerDeployment",
        {{"spec", {{"template", {{"spec", {{"containers", {{{"name", "calico-nope"}}}}}}}}}}}}});
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "InvalidConfigurationError");
  EXPECT_THAT(Of("apiserver", "Degraded", "message"),
              AllOf(HasSubstr("Invalid APIServer provided: spec.apiServerDeployment"),
                    HasSubstr("calico-nope")));
  EXPECT_EQ(Of("apiserver", "Available"), "False");
  EXPECT_TRUE(IsAvailable()) << StatusText();
  EXPECT_EQ(Made(), before);
  // The Installation goes on meanwhile.
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 9091; });
  co_await Until("the new port", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find("9091") != std::string::npos;
  });
  EXPECT_EQ(Find(api::kDeployments, kApiServerKey)->at("metadata").at("generation"), 1);
  PutApiServer();
  co_await Until("available again", [&] { return IsApiServerAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, OverridesOfTheApiServerAreRenderedAndWriteOneObject) {
  co_await StartWithApiServer();
  server().ClearRequests();
  PutApiServer({{"apiServerDeployment", {{"spec", {{"minReadySeconds", 7}}}}}});
  co_await Until("the override", [&] {
    return codec::Serialize(*Find(api::kDeployments, kApiServerKey))
               .find("\"minReadySeconds\":7") != std::string::npos;
  });
  co_await Settle();
  EXPECT_EQ(server().Count("PATCH", "/deployments/"), 1);
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 0);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AWrongInstallationLeavesTheApiServerAndPointsToTheCause) {
  co_await StartWithApiServer();
  const auto before = Made();
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 99999; });
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "ResourceNotReady");
  EXPECT_THAT(
      Of("apiserver", "Degraded", "message"),
      AllOf(HasSubstr("Installation default"), HasSubstr("kubectl get tigerastatus calico")));
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AnApiServerWithoutAnInstallationSaysWhatIsMissing) {
  PutApiServer();
  Start();
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "ResourceNotFound");
  EXPECT_THAT(Of("apiserver", "Degraded", "message"),
              HasSubstr("there is no Installation default"));
  EXPECT_FALSE(Find(api::kDeployments, kApiServerKey).has_value());
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, TheStatusGoesWithTheApiServerAndCalicoStays) {
  co_await StartWithApiServer();
  EXPECT_EQ(Owner(api::kTigeraStatuses, {"", "apiserver"}), "APIServer/default");
  const json::object node = *Find(api::kDaemonSets, kNodeKey);
  server().state().Remove(api::kApiServers, kDefault);
  co_await Until("no status",
                 [&] { return !Find(api::kTigeraStatuses, {"", "apiserver"}).has_value(); });
  co_await Settle();
  EXPECT_TRUE(IsAvailable());
  EXPECT_EQ(*Find(api::kDaemonSets, kNodeKey), node);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, TheOlderNameOwnsWhatIsMadeForItAndTwoAreOneTooMany) {
  PutApiServer({}, "tigera-secure");
  PutInstallation(Installation());
  Start();
  co_await Until("applied", [&] { return Find(api::kDeployments, kApiServerKey).has_value(); });
  EXPECT_EQ(Owner(api::kDeployments, kApiServerKey), "APIServer/tigera-secure");
  co_await Until("its status", [&] { return !Of("apiserver", "Degraded").empty(); });
  EXPECT_EQ(Owner(api::kTigeraStatuses, {"", "apiserver"}), "APIServer/tigera-secure");
  PutApiServer();
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_THAT(
      Of("apiserver", "Degraded", "message"),
      AllOf(HasSubstr("two APIServers"), HasSubstr("kubectl delete apiserver tigera-secure")));
  EXPECT_EQ(Owner(api::kDeployments, kApiServerKey), "APIServer/tigera-secure");
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, CalicoV327RunsItInANamespaceOfItsOwnThatIsWatchedOnlyThen) {
  release_ = *render::Releases::Embedded().Find("v3.27");
  const api::ObjectKey key = {"calico-apiserver", "calico-apiserver"};
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  for (const char* kind : {"pods", "deployments", "services"}) {
    EXPECT_EQ(server().Count("GET", fmt::format("/namespaces/calico-apiserver/{}", kind)), 0);
  }
  PutApiServer();
  co_await Until("progress", [&] { return Of("apiserver", "Progressing") == "True"; });
  EXPECT_THAT(Of("apiserver", "Progressing", "message"),
              HasSubstr("Deployment \"calico-apiserver/calico-apiserver\""));
  EXPECT_EQ(Owner(api::kNamespaces, {"", "calico-apiserver"}), "APIServer/default");
  SetStatus(api::kDeployments, key,
            {{"observedGeneration", 9},
             {"replicas", 2},
             {"updatedReplicas", 2},
             {"readyReplicas", 2},
             {"availableReplicas", 2}});
  SetApiService("True");
  co_await Until("available", [&] { return IsApiServerAvailable(); });
  // Another text of the same condition comes a little later.
  co_await Until("workloads seen", [&] {
    return Of("calico", "Progressing", "message").find("is being created") == std::string::npos;
  });
  co_await Settle();
  server().ClearRequests();
  server().DropWatches();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
  Start();
  co_await Until("watches", [&] { return server().watches() > 24; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, TheOperatorAsCaMakesItsKeyPairWhichGoesWithIt) {
  PutApiServer({}, "tigera-secure");
  json::object installation = Installation();
  ObjectAt(installation, {"spec"}).erase("certificateManagement");
  PutInstallation(std::move(installation));
  Start();
  co_await Until("the API server",
                 [&] { return Find(api::kDeployments, kApiServerKey).has_value(); });
  EXPECT_EQ(Owner(api::kSecrets, {"calico-system", "calico-apiserver-certs"}),
            "APIServer/tigera-secure");
  json::object deployment = *Find(api::kDeployments, kApiServerKey);
  EXPECT_FALSE(render::PodSpec(deployment).contains("initContainers"));
  json::object& volume = render::Named(render::ArrayAt(render::PodSpec(deployment), {"volumes"}),
                                       "calico-apiserver-certs");
  EXPECT_EQ(TextAt(ObjectAt(volume, {"secret"}), "secretName"), "calico-apiserver-certs");
  co_await Until("the APIService",
                 [&] { return Find(api::kApiServices, kApiService).has_value(); });
  json::object ca = *Find(api::kSecrets, {"tigera-operator", "tigera-ca-private"});
  json::object service = *Find(api::kApiServices, kApiService);
  EXPECT_EQ(TextAt(ObjectAt(service, {"spec"}), "caBundle"),
            TextAt(ObjectAt(ca, {"data"}), "tls.crt"));
  // A wrong one keeps what it has.
  const json::object pair = *Find(api::kSecrets, {"calico-system", "calico-apiserver-certs"});
  Put("APIServer", "tigera-secure", {{"logging", {{"apiServer", {{"logSeverity", "Loud"}}}}}});
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  co_await Settle();
  EXPECT_EQ(*Find(api::kSecrets, {"calico-system", "calico-apiserver-certs"}), pair);
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AnOlderDefinitionOfTheApiServerStopsTheApiServerAlone) {
  json::object definition;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    json::object object = codec::ParseYaml(file.content)->as_object();
    if (TextAt(ObjectAt(object, {"metadata"}), "name") == "apiservers.operator.tigera.io") {
      definition = std::move(object);
    }
  }
  json::object older = definition;
  json::object& version = ObjectAt(older, {"spec"})["versions"].as_array()[0].as_object();
  ObjectAt(version, {"schema", "openAPIV3Schema", "properties", "spec", "properties"})
      .erase("logging");
  server().Put(older);
  PutApiServer();
  co_await StartAvailable();
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "ResourceValidationError");
  EXPECT_THAT(Of("apiserver", "Degraded", "message"),
              AllOf(HasSubstr("apiservers.operator.tigera.io is older than this operator"),
                    HasSubstr("spec.logging"), HasSubstr("kubectl apply --server-side")));
  EXPECT_FALSE(Find(api::kDeployments, kApiServerKey).has_value());
  EXPECT_TRUE(IsAvailable()) << StatusText();
  server().Put(definition);
  PutApiServer();
  co_await Until("it heals", [&] { return Find(api::kDeployments, kApiServerKey).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, ABrokenPairOfTheApiServerIsToldThereAloneAndWhatRunsStays) {
  const api::ObjectKey original = {"tigera-operator", "calico-apiserver-certs"};
  co_await StartWithApiServer();
  const auto put_broken = [&] {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Secret"},
                  {"metadata", {{"name", original.name}, {"namespace", original.ns}}},
                  {"type", "Opaque"},
                  {"data", {{"tls.crt", "YnJva2Vu"}}}});
  };
  const auto is_told = [&] { return Of("apiserver", "Degraded") == "True"; };
  const auto made = [&] {
    auto others = Made();
    others.erase("Secret calico-apiserver-certs");
    return std::pair(std::move(others), Find(api::kSecrets, {"calico-system", original.name}));
  };
  const auto check = [&]() -> aio::Task<void> {
    const auto before = made();
    put_broken();
    co_await Until("told", is_told);
    EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "CertificateError");
    EXPECT_THAT(Of("apiserver", "Degraded", "message"),
                HasSubstr("Secret tigera-operator/calico-apiserver-certs"));
    co_await Settle();
    EXPECT_TRUE(IsAvailable()) << StatusText();
    EXPECT_EQ(made(), before);
  };
  // Its pods have certificates that they asked for.
  co_await check();
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 9091; });
  co_await Until("calico-node goes on", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find("9091") != std::string::npos;
  });
  EXPECT_TRUE(is_told());
  server().state().Remove(api::kSecrets, original);
  co_await Until("it heals", [&] { return IsApiServerAvailable(); });
  // Now they mount a copy.
  json::object installation = *Find(api::kInstallations, kDefault);
  ObjectAt(installation, {"spec"}).erase("certificateManagement");
  PutInstallation(std::move(installation));
  co_await Until("the copy", [&] {
    return Find(api::kSecrets, {"calico-system", original.name}).has_value() &&
           codec::Serialize(*Find(api::kDeployments, kApiServerKey)).find("key-cert-provisioner") ==
               std::string::npos;
  });
  co_await Settle();
  MakeEverythingRun();
  MakeApiServerRun();
  co_await Until("available", [&] { return IsAvailable() && IsApiServerAvailable(); });
  co_await Settle();
  co_await check();
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, ARefusedObjectOfTheApiServerIsToldThereAlone) {
  server().Inject({.method = "PATCH",
                   .path_contains = "/apiservices/",
                   .times = 1000,
                   .status = 403,
                   .reason = "Forbidden"});
  PutApiServer();
  co_await StartAvailable();
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "ResourceUpdateError");
  EXPECT_THAT(Of("apiserver", "Degraded", "message"), HasSubstr("apply the operator.yaml"));
  EXPECT_TRUE(IsAvailable()) << StatusText();
  server().ClearFaults();
  co_await Until("it heals", [&] { return Find(api::kApiServices, kApiService).has_value(); });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, APodOfTheApiServerThatIsRefusedItsCertificateIsToldThere) {
  PutApiServer();
  co_await StartAvailable();
  co_await Until("applied", [&] { return Find(api::kDeployments, kApiServerKey).has_value(); });
  const std::string deployment_uid(
      TextAt(ObjectAt(*std::make_unique<json::object>(*Find(api::kDeployments, kApiServerKey)),
                      {"metadata"}),
             "uid"));
  server().Put({{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata",
                 {{"name", "calico-apiserver-5d-x"},
                  {"namespace", "calico-system"},
                  {"uid", "abcdef12-3456"},
                  {"labels", {{"k8s-app", "calico-apiserver"}, {"pod-template-hash", "5d"}}},
                  {"ownerReferences",
                   {{{"apiVersion", "apps/v1"},
                     {"kind", "ReplicaSet"},
                     {"name", "calico-apiserver-5d"},
                     {"uid", "rs"},
                     {"controller", true}}}}}},
                {"spec", {{"serviceAccountName", "calico-apiserver"}}},
                {"status", {{"phase", "Pending"}}}});
  server().Put({{"apiVersion", "certificates.k8s.io/v1"},
                {"kind", "CertificateSigningRequest"},
                {"metadata", {{"name", "calico-system:calico-apiserver-5d-x:abcdef"}}},
                {"spec",
                 {{"signerName", "example.com/signer"},
                  {"username", "system:serviceaccount:calico-system:calico-apiserver"},
                  {"extra", {{"authentication.kubernetes.io/pod-uid", {"abcdef12-3456"}}}}}},
                {"status",
                 {{"conditions",
                   {{{"type", "Denied"},
                     {"status", "True"},
                     {"reason", "Denied"},
                     {"message", "rule dns-names: no"}}}}}}});
  co_await Until("told", [&] { return Of("apiserver", "Degraded") == "True"; });
  EXPECT_EQ(Of("apiserver", "Degraded", "reason"), "CertificateError");
  EXPECT_THAT(Of("apiserver", "Degraded", "message"),
              AllOf(HasSubstr("calico-apiserver-5d-x"), HasSubstr("rule dns-names: no")));
  EXPECT_TRUE(IsAvailable()) << StatusText();
  co_await Stop();
}

// --- what cannot be looked at ---

ASYNC_TEST_F(KindsTest, KindsThatAreNotServedAreNotMissed) {
  for (const api::Resource* kind :
       {&api::kApiServers, &api::kImageSets, &api::kGoldmanes, &api::kWhiskers}) {
    server().state().SetServed(*kind, false);
  }
  co_await StartAvailable();
  co_await Settle();
  EXPECT_TRUE(IsAvailable()) << StatusText();
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, ARightThatIsMissingIsToldAndWhatRunsStays) {
  co_await StartWithApiServer();
  PutImageSet(kImageSet);
  co_await Until("digests", [&] {
    return Image(api::kDaemonSets, kNodeKey).find(kDigest) != std::string::npos;
  });
  MakeEverythingRun();
  MakeApiServerRun();
  co_await Until("told", [&] { return StatusOf(api::kInstallations).contains("imageSet"); });
  co_await Settle();
  co_await Stop();
  const auto before = Made();
  for (const char* path : {"/apiservers", "/imagesets"}) {
    server().Inject({.method = "GET",
                     .path_contains = path,
                     .times = 1'000'000,
                     .status = 403,
                     .reason = "Forbidden"});
  }
  Start();
  co_await Until("told", [&] { return Condition("Degraded") == "True"; });
  EXPECT_THAT(Condition("Degraded", "message"),
              AllOf(HasSubstr("list APIServer"), HasSubstr("list ImageSet"), HasSubstr(kImageSet)));
  EXPECT_EQ(Made(), before);
  EXPECT_TRUE(IsApiServerAvailable());
  server().ClearFaults();
  co_await Until("available again", [&] { return IsAvailable(); });
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

// --- ImageSet ---

ASYNC_TEST_F(KindsTest, AnImageSetIsAppliedToldAndLeft) {
  co_await StartWithApiServer();
  EXPECT_FALSE(StatusOf(api::kInstallations).contains("imageSet"));
  const std::string by_tag = Image(api::kDaemonSets, kNodeKey);
  PutImageSet(kImageSet);
  co_await Until("digests", [&] {
    return Image(api::kDaemonSets, kNodeKey).find(kDigest) != std::string::npos &&
           Image(api::kDeployments, kApiServerKey).find(kDigest) != std::string::npos;
  });
  EXPECT_THAT(Image(api::kDaemonSets, kNodeKey), EndsWith(fmt::format("node@{}", kDigest)));
  MakeEverythingRun();
  co_await Until("told", [&] { return StatusOf(api::kInstallations).contains("imageSet"); });
  EXPECT_EQ(StatusOf(api::kInstallations).at("imageSet"), kImageSet);
  server().state().Remove(api::kImageSets, {"", kImageSet});
  co_await Until("tags", [&] { return Image(api::kDaemonSets, kNodeKey) == by_tag; });
  MakeEverythingRun();
  co_await Until("not told any more",
                 [&] { return !StatusOf(api::kInstallations).contains("imageSet"); });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AnImageSetThatLacksAnImageOrIsOfAnotherReleaseChangesNothing) {
  co_await StartWithApiServer();
  const auto before = Made();
  PutImageSet("calico-v3.99.0");
  co_await Until("told", [&] { return Condition("Degraded") == "True"; });
  EXPECT_THAT(Condition("Degraded", "message"),
              AllOf(HasSubstr("calico-v3.99.0"), HasSubstr(kImageSet)));
  PutImageSet(kImageSet, "calico/node");
  co_await Until("the image", [&] {
    return Condition("Degraded", "message").find("has no image calico/node") != std::string::npos;
  });
  EXPECT_EQ(Condition("Degraded", "reason"), "ResourceValidationError");
  EXPECT_EQ(Made(), before);
  // One that only the API server lacks is its trouble alone.
  PutImageSet(kImageSet, "calico/apiserver");
  co_await Until("digests", [&] {
    return Image(api::kDaemonSets, kNodeKey).find(kDigest) != std::string::npos;
  });
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Until("told", [&] {
    return Of("apiserver", "Degraded", "message").find("has no image calico/apiserver") !=
           std::string::npos;
  });
  EXPECT_THAT(Image(api::kDeployments, kApiServerKey), Not(HasSubstr(kDigest)));
  co_await Stop();
}

// --- overlay, and what the Installation's status shows ---

ASYNC_TEST_F(KindsTest, AnOverlayIsMergedAndItsMistakesAreCalledByItsName) {
  co_await StartAvailable();
  co_await Settle();
  server().ClearRequests();
  Put("Installation", "overlay", {{"nodeMetricsPort", 9097}});
  co_await Until("the field of the overlay", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find("9097") != std::string::npos;
  });
  co_await Settle();
  EXPECT_EQ(server().Count("PATCH", "/daemonsets/"), 1);
  for (const json::object& event : server().state().List(api::kEvents)) {
    EXPECT_NE(event.at("reason"), "NotActedOn");
  }
  MakeEverythingRun();
  co_await Until("shown", [&] {
    const json::object status = StatusOf(api::kInstallations);
    return status.contains("computed") &&
           status.at("computed").as_object().contains("nodeMetricsPort");
  });
  EXPECT_EQ(Find(api::kInstallations, kDefault)->at("spec"), Installation().at("spec"));
  const json::object node = *Find(api::kDaemonSets, kNodeKey);
  Put("Installation", "overlay", {{"nodeMetricsPort", 99999}});
  co_await Until("told", [&] { return Condition("Degraded") == "True"; });
  EXPECT_THAT(Condition("Degraded", "message"),
              AllOf(HasSubstr("Installation overlay"), HasSubstr("spec.nodeMetricsPort")));
  EXPECT_EQ(*Find(api::kDaemonSets, kNodeKey), node);
  server().state().Remove(api::kInstallations, {"", "overlay"});
  co_await Until("without it", [&] {
    return codec::Serialize(*Find(api::kDaemonSets, kNodeKey)).find("9097") == std::string::npos;
  });
  MakeEverythingRun();
  co_await Until("not shown", [&] {
    return !StatusOf(api::kInstallations).at("computed").as_object().contains("nodeMetricsPort");
  });
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, AMistakeOfTheInstallationIsNotBlamedOnTheOverlay) {
  Put("Installation", "overlay", {{"controlPlaneReplicas", 3}});
  json::object object = Installation();
  ObjectAt(object, {"spec"})["nodeMetricsPort"] = 99999;
  PutInstallation(std::move(object));
  Start();
  co_await Until("told", [&] { return Condition("Degraded") == "True"; });
  EXPECT_THAT(Condition("Degraded", "message"),
              AllOf(HasSubstr("spec.nodeMetricsPort"), Not(HasSubstr("overlay"))));
  co_await Stop();
}

ASYNC_TEST_F(KindsTest, TheComputedSpecIsShownWithEveryDefaultAndWrittenOnlyWhenItChanges) {
  PutInstallation(Installation());
  Start();
  co_await Until("conditions", [&] { return HasConditions(); });
  EXPECT_FALSE(StatusOf(api::kInstallations).contains("computed"));
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Settle();
  const json::object computed = StatusOf(api::kInstallations).at("computed").as_object();
  EXPECT_EQ(computed.at("cni").at("type"), "Calico");
  EXPECT_EQ(computed.at("controlPlaneReplicas"), 2);
  EXPECT_EQ(computed.at("certificateManagement"),
            Installation().at("spec").at("certificateManagement"));
  EXPECT_EQ(Find(api::kInstallations, kDefault)->at("spec"), Installation().at("spec"));
  server().ClearRequests();
  MakeEverythingRun();
  server().DropWatches();
  co_await Settle();
  EXPECT_EQ(server().Count("PATCH", "/installations/"), 0);
  co_await Stop();
}

// --- the stock file ---

ASYNC_TEST_F(KindsTest, TheFourKindsOfTheStockFileHaveAStatusEach) {
  Put("Goldmane", "default", {});
  Put("Whisker", "default", {});
  co_await StartWithApiServer();
  EXPECT_EQ(Of("goldmane", "Degraded", "reason"), "NotApplicable");
  EXPECT_EQ(Of("whisker", "Degraded", "reason"), "NotApplicable");
  EXPECT_LT(server().requests().size(), 250U);
  co_await Stop();
}

}  // namespace
}  // namespace calico::installation
