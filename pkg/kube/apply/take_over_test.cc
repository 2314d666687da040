#include "pkg/kube/apply/take_over.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

json::object Yaml(std::string_view text) { return codec::ParseYaml(text)->as_object(); }

constexpr char kOwn[] = R"(
  - {manager: us, operation: Apply, fieldsV1: {"f:metadata": {"f:labels": {}}, "f:spec": {"f:env": {"k:A": {".": {}, "f:valueFrom": {}}}}}})";

TEST(TakeOverTest, EverythingButMetadataChangesHands) {
  const json::object live = Yaml(std::string("metadata:\n  managedFields:") + kOwn + R"(
  - {manager: set, operation: Update, fieldsV1: {"f:spec": {"f:env": {"k:A": {"f:value": {}}}}}}
  - {manager: edit, operation: Update, fieldsV1: {"f:metadata": {"f:annotations": {}}, "f:spec": {"f:x": {"f:y": {}}}, "f:aggregationRule": {}}}
  - {manager: controller, operation: Update, subresource: status, fieldsV1: {"f:spec": {}, "f:status": {}}}
)");
  const std::optional<json::array> managed = TakeOverFields(live, "us", TakeOver::kEverything);
  ASSERT_TRUE(managed.has_value());
  const json::object want = Yaml(R"(
all:
  - {manager: us, operation: Apply, fieldsV1: {"f:metadata": {"f:labels": {}}, "f:spec": {"f:env": {"k:A": {".": {}, "f:valueFrom": {}, "f:value": {}}}, "f:x": {"f:y": {}}}, "f:aggregationRule": {}}}
  - {manager: edit, operation: Update, fieldsV1: {"f:metadata": {"f:annotations": {}}}}
  - {manager: controller, operation: Update, subresource: status, fieldsV1: {"f:spec": {}, "f:status": {}}}
)");
  EXPECT_EQ(json::value(*managed), want.at("all"));
}

TEST(TakeOverTest, ManyFieldsBesideSharedOnes) {
  std::string theirs, all;
  for (int i = 0; i < 40; ++i) theirs += fmt::format("\"f:{}\": {{\"f:their\": {{}}}}, ", i);
  for (int i = 0; i < 40; ++i) {
    all += i < 3 ? fmt::format("\"f:{}\": {{\"f:our\": {{}}, \"f:their\": {{}}}}, ", i)
                 : fmt::format("\"f:{}\": {{\"f:their\": {{}}}}, ", i);
  }
  const json::object live = Yaml(fmt::format(R"(
metadata:
  managedFields:
  - {{manager: us, operation: Apply, fieldsV1: {{"f:spec": {{"f:0": {{"f:our": {{}}}}, "f:1": {{"f:our": {{}}}}, "f:2": {{"f:our": {{}}}}}}}}}}
  - {{manager: set, operation: Update, fieldsV1: {{"f:spec": {{{}}}}}}})",
                                             theirs));
  const std::optional<json::array> managed = TakeOverFields(live, "us", TakeOver::kEverything);
  ASSERT_TRUE(managed.has_value());
  const json::object want = Yaml(fmt::format(
      R"(all: [{{manager: us, operation: Apply, fieldsV1: {{"f:spec": {{{}}}}}}}])", all));
  EXPECT_EQ(json::value(*managed), want.at("all"));
}

TEST(TakeOverTest, WhatIsAllTheirsStaysTheirs) {
  const json::object live = Yaml(R"(
metadata:
  managedFields:
  - {manager: us, operation: Apply, fieldsV1: {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:ours": {}}}}, "f:containers": {"k:c": {".": {}, "f:env": {"k:A": {".": {}, "f:valueFrom": {}}}}}}}}
  - {manager: set, operation: Update, fieldsV1: {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:restartedAt": {}}}}, "f:containers": {"k:c": {"f:env": {"k:A": {"f:value": {}}, "k:B": {".": {}, "f:value": {}}}}, "k:sidecar": {".": {}}}}}}
)");
  const std::optional<json::array> managed = TakeOverFields(live, "us", TakeOver::kBesideOwn);
  ASSERT_TRUE(managed.has_value());
  const json::object want = Yaml(R"(
all:
  - {manager: us, operation: Apply, fieldsV1: {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:ours": {}}}}, "f:containers": {"k:c": {".": {}, "f:env": {"k:A": {".": {}, "f:valueFrom": {}, "f:value": {}}}}}}}}
  - {manager: set, operation: Update, fieldsV1: {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:restartedAt": {}}}}, "f:containers": {"k:c": {"f:env": {"k:B": {".": {}, "f:value": {}}}}, "k:sidecar": {".": {}}}}}}
)");
  EXPECT_EQ(json::value(*managed), want.at("all"));
}

TEST(TakeOverTest, NothingToTake) {
  for (
      const char* live : {
          "{}",
          "{metadata: {managedFields: []}}",
          "{metadata: {managedFields: [x, {manager: us, operation: Apply}]}}",
          R"({metadata: {managedFields: [{manager: us, operation: Apply, fieldsV1: {"f:spec": {}}}]}})",
          R"({metadata: {managedFields: [{manager: set, operation: Update, fieldsV1: {"f:spec": {}}}]}})",
          R"({metadata: {managedFields: [{manager: us, operation: Apply, fieldsV1: {"f:spec": {"f:a": {}}}}, {manager: set, operation: Update, fieldsV1: {"f:spec": {"f:a": {}}}}]}})",
      }) {
    // A field that both own is no reason: ours is applied by force anyway.
    EXPECT_FALSE(TakeOverFields(Yaml(live), "us", TakeOver::kEverything).has_value()) << live;
  }
}

constexpr char kFormer[] = R"(
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: a
  managedFields:
  - {manager: former, operation: Update, apiVersion: apps/v1, fieldsV1: {"f:metadata": {"f:labels": {"f:x": {}}}, "f:spec": {"f:minReadySeconds": {}, "f:revisionHistoryLimit": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}, "f:terminationMessagePath": {}, "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}, 'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}}}}}}}}}
  - {manager: former, operation: Update, subresource: status, fieldsV1: {"f:status": {"f:x": {}}}}
  - {manager: user, operation: Update, fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"c"}': {"f:env": {'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}}}}}}}}}
spec:
  minReadySeconds: 7
  revisionHistoryLimit: 10
  template: {spec: {containers: [{name: c, image: i, terminationMessagePath: /dev/termination-log, env: [{name: A, value: a}, {name: B, value: b}]}]}}
)";

TEST(TakeOverTest, WhatOneManagerHasUpdatedIsWhatAnotherHasApplied) {
  const json::object live = Yaml(kFormer);
  const std::optional<json::array> managed = TransferFields(live, "former", "us");
  ASSERT_TRUE(managed.has_value());
  ASSERT_EQ(managed->size(), 4U);
  const json::array& before = live.at("metadata").at("managedFields").as_array();
  EXPECT_EQ((*managed)[0].at("fieldsV1"),
            (json::object{{"f:metadata", before[0].at("fieldsV1").at("f:metadata")}}));
  EXPECT_EQ((*managed)[1], before[1]);
  EXPECT_EQ((*managed)[2], before[2]);
  EXPECT_TRUE(IsAppliedBy((*managed)[3], "us"));
  EXPECT_EQ((*managed)[3].at("fieldsV1").at("f:spec"), before[0].at("fieldsV1").at("f:spec"));
  json::object taken = live;
  taken["metadata"].as_object()["managedFields"] = *managed;
  EXPECT_FALSE(TransferFields(taken, "former", "us").has_value()) << "there is nothing left";
}

TEST(TakeOverTest, WhatIsAppliedAlreadyIsKept) {
  const json::object live = Yaml(R"(
metadata:
  managedFields:
  - {manager: former, operation: Update, apiVersion: v1, fieldsV1: {"f:data": {"f:a": {}, "f:b": {}}}}
  - {manager: us, operation: Apply, fieldsV1: {"f:data": {"f:a": {}, "f:c": {}}}}
)");
  const std::optional<json::array> managed = TransferFields(live, "former", "us");
  ASSERT_TRUE(managed.has_value());
  ASSERT_EQ(managed->size(), 1U);
  EXPECT_EQ((*managed)[0].at("fieldsV1"), Yaml(R"({"f:data": {"f:a": {}, "f:c": {}, "f:b": {}}})"));
}

TEST(TakeOverTest, WhatOnlyTheFormerManagerWantsGoesAndNothingElse) {
  const json::object desired = Yaml(
      "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a},"
      "spec: {template: {spec: {containers: [{name: c, image: i}]}}}}");
  const std::optional<json::object> rest =
      WithoutFieldsOf(Schema::Kubernetes(), Yaml(kFormer), desired, "former");
  ASSERT_TRUE(rest.has_value());
  // Not the user's variable.
  EXPECT_EQ(rest->at("spec"), Yaml("{template: {spec: {containers: [{name: c, image: i, env: "
                                   "[{name: B, value: b}]}]}}}"));
  EXPECT_EQ(rest->at("metadata"), Yaml(kFormer).at("metadata"));
  EXPECT_FALSE(
      WithoutFieldsOf(Schema::Kubernetes(), Yaml(kFormer), Yaml(kFormer), "former").has_value());
}

}  // namespace
}  // namespace calico::kube
