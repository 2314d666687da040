#include "operator/offline/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::offline {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(WorldTest, HasTheDocumentsAndTheItemsOfLists) {
  World world;
  ASSERT_THAT(world.Add("a.yaml", R"(
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: tigera-operator}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: b}}
- {apiVersion: v1, kind: Node, metadata: {name: a}}
)"),
              IsOk());
  ASSERT_THAT(world.Add("b.json", R"({"kind": "Node", "metadata": {"name": "c"}})"), IsOk());
  EXPECT_NE(world.Find("Secret", {"tigera-operator", "one"}), nullptr);
  EXPECT_EQ(world.Find("Secret", {"", "one"}), nullptr);
  EXPECT_THAT(world.OfKind("Node"), SizeIs(3));
}

TEST(WorldTest, WhatIsWrongIsToldWithTheFile) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"kind: [", "f.yaml"},
      {"- 1", "no object"},
      {"metadata: {name: x}", "without kind"},
      {"kind: Node", "without metadata.name"},
      {"kind: NodeList\nitems: [1]", "no object"},
      {"kind: Node\nmetadata: {name: x}\n---\nkind: Node\nmetadata: {name: x}", "given twice"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(World().Add("f.yaml", c.text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("f.yaml"), HasSubstr(c.says))));
  }
  EXPECT_THAT(World().Add("f.yaml", std::string(kMaxWorldBytes + 1, ' ')),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("f.yaml")));
}

}  // namespace
}  // namespace calico::offline
