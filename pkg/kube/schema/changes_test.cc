#include "pkg/kube/schema/changes.h"

#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/compare.h"

namespace calico::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

json::object Yaml(std::string_view text) { return codec::ParseYaml(text)->as_object(); }

std::vector<std::string> Told(const json::object& live, const json::object& desired) {
  std::vector<std::string> lines;
  for (const FieldChange& change : Changes(Schema::Kubernetes(), live, desired)) {
    lines.push_back(change.path + ": " + codec::Serialize(change.before) + " -> " +
                    codec::Serialize(change.after));
  }
  EXPECT_EQ(lines.empty(), !FirstDifference(Schema::Kubernetes(), live, desired).has_value());
  return lines;
}

json::object DaemonSet(std::string_view containers, std::string_view more = "") {
  return Yaml(std::string("{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {") +
              std::string(more) + "template: {spec: {containers: [" + std::string(containers) +
              "]}}}}");
}

TEST(ChangesTest, EveryFieldIsToldWithOldAndNewValue) {
  EXPECT_THAT(
      Told(DaemonSet("{name: b, image: 'x:1', env: [{name: V, value: one}, {name: W, value: z}]}"),
           DaemonSet("{name: b, image: 'x:2', env: [{name: V, value: two}, {name: W, value: z}]}",
                     "minReadySeconds: 5, ")),
      ElementsAre("spec.minReadySeconds: null -> 5",
                  R"(spec.template.spec.containers[b].image: "x:1" -> "x:2")",
                  R"(spec.template.spec.containers[b].env[V]: {"name":"V","value":"one"} -> )"
                  R"({"name":"V","value":"two"})"));
}

TEST(ChangesTest, NothingIsToldWhereTheServerSeesNoDifference) {
  EXPECT_THAT(Told(DaemonSet("{name: b, image: x, resources: {requests: {cpu: 100m}},"
                             "terminationMessagePath: /dev/termination-log}"),
                   DaemonSet("{name: b, image: x, resources: {requests: {cpu: '0.1'}}}")),
              IsEmpty());
}

TEST(ChangesTest, WhatIsNewIsToldAsAWhole) {
  EXPECT_THAT(
      Told(DaemonSet("{name: b, image: x}"),
           DaemonSet("{name: b, image: x}, {name: c, image: new}")),
      ElementsAre(R"(spec.template.spec.containers[c]: null -> {"name":"c","image":"new"})"));
}

TEST(ChangesTest, AnotherOrderIsOneChange) {
  EXPECT_THAT(Told(DaemonSet("{name: b, image: x}, {name: other, image: z}, {name: c, image: y}"),
                   DaemonSet("{name: c, image: y}, {name: b, image: x}")),
              ElementsAre(R"(spec.template.spec.containers (order): ["b","c"] -> ["c","b"])"));
}

TEST(ChangesTest, RulesOfARoleAreOneValueAndWhatIsTooMuchIsTold) {
  const json::object role = Yaml(
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a},"
      "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}");
  json::object more = role;
  more["aggregationRule"] = json::object{{"clusterRoleSelectors", json::array{json::object()}}};
  EXPECT_THAT(Told(more, role),
              ElementsAre(R"(aggregationRule: {"clusterRoleSelectors":[{}]} -> null)"));
  json::object other = role;
  other["rules"] = json::array();
  const auto changes = Changes(Schema::Kubernetes(), other, role);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "rules");
  EXPECT_EQ(changes[0].after, role.at("rules"));
}

}  // namespace
}  // namespace calico::kube
