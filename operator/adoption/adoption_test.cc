// Adoption of what Tigera's operator has made, loaded as it would have written it.
#include "operator/adoption/adoption.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/adoption/report_text.h"
#include "operator/certificates/annotation_hash.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/file.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::adoption {
namespace {

using base::IsOk;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const api::ObjectKey kOperator = {"tigera-operator", "tigera-operator"};
const api::ObjectKey kDefault = {"", "default"};
const api::ObjectKey kNode = {"calico-system", "calico-node"};
const api::ObjectKey kTypha = {"calico-system", "calico-typha"};
const api::ObjectKey kAccount = {"calico-system", "calico-cni-plugin"};
constexpr char kUid[] = "uid-of-the-installation";

class AdoptionTest : public kube::FakeApiServerTest {
 protected:
  // In place of the public roots, of which pods have a hash, stands a sentence, and the newest
  // release was recorded from its branch.
  static std::vector<json::value> Read(const std::string& path) {
    const std::string hash = certificates::AnnotationHash("the system's roots");
    const std::string text =
        absl::StrReplaceAll(base::ReadFile("testdata/reference/" + path).value(),
                            {{"f453dcdeff35b0f5a3d47a1758ca51606ea84450", hash},
                             {"b98a43188b590a26a53c816c2d3f871f8caba424", hash},
                             {":release-v3.33", ":v3.33.1"}});
    return codec::ParseYamlDocuments(text, {.max_nodes = 2'000'000}).value();
  }

  // The Installation and the objects of a recorded case, as Tigera's operator writes them.
  aio::Task<void> Load(std::string name, std::string version = "v3.32.1") {
    former_ = std::make_unique<kube::Client>(executor(), server().Config(), logger(),
                                             kube::ClientOptions{.user_agent = "operator"});
    json::object installation = Read(name + "/installation-after.yaml").front().as_object();
    installation["metadata"].as_object()["uid"] = kUid;
    installation["metadata"].as_object()["finalizers"] = json::array{"tigera.io/operator-cleanup"};
    installation["status"] = json::object{{"calicoVersion", version}};
    server().Put(std::move(installation));
    for (const char* const file : {"/installation-input.yaml", "/world.yaml"}) {
      if (!std::filesystem::exists("testdata/reference/" + name + file)) continue;
      for (json::value& document : Read(name + file)) {
        if (codec::TextAt(document.as_object(), "kind") == "Installation") continue;
        server().Put(std::move(document.as_object()));
      }
    }
    for (json::value& document : Read(name + "/objects.yaml")) {
      json::object& object = document.as_object();
      const api::Resource* const resource =
          api::FindResource(codec::TextAt(object, "apiVersion"), codec::TextAt(object, "kind"));
      if (resource == nullptr || *resource == api::kInstallations ||
          *resource == api::kTigeraStatuses || *resource == api::kApiServers) {
        continue;
      }
      json::object& metadata = object["metadata"].as_object();
      if (json::value* const owners = metadata.if_contains("ownerReferences")) {
        for (json::value& owner : owners->as_array()) owner.as_object()["uid"] = kUid;
      }
      CO_ASSERT_OK(co_await former_->Create(*resource, std::move(object)));
    }
  }

  Adoption MakeAdoption() {
    return Adoption(client(), {.operator_key = kOperator,
                               .api_endpoint = render::ApiEndpoint{"10.0.0.1", "443"},
                               .now = absl::Now()});
  }
  std::optional<json::object> Find(const api::Resource& resource, const api::ObjectKey& key) {
    return server().Find(resource, key);
  }
  void Clear() {
    for (const api::Resource& resource : api::Resources()) {
      for (const json::object& object : server().state().List(resource)) {
        const json::object& metadata = object.at("metadata").as_object();
        server().state().Remove(resource, {std::string(codec::TextAt(metadata, "namespace")),
                                           std::string(codec::TextAt(metadata, "name"))});
      }
    }
  }
  int Writes() {
    return static_cast<int>(std::count_if(
        server().requests().begin(), server().requests().end(), [](const auto& request) {
          return request.method != "GET" && request.Query("dryRun").empty();
        }));
  }

  std::unique_ptr<kube::Client> former_;
};

std::vector<std::string> Restarting(const Report& report) {
  std::vector<std::string> names;
  for (const ObjectReport& object : report.objects) {
    if (object.restarts_pods) names.push_back(object.key.name);
  }
  return names;
}

const ObjectReport* FindObject(const Report& report, const api::Resource& resource,
                               const std::string& name) {
  for (const ObjectReport& object : report.objects) {
    if (*object.resource == resource && object.key.name == name) return &object;
  }
  return nullptr;
}

ASYNC_TEST_F(AdoptionTest, CheckWritesNothingAndTellsEverything) {
  co_await Load("v1.42.4/b-cm-default");
  server().ClearRequests();
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  EXPECT_EQ(Writes(), 0);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.release, "v3.32");
  // Our own init container takes the place of Calico's.
  EXPECT_THAT(Restarting(report), Contains("calico-node"));
  const std::string text = ToText(report);
  EXPECT_THAT(text, HasSubstr("DaemonSet calico-system/calico-node"));
  EXPECT_THAT(text, HasSubstr("initContainers[node-certs-key-cert-provisioner].image: "));
  EXPECT_THAT(text, HasSubstr("metadata.finalizers: [\"tigera.io/cni-protector\"] -> []"));
  EXPECT_THAT(text, HasSubstr("ValidatingAdmissionPolicy calico-system-csr-names is made"));
  EXPECT_TRUE(ToJson(report).at("restartsPods").as_bool());
}

ASYNC_TEST_F(AdoptionTest, TakesOverEveryObjectAndChangesNoSpec) {
  co_await Load("v1.42.4/b-cm-default");
  const json::object before = *Find(api::kDaemonSets, kNode);
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  std::vector<std::string> told;
  CO_ASSERT_OK_AND_ASSIGN(const int written,
                          co_await MakeAdoption().TakeOver(
                              report, [&](const std::string& name) { told.push_back(name); }));
  EXPECT_EQ(static_cast<size_t>(written), told.size());
  EXPECT_THAT(told, Contains("Installation default"));
  const json::object after = *Find(api::kDaemonSets, kNode);
  EXPECT_EQ(after.at("spec"), before.at("spec"));
  EXPECT_EQ(after.at("metadata").at("generation"), before.at("metadata").at("generation"));
  EXPECT_EQ(after.at("metadata").at("labels").at("app.kubernetes.io/managed-by"),
            "calico-operator");
  EXPECT_FALSE(
      Find(api::kServiceAccounts, kAccount)->at("metadata").as_object().contains("finalizers"));
  EXPECT_FALSE(
      Find(api::kInstallations, kDefault)->at("metadata").as_object().contains("finalizers"));
  // What is not ours to make stays theirs.
  const json::object right =
      *Find(api::kRoleBindings, {"calico-system", "tigera-operator-secrets"});
  EXPECT_EQ(right.at("metadata").at("labels").at("app.kubernetes.io/managed-by"),
            "tigera-operator");

  server().ClearRequests();
  CO_ASSERT_OK_AND_ASSIGN(const Report second, co_await MakeAdoption().Check());
  CO_ASSERT_OK_AND_ASSIGN(const int again,
                          co_await MakeAdoption().TakeOver(second, [](const std::string&) {}));
  EXPECT_EQ(again, 0);
  EXPECT_EQ(Writes(), 0);
}

// Whoever removes a field by applying must have applied it.
ASYNC_TEST_F(AdoptionTest, WhatTigerasOperatorHasSetGoesWithTheNextApplyAndTheUsersStays) {
  co_await Load("v1.42.4/b-cm-default");
  CO_ASSERT_OK(
      co_await client().Patch(api::kDeployments, kTypha, {{"spec", {{"minReadySeconds", 3}}}}));
  CO_ASSERT_OK(co_await former_->Patch(api::kDeployments, kTypha, {{"spec", {{"paused", true}}}}));
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  const ObjectReport* const typha = FindObject(report, api::kDeployments, "calico-typha");
  CO_ASSERT_TRUE(typha != nullptr);
  EXPECT_THAT(typha->changes, Contains(kube::FieldChange{"spec.paused", true, nullptr}));
  CO_ASSERT_OK(co_await MakeAdoption().TakeOver(report, [](const std::string&) {}));
  CO_ASSERT_OK(co_await client().Apply(api::kDeployments, typha->desired,
                                       {.field_manager = "calico-operator", .force = true}));
  const json::object spec = Find(api::kDeployments, kTypha)->at("spec").as_object();
  EXPECT_FALSE(spec.contains("paused"));
  EXPECT_EQ(spec.at("minReadySeconds"), 3);
}

ASYNC_TEST_F(AdoptionTest, SecretsAreWithheldAndKept) {
  co_await Load("v1.42.4/a-default");
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_THAT(codec::Serialize(ToJson(report)), Not(HasSubstr("LS0tLS1CRUdJTi")));
  const json::object ca = *Find(api::kSecrets, {"tigera-operator", "tigera-ca-private"});
  CO_ASSERT_OK(co_await MakeAdoption().TakeOver(report, [](const std::string&) {}));
  const json::object after = *Find(api::kSecrets, {"tigera-operator", "tigera-ca-private"});
  EXPECT_EQ(after.at("data"), ca.at("data"));
}

// What the templates of pods hold otherwise than they shall. What goes with Tigera's operator's
// fields is not counted: this server fills in no defaults again, for which test_adopt asks a real
// one.
std::vector<std::string> OtherTemplates(const Report& report) {
  std::vector<std::string> paths;
  for (const ObjectReport& object : report.objects) {
    for (const kube::FieldChange& change : object.changes) {
      if (!change.path.starts_with("spec.template") || change.after.is_null()) continue;
      paths.push_back(object.key.name + " " + change.path);
    }
  }
  return paths;
}

// Where the spec is equal no template may differ, in every recorded case of every release. Only our
// own init container takes the place of Calico's.
ASYNC_TEST_F(AdoptionTest, NoTemplateDiffersButForTheInitContainerThatGetsCertificates) {
  int cases = 0;
  for (const auto& [folder, version] :
       {std::pair("v1.44", "release-v3.33"), std::pair("v1.42.4", "v3.32.1"),
        std::pair("v1.32.13", "v3.27.5")}) {
    for (const char* const name : {"a-default", "b-cm-default", "c-cm-ecdsa", "d-ebpf",
                                   "f-overrides", "g-dualstack", "h-byo", "t-cm-apiserver"}) {
      const std::string path = std::string(folder) + "/" + name;
      if (!std::filesystem::exists("testdata/reference/" + path)) continue;
      SCOPED_TRACE(path);
      Clear();
      co_await Load(path, version);
      CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
      EXPECT_THAT(report.problems, IsEmpty());
      EXPECT_THAT(report.warnings, Not(Contains(HasSubstr("every pod of Calico is replaced"))));
      for (const std::string& change : OtherTemplates(report)) {
        // Keys stay in memory in every release.
        EXPECT_THAT(change,
                    AnyOf(HasSubstr("key-cert-provisioner"), HasSubstr("-certs].emptyDir.medium")));
      }
      ++cases;
    }
  }
  EXPECT_GE(cases, 22);
}

std::vector<std::string> ManagersOf(const json::object& object) {
  std::vector<std::string> managers;
  for (const json::value& entry : object.at("metadata").at("managedFields").as_array()) {
    managers.emplace_back(codec::TextAt(entry.as_object(), "manager"));
  }
  return managers;
}

// Calico's own configuration is nobody's alone: what Tigera's operator has set is ours to change
// afterwards, what somebody else has set is not.
ASYNC_TEST_F(AdoptionTest, CalicosConfigurationFollowsTheInstallationAfterwards) {
  const api::ObjectKey pool = {"", "default-ipv4-ippool"};
  for (const auto& [name, version] :
       {std::pair("v1.44/a-default", "release-v3.33"), std::pair("v1.42.4/a-default", "v3.32.1")}) {
    SCOPED_TRACE(name);
    Clear();
    co_await Load(name, version);
    const json::value spec = Find(api::kFelixConfigurations, kDefault)->at("spec");
    CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
    CO_ASSERT_OK(co_await MakeAdoption().TakeOver(report, [](const std::string&) {}));
    EXPECT_EQ(Find(api::kFelixConfigurations, kDefault)->at("spec"), spec);
    EXPECT_THAT(ManagersOf(*Find(api::kFelixConfigurations, kDefault)),
                ElementsAre("calico-operator"));
    EXPECT_THAT(ManagersOf(*Find(api::kIpPools, pool)), ElementsAre("calico-operator"));
    CO_ASSERT_OK(co_await client().Patch(
        api::kInstallations, kDefault,
        {{"spec", {{"calicoNetwork", {{"linuxDataplane", "Nftables"}, {"mtu", 1400}}}}}}));
    json::object installation = *Find(api::kInstallations, kDefault);
    installation.at("spec").at("calicoNetwork").at("ipPools").at(0).as_object()["natOutgoing"] =
        "Disabled";
    server().Put(std::move(installation));
    CO_ASSERT_OK_AND_ASSIGN(const Report changed, co_await MakeAdoption().Check());
    const ObjectReport* const felix = FindObject(changed, api::kFelixConfigurations, "default");
    CO_ASSERT_TRUE(felix != nullptr);
    EXPECT_THAT(felix->changes,
                ElementsAre(kube::FieldChange{"spec.nftablesMode", "Disabled", "Auto"}));
    EXPECT_THAT(felix->ownership, IsEmpty());
    const ObjectReport* const pools = FindObject(changed, api::kIpPools, pool.name);
    CO_ASSERT_TRUE(pools != nullptr);
    EXPECT_THAT(pools->changes, ElementsAre(kube::FieldChange{"spec.natOutgoing", true, false}));
    EXPECT_THAT(changed.warnings, Not(Contains(HasSubstr("set by"))));

    kube::Client user(executor(), server().Config(), logger(), {.user_agent = "kubectl-edit"});
    CO_ASSERT_OK(co_await user.Patch(api::kFelixConfigurations, kDefault,
                                     {{"spec", {{"nftablesMode", "Enabled"}}}}));
    CO_ASSERT_OK_AND_ASSIGN(const Report theirs, co_await MakeAdoption().Check());
    EXPECT_THAT(theirs.warnings, Contains(HasSubstr("set by kubectl-edit")));
    EXPECT_EQ(FindObject(theirs, api::kFelixConfigurations, "default"), nullptr);
  }
}

ASYNC_TEST_F(AdoptionTest, NothingIsTakenOverWhileAnotherOperatorRuns) {
  co_await Load("v1.42.4/b-cm-default");
  server().Put(codec::ParseYaml("{apiVersion: apps/v1, kind: Deployment, metadata: {name: "
                                "tigera-operator, namespace: tigera-operator}, spec: {template: "
                                "{spec: {containers: [{name: tigera-operator, image: "
                                "'quay.io/tigera/operator:v1.42.4'}]}}}}")
                   ->as_object());
  server().ClearRequests();
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("runs another operator")));
  EXPECT_THAT((co_await MakeAdoption().TakeOver(report, [](const std::string&) {})).status(),
              base::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(AdoptionTest, WithoutAnInstallationThereIsNothingToTakeOver) {
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("there is no Installation default")));
}

ASYNC_TEST_F(AdoptionTest, SomebodyWhoWritesMeanwhileIsNotOverwritten) {
  co_await Load("v1.42.4/b-cm-default");
  CO_ASSERT_OK_AND_ASSIGN(const Report report, co_await MakeAdoption().Check());
  server().Inject({.method = "PATCH", .times = 1, .status = 409, .reason = "Conflict"});
  CO_ASSERT_OK(co_await MakeAdoption().TakeOver(report, [](const std::string&) {}));
  CO_ASSERT_OK_AND_ASSIGN(const Report second, co_await MakeAdoption().Check());
  for (const ObjectReport& object : second.objects) EXPECT_THAT(object.ownership, IsEmpty());
}

}  // namespace
}  // namespace calico::adoption
