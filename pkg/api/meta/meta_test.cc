#include <string>
#include <vector>

#include <absl/container/flat_hash_set.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/meta/api_status.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/label_selector.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

TEST(ResourcesTest, FindsEachByApiVersionAndKind) {
  EXPECT_THAT(Resources(), testing::SizeIs(42));
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(std::string(resource.kind));
    const Resource* found = FindResource(resource.ApiVersion(), resource.kind);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, resource);
  }
  EXPECT_EQ(FindResource("v1", "Pod")->plural, "pods");
  EXPECT_EQ(FindResource("apps/v1", "DaemonSet")->plural, "daemonsets");
}

TEST(ResourcesTest, OtherGroupsVersionsAndKindsAreUnknown) {
  EXPECT_EQ(FindResource("v1", "DaemonSet"), nullptr);
  EXPECT_EQ(FindResource("apps/v1", "Pod"), nullptr);
  EXPECT_EQ(FindResource("apps/v1beta1", "DaemonSet"), nullptr);
  EXPECT_EQ(FindResource("apps", "DaemonSet"), nullptr);
  EXPECT_EQ(FindResource("", "Pod"), nullptr);
  EXPECT_EQ(FindResource("v1", "pod"), nullptr);
}

TEST(ResourcesTest, ApiVersion) {
  EXPECT_EQ(kPods.ApiVersion(), "v1");
  EXPECT_EQ(kLeases.ApiVersion(), "coordination.k8s.io/v1");
  EXPECT_FALSE(kNodes.namespaced);
  EXPECT_TRUE(kPods.namespaced);
}

TEST(ObjectKeyTest, PrintsComparesAndHashes) {
  const ObjectKey pod{"calico-system", "calico-node-1"};
  const ObjectKey node{"", "worker"};
  EXPECT_EQ(pod.ToString(), "calico-system/calico-node-1");
  EXPECT_EQ(node.ToString(), "worker");
  EXPECT_LT(node, pod);
  const absl::flat_hash_set<ObjectKey> keys = {pod, node, pod};
  EXPECT_EQ(keys.size(), 2u);
  EXPECT_TRUE(keys.contains(ObjectKey{"calico-system", "calico-node-1"}));
}

constexpr std::string_view kObject = R"({"apiVersion": "v1", "kind": "Pod", "metadata": {
    "name": "a", "namespace": "ns", "uid": "u-1", "resourceVersion": "42", "generation": 3,
    "creationTimestamp": "2026-11-22T19:42:02Z", "deletionTimestamp": "2026-11-22T19:42:03Z",
    "labels": {"k8s-app": "x", "team": "net"}, "annotations": {"note": "n"},
    "finalizers": ["f/1", "f/2"], "managedFields": [{"manager": "m"}],
    "ownerReferences": [
      {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-2"},
      {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u-3", "controller": true,
       "blockOwnerDeletion": true}]}})";

ObjectMeta ReadMeta(std::string_view text, const MetaFields& fields, absl::Status* status) {
  const json::object object = Parse(text);
  codec::Decoder decoder("Thing");
  ObjectMeta meta = ReadObjectMeta(decoder.Read(object), fields);
  *status = decoder.status();
  return meta;
}

TEST(ObjectMetaTest, ReadsEverythingThatIsAskedFor) {
  absl::Status status;
  const ObjectMeta meta = ReadMeta(kObject, MetaFields::All(), &status);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(meta.Key(), (ObjectKey{"ns", "a"}));
  EXPECT_EQ(meta.uid, "u-1");
  EXPECT_EQ(meta.resource_version, "42");
  EXPECT_EQ(meta.generation, 3);
  EXPECT_EQ(meta.creation_timestamp, absl::FromUnixSeconds(1795376522));
  EXPECT_EQ(meta.deletion_timestamp, absl::FromUnixSeconds(1795376523));
  EXPECT_THAT(meta.labels, ElementsAre(Pair("k8s-app", "x"), Pair("team", "net")));
  EXPECT_EQ(meta.Label("team"), "net");
  EXPECT_EQ(meta.Label("none"), "");
  EXPECT_THAT(meta.annotations, ElementsAre(Pair("note", "n")));
  EXPECT_THAT(meta.finalizers, ElementsAre("f/1", "f/2"));
  ASSERT_NE(meta.Controller(), nullptr);
  EXPECT_EQ(meta.Controller()->uid, "u-3");
  EXPECT_EQ(meta.owner_references.size(), 2u);
}

TEST(ObjectMetaTest, KeepsNothingElse) {
  absl::Status status;
  const ObjectMeta bare = ReadMeta(kObject, {}, &status);
  EXPECT_THAT(bare.labels, IsEmpty());
  EXPECT_THAT(bare.annotations, IsEmpty());
  EXPECT_THAT(bare.finalizers, IsEmpty());
  EXPECT_THAT(bare.owner_references, IsEmpty());
  EXPECT_EQ(bare.Controller(), nullptr);
  constexpr std::string_view kKeys[] = {"team", "absent"};
  const ObjectMeta one_label = ReadMeta(kObject, {.label_keys = kKeys}, &status);
  EXPECT_THAT(one_label.labels, ElementsAre(Pair("team", "net")));
}

TEST(ObjectMetaTest, NameAndMetadataAreRequired) {
  absl::Status status;
  ReadMeta("{}", {}, &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "Thing.metadata: required"));
  ReadMeta(R"({"metadata": {"name": ""}})", {}, &status);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, "Thing.metadata.name: required"));
  ReadMeta(R"({"metadata": {"name": "a", "generation": "1", "labels": {"a": 1}}})",
           MetaFields::All(), &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "Thing.metadata.generation: expected integer, got string; "
                               "Thing.metadata.labels[\"a\"]: expected string, got number"));
}

TEST(ObjectMetaTest, EncodesWhatAnUpdateSendsBack) {
  absl::Status status;
  const ObjectMeta meta = ReadMeta(kObject, MetaFields::All(), &status);
  json::object want = Parse(kObject).at("metadata").as_object();
  want.erase("generation");
  want.erase("creationTimestamp");
  want.erase("deletionTimestamp");
  want.erase("managedFields");
  EXPECT_EQ(EncodeObjectMeta(meta), want);
  EXPECT_EQ(EncodeObjectMeta({.name = "n"}), Parse(R"({"name": "n"})"));
}

TEST(ObjectIdentityTest, DecodesAnyKind) {
  const absl::StatusOr<ObjectIdentity> identity = ObjectIdentity::Decode(Parse(kObject));
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->api_version, "v1");
  EXPECT_EQ(identity->kind, "Pod");
  EXPECT_EQ(identity->meta.Controller()->kind, "DaemonSet");
  EXPECT_THAT(ObjectIdentity::Decode(Parse("{}")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "object.apiVersion: required; object.kind: required; "
                       "object.metadata: required"));
}

TEST(NewObjectTest, HasKindAndKey) {
  EXPECT_EQ(NewObject(kDaemonSets, {"ns", "d"}, "7"), Parse(R"({
      "apiVersion": "apps/v1", "kind": "DaemonSet",
      "metadata": {"name": "d", "namespace": "ns", "resourceVersion": "7"}})"));
  EXPECT_EQ(NewObject(kNodes, {"", "n"}), Parse(R"({
      "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})"));
}

TEST(ConditionTest, SurvivesARoundTrip) {
  const json::object status = Parse(R"({"conditions": [
      {"type": "Degraded", "status": "True", "reason": "PodFailure", "message": "m",
       "lastTransitionTime": "2026-11-22T19:42:02Z", "observedGeneration": 4},
      {"type": "Approved", "status": "True", "lastUpdateTime": "2026-11-22T19:42:02Z"}]})");
  codec::Decoder decoder("Status");
  const std::vector<Condition> conditions = ReadConditions(decoder.Read(status));
  ASSERT_THAT(decoder.status(), IsOk());
  ASSERT_THAT(conditions, testing::SizeIs(2));
  EXPECT_TRUE(conditions[0].IsTrue());
  EXPECT_EQ(conditions[0].observed_generation, 4);
  EXPECT_EQ(json::value(EncodeConditions(conditions, EmptyText::kOmit)), status.at("conditions"));
  EXPECT_EQ(FindCondition(conditions, "Approved"), &conditions[1]);
  EXPECT_EQ(FindCondition(conditions, "Denied"), nullptr);
}

TEST(ConditionTest, EmptyTextsAreKeptOrLeftOut) {
  const Condition condition{.type = "Ready", .status = "False"};
  EXPECT_EQ(EncodeCondition(condition, EmptyText::kOmit),
            Parse(R"({"type": "Ready", "status": "False"})"));
  EXPECT_EQ(EncodeCondition(condition, EmptyText::kKeep),
            Parse(R"({"type": "Ready", "status": "False", "reason": "", "message": ""})"));
}

TEST(ConditionTest, TypeIsRequired) {
  const json::object status = Parse(R"({"conditions": [{"type": "A"}, {"status": "True"}]})");
  codec::Decoder decoder("Status");
  ReadConditions(decoder.Read(status));
  EXPECT_THAT(decoder.status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "Status.conditions[1].type: required"));
}

TEST(LabelSelectorTest, EachRequirement) {
  EXPECT_EQ(LabelSelector().ToString(), "");
  EXPECT_EQ(LabelSelector().Equals("a", "1").ToString(), "a=1");
  EXPECT_EQ(LabelSelector().NotEquals("a", "1").ToString(), "a!=1");
  EXPECT_EQ(LabelSelector().In("a", {"1", "2"}).ToString(), "a in (1,2)");
  EXPECT_EQ(LabelSelector().NotIn("a", {"1"}).ToString(), "a notin (1)");
  EXPECT_EQ(LabelSelector().Exists("a").ToString(), "a");
  EXPECT_EQ(LabelSelector().NotExists("a").ToString(), "!a");
  EXPECT_EQ(LabelSelector::Matching({{"b", "2"}, {"a", "1"}}).Exists("c").ToString(), "a=1,b=2,c");
}

TEST(ApiStatusTest, DecodesARefusal) {
  const absl::StatusOr<ApiStatus> status = ApiStatus::Decode(Parse(R"({
      "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
      "message": "too many", "reason": "TooManyRequests", "code": 429,
      "details": {"name": "x", "kind": "pods", "retryAfterSeconds": 7,
                  "causes": [{"reason": "FieldValueInvalid", "message": "m", "field": "f.g"}]}})"));
  ASSERT_THAT(status, IsOk());
  EXPECT_FALSE(status->success);
  EXPECT_EQ(status->code, 429);
  EXPECT_EQ(status->reason, "TooManyRequests");
  EXPECT_EQ(status->message, "too many");
  EXPECT_EQ(status->name, "x");
  EXPECT_EQ(status->kind, "pods");
  EXPECT_EQ(status->retry_after, absl::Seconds(7));
  ASSERT_THAT(status->causes, testing::SizeIs(1));
  EXPECT_EQ(status->causes[0].field, "f.g");
}

TEST(ApiStatusTest, SuccessAndMissingParts) {
  const absl::StatusOr<ApiStatus> status =
      ApiStatus::Decode(Parse(R"({"kind": "Status", "status": "Success"})"));
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(status->success);
  EXPECT_EQ(status->code, 0);
  EXPECT_EQ(status->retry_after, std::nullopt);
}

TEST(ApiStatusTest, RefusesOtherKinds) {
  EXPECT_THAT(ApiStatus::Decode(Parse(R"({"kind": "Pod"})")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Status.kind")));
  EXPECT_THAT(ApiStatus::Decode(Parse(R"({"kind": "Status", "code": "x"})")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Status.code")));
}

}  // namespace
}  // namespace calico::api
