#include "pkg/codec/merge_patch.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace calico::codec {
namespace {

std::string Patch(std::string_view from, std::string_view to) {
  return Serialize(MergePatch(*ParseJsonObject(from), *ParseJsonObject(to)));
}

TEST(MergePatchTest, EqualObjectsNeedNone) {
  EXPECT_EQ(Patch(R"({"a":{"b":[1,{"c":2}]},"d":"e"})", R"({"d":"e","a":{"b":[1,{"c":2}]}})"),
            "{}");
  EXPECT_EQ(Patch(R"({"a":null})", "{}"), "{}");
  EXPECT_EQ(Patch("{}", R"({"a":null})"), "{}");
}

TEST(MergePatchTest, WhatIsMissingBecomesNullAtItsPlace) {
  EXPECT_EQ(Patch(R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1}})"),
            R"({"d":null,"a":{"c":null}})");
}

TEST(MergePatchTest, OnlyWhatDiffersIsSent) {
  EXPECT_EQ(Patch(R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1,"c":4},"d":3,"e":true})"),
            R"({"a":{"c":4},"e":true})");
}

TEST(MergePatchTest, ListsAndValuesOfAnotherKindAreReplaced) {
  EXPECT_EQ(Patch(R"({"a":[1,2],"b":{"c":1}})", R"({"a":[1],"b":"x"})"), R"({"a":[1],"b":"x"})");
  EXPECT_EQ(Patch(R"({"a":"x"})", R"({"a":{"b":1}})"), R"({"a":{"b":1}})");
}

}  // namespace
}  // namespace calico::codec
