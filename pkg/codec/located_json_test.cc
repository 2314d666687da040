#include "pkg/codec/located_json.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = LocatedJson::Kind;

TEST(LocatedJsonTest, EverythingKnowsItsPlace) {
  const auto root = ParseLocatedJson(
      "{\n  \"CN\": \"a\\u00e9b\",\n  \"key\": {\"size\": 256},\n"
      "  \"list\": [true, null, -1.5e3]\n}\n");
  ASSERT_THAT(root, IsOk());
  ASSERT_EQ(root->kind, Kind::kObject);
  EXPECT_EQ(root->location, (Location{1, 1}));
  ASSERT_EQ(root->members.size(), 3U);
  const LocatedMember& name = root->members[0];
  EXPECT_EQ(name.key, "CN");
  EXPECT_EQ(name.location, (Location{2, 3}));
  EXPECT_EQ(name.value.text,
            "a\xc3\xa9"
            "b");
  EXPECT_EQ(name.value.location, (Location{2, 9}));
  const LocatedJson& key = root->members[1].value;
  EXPECT_EQ(key.location, (Location{3, 10}));
  EXPECT_EQ(key.members[0].value.Integer(), 256);
  EXPECT_EQ(key.members[0].value.location, (Location{3, 19}));
  const LocatedJson& list = root->members[2].value;
  ASSERT_EQ(list.items.size(), 3U);
  EXPECT_TRUE(list.items[0].boolean);
  EXPECT_EQ(list.items[1].kind, Kind::kNull);
  EXPECT_EQ(list.items[2].text, "-1.5e3");
  EXPECT_EQ(list.items[2].location, (Location{4, 24}));
  EXPECT_FALSE(list.items[2].Integer().has_value());
}

TEST(LocatedJsonTest, KeysGivenTwiceAreBothThere) {
  const auto root = ParseLocatedJson(R"({"a": 1, "a": 2})");
  ASSERT_THAT(root, IsOk());
  ASSERT_EQ(root->members.size(), 2U);
  EXPECT_EQ(root->members[1].value.Integer(), 2);
}

TEST(LocatedJsonTest, SaysWhereAndWhatIsWrong) {
  struct Case {
    const char* name;
    std::string text;
    const char* place;
    const char* words;
  };
  const Case kCases[] = {
      {"empty", "", "1:1: ", "empty"},
      {"white space", " \n\t", "1:1: ", "empty"},
      {"trailing comma in a list", "[\n 1,\n]", "3:1: ", "after a comma"},
      {"trailing comma in an object", "{\"a\": 1,\n}", "2:1: ", "after a comma"},
      {"comment", "{\n  // x\n}", "2:3: ", "no comments"},
      {"hash", "{\n  # x\n}", "2:3: ", "no comments"},
      {"single quotes", "{'CN': 1}", "1:2: ", "double quotes"},
      {"second value", "{}\n{}", "2:1: ", "after the end of the first value"},
      {"no comma", "{\"a\": 1\n \"b\": 2}", "2:2: ", "a comma is missing"},
      {"open text", "{\"a\": \"x\n}", "1:9: ", "does not end on its line"},
      {"cut", "{\"a\": [1, 2", "1:12: ", "ends in the middle"},
      {"cut text", "{\"a", "1:4: ", "ends in the middle"},
      {"no JSON", "CN=etcd", "1:1: ", "no JSON"},
      {"yaml", "CN: etcd", "1:1: ", "no JSON"},
      {"no quotes", "{CN: 1}", "1:2: ", "a key in double quotes"},
      {"bad UTF-8", "{\"a\": \"\xff\"}", "1:8: ", "byte 0xff"},
      {"bad word", "{\"a\": nul1}", "1:10: ", "expected"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto root = ParseLocatedJson(c.text);
    EXPECT_THAT(root, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith(c.place)));
    EXPECT_THAT(root, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.words)));
  }
}

TEST(LocatedJsonTest, ByteOrderMarkIsSkipped) {
  const auto root = ParseLocatedJson("\xef\xbb\xbf{\"a\": 1}");
  ASSERT_THAT(root, IsOk());
  EXPECT_EQ(root->members[0].location, (Location{1, 2}));
}

TEST(LocatedJsonTest, DepthAndSizeAreBounded) {
  EXPECT_THAT(ParseLocatedJson(std::string(40, '[')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too deep")));
  EXPECT_THAT(ParseLocatedJson("{}   ", {.max_bytes = 4}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace calico::codec
