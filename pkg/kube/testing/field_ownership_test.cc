#include "pkg/kube/testing/field_ownership.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/kube/testing/field_set.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

json::object Parse(std::string_view text) { return *codec::ParseJsonObject(text); }
std::string Text(const json::value& value) { return codec::Serialize(value); }

// `object` without metadata.
std::string Content(json::object object) {
  object.erase("metadata");
  return Text(object);
}

FieldWriter By(std::string manager, std::string subresource = "") {
  return {std::move(manager), std::move(subresource), "v1", "2027-01-15T08:00:00Z"};
}

json::object Apply(const json::object& live, std::string_view applied, const std::string& manager,
                   bool force = false) {
  ApplyOutcome outcome = ApplyFields(live, Parse(applied), By(manager), force);
  EXPECT_THAT(outcome.conflicts, IsEmpty());
  return std::move(outcome.object);
}

TEST(FieldSetTest, FieldsOfAnObject) {
  const json::object object = Parse(R"({"apiVersion":"v1","kind":"Pod",
    "metadata":{"name":"a","uid":"u","labels":{"b":"c"},"finalizers":["x"],"annotations":{}},
    "spec":{"containers":[{"name":"one","args":["a","b"]}],"empty":[]}})");
  const FieldSet fields = FieldsOf(object);
  EXPECT_EQ(Text(EncodeFields(fields)),
            R"({"f:metadata":{"f:annotations":{},"f:finalizers":{"v:\"x\"":{".":{}}},)"
            R"("f:labels":{"f:b":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"one\"}":)"
            R"({".":{},"f:args":{},"f:name":{}}},"f:empty":{}}})");
  EXPECT_EQ(DecodeFields(EncodeFields(fields)), fields);
  for (const FieldPath& path : fields) EXPECT_NE(FindField(object, path), nullptr);
}

TEST(FieldSetTest, PrintsPaths) {
  EXPECT_EQ(PrintField({"f:spec", "f:containers", "k:{\"name\":\"a\"}", "f:image"}),
            ".spec.containers[name=\"a\"].image");
  EXPECT_EQ(PrintField({"f:metadata", "f:finalizers", "v:\"x\"", "."}),
            ".metadata.finalizers[=\"x\"]");
}

TEST(FieldSetTest, ChangedFields) {
  const json::object before = Parse(R"({"spec":{"a":1,"b":{"c":2},"list":[1,2]}})");
  EXPECT_THAT(ChangedFields(before, before), IsEmpty());
  EXPECT_THAT(ChangedFields(before, Parse(R"({"spec":{"a":1,"b":{"c":3},"list":[2,1],"d":4}})")),
              ElementsAre(FieldPath{"f:spec", "f:b", "f:c"}, FieldPath{"f:spec", "f:d"},
                          FieldPath{"f:spec", "f:list"}));
}

TEST(FieldOwnershipTest, ApplyMergesMapsAndKeyedLists) {
  json::object live = Apply({}, R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}],
                                            "args":["x"]}})",
                            "us");
  live = Apply(live, R"({"spec":{"containers":[{"name":"c"},{"name":"a","tty":true}]}})", "them");
  EXPECT_EQ(Content(live),
            R"({"spec":{"containers":[{"name":"c"},{"name":"a","image":"1","tty":true},)"
            R"({"name":"b"}],"args":["x"]}})");
}

TEST(FieldOwnershipTest, ApplyRemovesWhatItNoLongerSends) {
  json::object live = Apply({}, R"({"data":{"a":"1","b":"2"},"spec":{"containers":[{"name":"x"},
                                    {"name":"y"}]}})",
                            "us");
  live = Apply(live, R"({"data":{"a":"1"},"spec":{"containers":[{"name":"y"}]}})", "us");
  EXPECT_EQ(Content(live), R"({"data":{"a":"1"},"spec":{"containers":[{"name":"y"}]}})");
  live = Apply(live, R"({"spec":{"containers":[{"name":"y"}]}})", "us");
  EXPECT_EQ(Content(live), R"({"spec":{"containers":[{"name":"y"}]}})");
}

TEST(FieldOwnershipTest, SharedFieldsStayWhenOneLeaves) {
  json::object live = Apply({}, R"({"data":{"a":"1","b":"2"}})", "us");
  live = Apply(live, R"({"data":{"a":"1"}})", "them");
  live = Apply(live, R"({"data":{"b":"2"}})", "us");
  EXPECT_EQ(Content(live), R"({"data":{"a":"1","b":"2"}})");
  live = Apply(live, R"({"data":{}})", "them");
  EXPECT_EQ(Content(live), R"({"data":{"b":"2"}})");
}

TEST(FieldOwnershipTest, ConflictsNameTheOtherManager) {
  const json::object live = Apply({}, R"({"data":{"a":"1","b":"2"}})", "them");
  const ApplyOutcome outcome =
      ApplyFields(live, Parse(R"({"data":{"a":"9","b":"2"}})"), By("us"), false);
  ASSERT_THAT(outcome.conflicts, SizeIs(1));
  EXPECT_EQ(outcome.conflicts[0].manager, "them");
  EXPECT_EQ(outcome.conflicts[0].field, ".data.a");
}

TEST(FieldOwnershipTest, ForceTakesOwnership) {
  json::object live = Apply({}, R"({"data":{"a":"1"}})", "them");
  live = Apply(live, R"({"data":{"a":"9"}})", "us", true);
  EXPECT_EQ(Content(live), R"({"data":{"a":"9"}})");
  EXPECT_THAT(ApplyFields(live, Parse(R"({"data":{"a":"1"}})"), By("them"), false).conflicts,
              SizeIs(1));
  live = Apply(live, R"({"data":{}})", "us");
  EXPECT_EQ(Content(live), R"({"data":{}})");
}

TEST(FieldOwnershipTest, UpdateTakesTheFieldsThatItChanges) {
  const json::object live = Apply({}, R"({"data":{"a":"1","b":"2"}})", "us");
  json::object edited = live;
  edited["data"].as_object()["a"] = "by hand";
  edited["data"].as_object().erase("b");
  RecordUpdate(live, edited, By("kubectl-edit"));
  const ApplyOutcome outcome =
      ApplyFields(edited, Parse(R"({"data":{"a":"1","b":"2"}})"), By("us"), false);
  ASSERT_THAT(outcome.conflicts, SizeIs(1));
  EXPECT_EQ(outcome.conflicts[0].manager, "kubectl-edit");
  EXPECT_EQ(Content(ApplyFields(edited, Parse(R"({"data":{"b":"2"}})"), By("us"), false).object),
            R"({"data":{"a":"by hand","b":"2"}})");
}

TEST(FieldOwnershipTest, ApplyingTheSameAgainChangesNothing) {
  const char* applied =
      R"({"metadata":{"labels":{"a":"b"},"ownerReferences":[{"uid":"u","name":"n"}]},
                            "data":{"a":"1"}})";
  const json::object once = Apply({}, applied, "us");
  const json::object twice = Apply(once, applied, "us");
  EXPECT_TRUE(SameContent(once, twice));
  EXPECT_TRUE(SameOwnership(once, twice));
  EXPECT_FALSE(SameOwnership(once, Apply(twice, applied, "them")));
}

}  // namespace
}  // namespace calico::kube
