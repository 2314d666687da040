#include "pkg/codec/json.h"

#include <string>

#include <boost/json/monotonic_resource.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJsonTest, RefusesWhatIsNotJson) {
  struct Case {
    const char* name;
    std::string text;
  };
  const Case kCases[] = {
      {"nothing", ""},
      {"white space only", " \n"},
      {"cut object", R"({"a":1)"},
      {"text after the value", R"({} x)"},
      {"second value", R"({}{})"},
      {"comment", "{} // end"},
      {"trailing comma", "[1,]"},
      {"single quotes", "{'a':1}"},
      {"control character in a string", "\"a\nb\""},
      {"invalid UTF-8", "\"\xff\""},
      {"overlong UTF-8", "\"\xc0\xaf\""},
      {"encoded surrogate", "\"\xed\xa0\x80\""},
      {"lone surrogate escape", R"("\ud800")"},
      {"leading zero", "01"},
      {"not a number", "NaN"},
      {"byte order mark", "\xef\xbb\xbf{}"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(ParseJson(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("parse JSON: ")));
  }
}

TEST(ParseJsonTest, ErrorDoesNotQuoteTheText) {
  const absl::Status status = ParseJson(R"({"token":"hunter2)").status();
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
}

TEST(ParseJsonTest, LastValueOfARepeatedKeyCounts) {
  const absl::StatusOr<json::value> value = ParseJson(R"({"a":1,"b":2,"a":3})");
  ASSERT_THAT(value, IsOk());
  EXPECT_EQ(value->as_object().size(), 2u);
  EXPECT_EQ(value->as_object().at("a").as_int64(), 3);
}

TEST(ParseJsonTest, BoundsSize) {
  EXPECT_THAT(ParseJson("[1]", {.max_bytes = 3}), IsOk());
  EXPECT_THAT(ParseJson("[12]", {.max_bytes = 3}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ParseJsonTest, BoundsDepth) {
  EXPECT_THAT(ParseJson(Nested(64)), IsOk());
  EXPECT_THAT(ParseJson(Nested(65)), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ParseJson(Nested(3), {.max_depth = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // Far beyond the limit it must not cost stack either.
  EXPECT_THAT(ParseJson(Nested(1'000'000)), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ParseJsonTest, AllocatesFromTheGivenStorage) {
  const json::storage_ptr storage = json::make_shared_resource<json::monotonic_resource>();
  const absl::StatusOr<json::value> value = ParseJson(R"({"a":["b"]})", {}, storage);
  ASSERT_THAT(value, IsOk());
  EXPECT_EQ(value->storage().get(), storage.get());
}

TEST(ParseJsonObjectTest, RefusesOtherValues) {
  EXPECT_THAT(ParseJsonObject("{}"), IsOk());
  EXPECT_THAT(ParseJsonObject("[]"), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("expected object, got array")));
  EXPECT_THAT(ParseJsonObject("null"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected object, got null")));
}

TEST(SerializeTest, KeepsTheOrderOfKeysAndEveryNumber) {
  const std::string text =
      R"({"z":1,"a":[true,null,-9223372036854775808,18446744073709551615],"s":"\u0001\"é"})";
  const absl::StatusOr<json::value> value = ParseJson(text);
  ASSERT_THAT(value, IsOk());
  EXPECT_EQ(Serialize(*value), text);
  EXPECT_EQ(Serialize(value->as_object()), text);
}

TEST(KindNameTest, NamesEveryKind) {
  EXPECT_EQ(KindName(nullptr), "null");
  EXPECT_EQ(KindName(true), "boolean");
  EXPECT_EQ(KindName(std::int64_t{-1}), "number");
  EXPECT_EQ(KindName(std::uint64_t{1}), "number");
  EXPECT_EQ(KindName(0.5), "number");
  EXPECT_EQ(KindName("x"), "string");
  EXPECT_EQ(KindName(json::array()), "array");
  EXPECT_EQ(KindName(json::object()), "object");
}

TEST(JsonTest, FindsMembersOfTheTypeAskedFor) {
  const json::object object = *ParseJsonObject(R"({"o":{"a":1},"l":[2],"t":"text","n":null})");
  ASSERT_NE(FindObject(object, "o"), nullptr);
  EXPECT_EQ(FindObject(object, "o")->at("a").as_int64(), 1);
  ASSERT_NE(FindArray(object, "l"), nullptr);
  EXPECT_EQ(FindArray(object, "l")->size(), 1u);
  EXPECT_EQ(TextAt(object, "t"), "text");
  for (const char* other : {"l", "t", "n", "absent"}) {
    EXPECT_EQ(FindObject(object, other), nullptr) << other;
  }
  for (const char* other : {"o", "t", "n", "absent"}) {
    EXPECT_EQ(FindArray(object, other), nullptr) << other;
  }
  for (const char* other : {"o", "l", "n", "absent"}) {
    EXPECT_EQ(TextAt(object, other), "") << other;
  }
}

}  // namespace
}  // namespace calico::codec
