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

}  // namespace
}  // namespace calico::kube
