#include "operator/controllers/definitions/crd_decision.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::definitions {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kFelix = "felixconfigurations.crd.projectcalico.org";

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, base::IsOk());
  return value.ok() ? value->as_object() : json::object();
}

WantedCrd Wanted(std::string_view name, std::string_view release, std::string_view file = "") {
  absl::StatusOr<std::vector<WantedCrd>> all = WantedCrds(release, file);
  EXPECT_THAT(all, base::IsOk());
  const auto found = std::find_if(all->begin(), all->end(),
                                  [&](const WantedCrd& crd) { return crd.name == name; });
  EXPECT_NE(found, all->end());
  return *found;
}

// `crd` as the cluster holds it after `manager` has applied it.
json::object Applied(const WantedCrd& crd, std::string_view manager = "calico-operator") {
  json::object live = crd.object;
  live["metadata"].as_object()["managedFields"] =
      json::array{json::object{{"manager", json::string(manager)},
                               {"operation", "Apply"},
                               {"fieldsV1", {{"f:spec", json::object()}}}},
                  json::object{{"manager", "kube-apiserver"},
                               {"subresource", "status"},
                               {"fieldsV1", {{"f:status", json::object()}}}}};
  live["spec"].as_object()["conversion"] = json::object{{"strategy", "None"}};
  live["status"] = json::object{{"storedVersions", json::array{"v1"}}};
  return live;
}

// Calico's own definition, as `manager` has applied it: it keeps these fields of a
// FelixConfiguration's spec and no others.
json::object Theirs(std::string_view fields, std::string_view manager = "kubectl") {
  json::object live = Applied(Wanted(kFelix, "v3.33"), manager);
  live["metadata"].as_object().erase("annotations");
  live["spec"].as_object()["versions"] = Yaml(fmt::format(R"(
versions:
- name: v1
  served: true
  storage: true
  schema:
    openAPIV3Schema:
      type: object
      properties: {{spec: {{type: object, properties: {{{}}}}}}}
)",
                                                          fields))
                                             .at("versions");
  return live;
}

constexpr std::string_view kFieldsOf333 =
    "bpfEnabled: {type: boolean}, bpfHostConntrackBypass: {type: boolean}, "
    "bpfKubeProxyHealthzPort: {type: integer}, bpfLogLevel: {type: string}, "
    "healthPort: {type: integer}, nftablesFlowTableOffload: {type: string}, "
    "nftablesMode: {type: string}, programClusterRoutes: {type: string}, "
    "routeTableRange: {type: object}, vxlanPort: {type: integer}, vxlanVNI: {type: integer}";

std::string FileOf(const json::object& definition) { return codec::Serialize(definition); }

TEST(CrdDecisionTest, WhatIsAsItShallBeIsLeft) {
  for (const std::string_view release : {"v3.27", "v3.32", "v3.33"}) {
    const absl::StatusOr<std::vector<WantedCrd>> wanted = WantedCrds(release, "");
    ASSERT_THAT(wanted, base::IsOk());
    for (const WantedCrd& crd : *wanted) {
      SCOPED_TRACE(crd.name);
      const CrdDecision decision = Decide(crd, Applied(crd));
      EXPECT_FALSE(decision.is_applied);
      EXPECT_EQ(decision.problem, "");
    }
  }
}

TEST(CrdDecisionTest, OursIsBroughtUpToDateAndNeverDown) {
  const WantedCrd older = Wanted(kFelix, "v3.32");
  const WantedCrd newer = Wanted(kFelix, "v3.33");
  EXPECT_TRUE(Decide(newer, Applied(older)).is_applied);
  const CrdDecision down = Decide(older, Applied(newer));
  EXPECT_FALSE(down.is_applied);
  EXPECT_EQ(down.problem, "");

  // Put right when somebody takes something out without becoming its manager.
  json::object broken = Applied(newer);
  broken["spec"].as_object()["versions"].as_array()[0].as_object()["served"] = false;
  EXPECT_TRUE(Decide(newer, broken).is_applied);
}

TEST(CrdDecisionTest, AReleaseWithTheSameDefinitionWritesNothing) {
  constexpr std::string_view kPeers = "bgppeers.crd.projectcalico.org";
  EXPECT_FALSE(Decide(Wanted(kPeers, "v3.33"), Applied(Wanted(kPeers, "v3.27"))).is_applied);
}

TEST(CrdDecisionTest, WhatSomebodyElseLooksAfterStays) {
  const WantedCrd wanted = Wanted(kFelix, "v3.33");
  const CrdDecision fuller = Decide(wanted, Theirs(kFieldsOf333));
  EXPECT_FALSE(fuller.is_applied);
  EXPECT_EQ(fuller.problem, "");
  // Also one of ours that somebody has changed.
  json::object changed = Applied(Wanted(kFelix, "v3.32"));
  changed["metadata"].as_object()["managedFields"].as_array()[1].as_object()["fieldsV1"] =
      json::object{{"f:spec", json::object()}};
  EXPECT_FALSE(Decide(wanted, changed).is_applied);
}

TEST(CrdDecisionTest, ADefinitionThatDropsWhatIsNeededIsTold) {
  const CrdDecision older = Decide(
      Wanted(kFelix, "v3.33"),
      Theirs("healthPort: {type: integer}, vxlanVNI: {type: integer}, bpfLogLevel: {type: string}, "
             "routeTableRange: {type: object}"));
  EXPECT_FALSE(older.is_applied);
  EXPECT_THAT(older.problem,
              AllOf(HasSubstr(kFelix), HasSubstr("kubectl"), HasSubstr("drops spec.bpfEnabled"),
                    HasSubstr("and more"), HasSubstr("--calico-crds")));

  json::object other = Theirs(kFieldsOf333);
  other["spec"].as_object()["versions"].as_array()[0].as_object()["name"] = "v3";
  EXPECT_THAT(Decide(Wanted(kFelix, "v3.33"), other).problem,
              HasSubstr("does not serve version v1"));
}

TEST(CrdDecisionTest, AFileReplacesWhatKeepsNoMore) {
  const json::object file = Theirs(fmt::format("{}, more: {{type: string}}", kFieldsOf333));
  const WantedCrd wanted = Wanted(kFelix, "v3.33", FileOf(file));
  EXPECT_TRUE(wanted.is_from_file);
  EXPECT_FALSE(wanted.object.contains("status"));

  EXPECT_TRUE(Decide(wanted, Theirs(kFieldsOf333)).is_applied);
  // Ours keeps everything; the file is what the user wants.
  EXPECT_TRUE(Decide(wanted, Applied(Wanted(kFelix, "v3.33"))).is_applied);
  // Equal, whoever has applied it.
  EXPECT_FALSE(Decide(wanted, file).is_applied);

  const CrdDecision older = Decide(
      wanted,
      Theirs(fmt::format("{}, more: {{type: string}}, newest: {{type: string}}", kFieldsOf333)));
  EXPECT_FALSE(older.is_applied);
  EXPECT_THAT(older.problem, AllOf(HasSubstr("stays as it is"), HasSubstr("spec.newest")));
}

TEST(CrdDecisionTest, WhatAFileBroughtStaysWithoutTheFile) {
  const WantedCrd file = Wanted(kFelix, "v3.33", FileOf(Theirs(kFieldsOf333)));
  const CrdDecision decision = Decide(Wanted(kFelix, "v3.33"), Applied(file));
  EXPECT_FALSE(decision.is_applied);
  EXPECT_EQ(decision.problem, "");
}

TEST(CrdDecisionTest, StoredVersionsAreLookedAtFirst) {
  json::object live = Applied(Wanted(kFelix, "v3.32"));
  live["status"].as_object()["storedVersions"] = json::array{"v1", "v2"};
  const CrdDecision decision = Decide(Wanted(kFelix, "v3.33"), live);
  EXPECT_FALSE(decision.is_applied);
  EXPECT_THAT(decision.problem,
              AllOf(HasSubstr("stored as version v2"), HasSubstr("storedVersions")));
}

TEST(CrdDecisionTest, OnlyCalicosDefinitionsAreTakenFromAFile) {
  const std::string mixed = FileOf(Theirs(kFieldsOf333)) +
                            "\n---\n{kind: ConfigMap, metadata: {name: a}}\n---\n"
                            "{kind: CustomResourceDefinition, metadata: {name: other.example.com}, "
                            "spec: {versions: [{name: v1}]}}\n";
  const absl::StatusOr<std::vector<WantedCrd>> wanted = WantedCrds("v3.33", mixed);
  ASSERT_THAT(wanted, base::IsOk());
  EXPECT_THAT(*wanted, SizeIs(23));
  EXPECT_EQ(std::count_if(wanted->begin(), wanted->end(),
                          [](const WantedCrd& crd) { return crd.is_from_file; }),
            1);
  for (const char* const text :
       {"{kind: ConfigMap}", "a: [", "{kind: CustomResourceDefinition, spec: {versions: [1]}}",
        "{kind: CustomResourceDefinition, metadata: {name: "
        "felixconfigurations.crd.projectcalico.org}}"}) {
    EXPECT_FALSE(WantedCrds("v3.33", text).ok()) << text;
  }
}

TEST(CrdDecisionTest, LostFieldsAreFoundAtAnyDepth) {
  const json::object from = Yaml(R"(
properties:
  metadata: {type: object}
  spec:
    properties:
      a: {type: string}
      list: {items: {properties: {b: {type: string}}}}
      map: {additionalProperties: {properties: {c: {type: string}}}}
      open: {x-kubernetes-preserve-unknown-fields: true}
)");
  EXPECT_THAT(LostFields(from, from), IsEmpty());
  EXPECT_THAT(LostFields(from, Yaml("{x-kubernetes-preserve-unknown-fields: true}")), IsEmpty());
  EXPECT_THAT(LostFields(from, Yaml(R"(
properties:
  spec:
    properties:
      list: {items: {properties: {}}}
      map: {additionalProperties: {properties: {}}}
      open: {type: object}
)")),
              ElementsAre("spec.a", "spec.list[].b", "spec.map.*.c", "spec.open.*"));
  EXPECT_THAT(LostFields(from, json::object()), ElementsAre("spec"));
}

}  // namespace
}  // namespace calico::definitions
