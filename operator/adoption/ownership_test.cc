#include "operator/adoption/ownership.h"

#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::adoption {
namespace {

using ::testing::ElementsAre;

json::object Yaml(std::string_view text) { return codec::ParseYaml(text)->as_object(); }

constexpr char kLive[] = R"(
metadata:
  name: calico-node
  uid: u1
  resourceVersion: '7'
  labels: {app.kubernetes.io/managed-by: tigera-operator, mine: x}
  finalizers: [tigera.io/cni-protector, example.com/mine]
  ownerReferences:
  - {apiVersion: operator.tigera.io/v1, kind: Installation, name: default, uid: old, controller: true}
  - {apiVersion: v1, kind: ConfigMap, name: mine, uid: c}
  managedFields:
  - {manager: operator, operation: Update, apiVersion: v1, fieldsV1: {'f:rules': {}, 'f:metadata': {'f:labels': {}}}}
)";
constexpr char kDesired[] = R"(
metadata:
  name: calico-node
  ownerReferences:
  - {apiVersion: operator.tigera.io/v1, kind: Installation, name: default, uid: new, controller: true}
)";

std::vector<std::string> Paths(const Takeover& takeover) {
  std::vector<std::string> paths;
  for (const kube::FieldChange& change : takeover.changes) paths.push_back(change.path);
  return paths;
}

TEST(OwnershipTest, TakesOverInMetadataAlone) {
  const std::optional<Takeover> takeover = PlanTakeover(Yaml(kLive), Yaml(kDesired));
  ASSERT_TRUE(takeover.has_value());
  ASSERT_EQ(takeover->patch.size(), 1U);
  const json::object& patch = takeover->patch.at("metadata").as_object();
  EXPECT_EQ(patch.at("uid"), "u1");
  EXPECT_EQ(patch.at("resourceVersion"), "7");
  EXPECT_EQ(patch.at("labels"), Yaml("{app.kubernetes.io/managed-by: calico-operator,"
                                     "app.kubernetes.io/instance: default}"));
  EXPECT_EQ(patch.at("finalizers"), json::array{"example.com/mine"});
  // The user's owner stays, that of an Installation that is gone does not.
  const json::array& owners = patch.at("ownerReferences").as_array();
  ASSERT_EQ(owners.size(), 2U);
  EXPECT_EQ(owners[0].at("kind"), "ConfigMap");
  EXPECT_EQ(owners[1].at("uid"), "new");
  EXPECT_EQ(patch.at("managedFields").as_array().size(), 2U);
  EXPECT_THAT(Paths(*takeover),
              ElementsAre("metadata.labels.app.kubernetes.io/managed-by",
                          "metadata.labels.app.kubernetes.io/instance", "metadata.ownerReferences",
                          "metadata.finalizers", "metadata.managedFields"));
}

TEST(OwnershipTest, WhatIsTakenOverAlreadyIsLeftAlone) {
  json::object live = Yaml(kLive);
  const json::object patch = PlanTakeover(live, Yaml(kDesired))->patch.at("metadata").as_object();
  json::object& metadata = live["metadata"].as_object();
  for (const json::key_value_pair& member : patch) {
    if (member.key() == "labels") continue;
    metadata[member.key()] = member.value();
  }
  for (const json::key_value_pair& label : patch.at("labels").as_object()) {
    metadata["labels"].as_object()[label.key()] = label.value();
  }
  EXPECT_FALSE(PlanTakeover(live, Yaml(kDesired)).has_value());
}

TEST(OwnershipTest, WhatIsOnlyReleasedKeepsEverythingElse) {
  const std::optional<Takeover> release = PlanRelease(Yaml(kLive));
  ASSERT_TRUE(release.has_value());
  EXPECT_THAT(Paths(*release), ElementsAre("metadata.finalizers"));
  EXPECT_EQ(release->patch.at("metadata").as_object().size(), 3U);
  EXPECT_FALSE(PlanRelease(Yaml(kDesired)).has_value());
  EXPECT_FALSE(PlanRelease(json::object()).has_value());
}

// Calico's configuration is updated, never applied: the next update is by the same manager.
TEST(OwnershipTest, OfCalicosConfigurationTheUpdatesAreTakenOver) {
  json::object live = Yaml(R"(
kind: FelixConfiguration
metadata:
  name: default
  uid: u1
  resourceVersion: '7'
  managedFields:
  - {manager: operator, operation: Update, apiVersion: v1, fieldsV1: {'f:spec': {'f:a': {}, 'f:b': {}}}}
  - {manager: kubectl-edit, operation: Update, apiVersion: v1, fieldsV1: {'f:spec': {'f:c': {}}}}
  - {manager: calico-operator, operation: Update, apiVersion: v1, fieldsV1: {'f:spec': {'f:d': {}}}}
  - {manager: operator, operation: Update, apiVersion: v1, subresource: status, fieldsV1: {'f:status': {}}}
)");
  const std::optional<Takeover> takeover = PlanSharedTakeover(live);
  ASSERT_TRUE(takeover.has_value());
  EXPECT_THAT(Paths(*takeover), ElementsAre("metadata.managedFields"));
  const json::value& managed = takeover->patch.at("metadata").at("managedFields");
  ASSERT_EQ(managed.as_array().size(), 3U);
  EXPECT_EQ(managed.at(0).at("manager"), "calico-operator");
  EXPECT_EQ(managed.at(0).at("operation"), "Update");
  EXPECT_EQ(managed.at(0).at("fieldsV1"), Yaml("{'f:spec': {'f:a': {}, 'f:b': {}, 'f:d': {}}}"));
  EXPECT_EQ(managed.at(1).at("manager"), "kubectl-edit");
  EXPECT_EQ(managed.at(2).at("manager"), "operator");
  live["metadata"].as_object()["managedFields"] = managed;
  EXPECT_FALSE(PlanSharedTakeover(live).has_value());
}

TEST(OwnershipTest, PoolsOfUsersAreNotTakenOver) {
  json::object pool = Yaml(R"(
kind: IPPool
metadata:
  name: mine
  labels: {}
  managedFields: [{manager: operator, operation: Update, apiVersion: v1, fieldsV1: {'f:spec': {}}}]
)");
  EXPECT_FALSE(PlanSharedTakeover(pool).has_value());
  pool["metadata"].as_object()["labels"] = Yaml("{app.kubernetes.io/managed-by: tigera-operator}");
  EXPECT_TRUE(PlanSharedTakeover(pool).has_value());
}

TEST(OwnershipTest, OwnersGetTheUidsOfTheCluster) {
  json::object object = Yaml(
      "{metadata: {name: a, ownerReferences: [{kind: Installation, name: default, uid: ''},"
      " {kind: APIServer, name: default, uid: ''}]}}");
  SetOwnerUids(object, {{"Installation", "u"}});
  EXPECT_EQ(
      object.at("metadata").at("ownerReferences"),
      (json::array{json::object{{"kind", "Installation"}, {"name", "default"}, {"uid", "u"}}}));
  SetOwnerUids(object, {});
  EXPECT_FALSE(object.at("metadata").as_object().contains("ownerReferences"));
}

}  // namespace
}  // namespace calico::adoption
