#include "pkg/codec/list_splitter.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Result {
  std::vector<std::string> items;
  absl::StatusOr<ListHeader> header = absl::UnknownError("not finished");
};

Result Split(std::string_view text, std::size_t piece, const ListSplitter::Limits& limits = {}) {
  Result result;
  ListSplitter splitter(limits);
  for (std::size_t i = 0; i < text.size(); i += piece) {
    const absl::Status status = splitter.Feed(text.substr(i, piece), [&](std::string_view item) {
      result.items.emplace_back(item);
      return absl::OkStatus();
    });
    if (!status.ok()) break;
  }
  result.header = splitter.Finish();
  return result;
}

constexpr std::string_view kPods =
    R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"17","continue":"abc",)"
    R"("remainingItemCount":2},"items":[{"a":"]}\"{[\\"}, {"items":[{"x":[1,{}]}]}
,{}]})"
    "\n";

TEST(ListSplitterTest, PiecesMakeNoDifference) {
  for (std::size_t piece = 1; piece <= kPods.size(); ++piece) {
    SCOPED_TRACE(piece);
    const Result result = Split(kPods, piece);
    EXPECT_THAT(result.items,
                ElementsAre(R"({"a":"]}\"{[\\"})", R"({"items":[{"x":[1,{}]}]})", "{}"));
    ASSERT_THAT(result.header, IsOk());
    EXPECT_EQ(result.header->kind, "PodList");
    EXPECT_EQ(result.header->api_version, "v1");
    EXPECT_EQ(result.header->resource_version, "17");
    EXPECT_EQ(result.header->continue_token, "abc");
    EXPECT_EQ(result.header->remaining_item_count, 2);
  }
}

TEST(ListSplitterTest, MetadataMayComeAfterTheItems) {
  const Result result = Split(R"({"items":[{}],"kind":"L","metadata":{"resourceVersion":"9"}})", 7);
  EXPECT_THAT(result.items, ElementsAre("{}"));
  ASSERT_THAT(result.header, IsOk());
  EXPECT_EQ(result.header->resource_version, "9");
  EXPECT_EQ(result.header->continue_token, "");
  EXPECT_EQ(result.header->remaining_item_count, std::nullopt);
}

TEST(ListSplitterTest, DocumentsWithoutItems) {
  const char* kCases[] = {
      R"({"kind":"K","items":[]})",
      R"({"kind":"K","items" : [ ] })",
      R"({"kind":"K","items":null})",
      R"({"kind":"K"})",
      R"({"kind":"K","metadata":{"items":[{}]}})",   // Not at the top.
      R"({"note":"items","kind":"K","list":[{}]})",  // A value, not the key.
      R"({"kind":"K","details":{"causes":[{"items":[{}]}]},"x":["items",[{}]]})",
  };
  for (const char* text : kCases) {
    SCOPED_TRACE(text);
    const Result result = Split(text, 3);
    EXPECT_THAT(result.items, IsEmpty());
    ASSERT_THAT(result.header, IsOk());
    EXPECT_EQ(result.header->kind, "K");
  }
}

TEST(ListSplitterTest, RefusesWhatIsNoList) {
  struct Case {
    const char* name;
    const char* text;
    absl::StatusCode want;
  };
  const Case kCases[] = {
      {"nothing", "", absl::StatusCode::kUnavailable},
      {"cut in the header", R"({"kind":"K)", absl::StatusCode::kUnavailable},
      {"cut before the items", R"({"items":[)", absl::StatusCode::kUnavailable},
      {"cut in an item", R"({"items":[{"a":1)", absl::StatusCode::kUnavailable},
      {"cut after an item", R"({"items":[{}])", absl::StatusCode::kUnavailable},
      {"no comma", R"({"items":[{} {}]})", absl::StatusCode::kInvalidArgument},
      {"trailing comma", R"({"items":[{},]})", absl::StatusCode::kInvalidArgument},
      {"leading comma", R"({"items":[,{}]})", absl::StatusCode::kInvalidArgument},
      {"item is a string", R"({"items":["a"]})", absl::StatusCode::kInvalidArgument},
      {"item is null", R"({"items":[null]})", absl::StatusCode::kInvalidArgument},
      {"items is an object", R"({"items":{"a":1}})", absl::StatusCode::kInvalidArgument},
      {"items twice", R"({"items":[],"items":[]})", absl::StatusCode::kInvalidArgument},
      {"items with an escape", R"({"\u0069tems":[{}]})", absl::StatusCode::kInvalidArgument},
      {"an array", "[{}]", absl::StatusCode::kInvalidArgument},
      {"two documents", R"({"items":[]}{})", absl::StatusCode::kInvalidArgument},
      {"too many brackets", R"({"items":[]}})", absl::StatusCode::kInvalidArgument},
      {"broken header", R"({"items":[{}],"kind"})", absl::StatusCode::kInvalidArgument},
      {"text", "upstream connect error", absl::StatusCode::kInvalidArgument},
      {"kind is a number", R"({"kind":1})", absl::StatusCode::kInvalidArgument},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Split(c.text, 1).header, StatusIs(c.want));
    EXPECT_THAT(Split(c.text, 1000).header, StatusIs(c.want));
  }
}

TEST(ListSplitterTest, BoundsAnItem) {
  const std::string text = R"({"items":[{"a":"12345678"}]})";
  for (const std::size_t piece : {1, 4, 100}) {
    EXPECT_THAT(Split(text, piece, {.max_item_bytes = 16}).header, IsOk());
    EXPECT_THAT(Split(text, piece, {.max_item_bytes = 15}).header,
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("item")));
  }
}

TEST(ListSplitterTest, BoundsDepth) {
  const std::string text = R"({"items":[{"a":[[1]]}]})";
  EXPECT_THAT(Split(text, 100, {.max_depth = 3}).header, IsOk());
  EXPECT_THAT(Split(text, 100, {.max_depth = 2}).header,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("nested")));
  const std::string header = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_THAT(Split(header, 100).header, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ListSplitterTest, BoundsTheHeader) {
  const std::string text = R"({"items":[{},{}],"a":")" + std::string(200, 'x') + "\"}";
  EXPECT_THAT(Split(text, 10).header, IsOk());
  EXPECT_THAT(Split(text, 10, {.max_header_bytes = 100}).header,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("beside the items")));
}

TEST(ListSplitterTest, ErrorOfTheCallbackStays) {
  ListSplitter splitter;
  int calls = 0;
  const auto fail = [&](std::string_view) {
    ++calls;
    return absl::AbortedError("enough");
  };
  EXPECT_THAT(splitter.Feed(R"({"items":[{},{}]})", fail), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(splitter.Feed("{}", fail), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(splitter.Finish(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(calls, 1);
}

TEST(ListSplitterTest, ManyItemsNeverStandTogether) {
  // 64 MB of items through chunks of 16 KB: the longest text held is one item.
  const std::string item = fmt::format(R"({{"metadata":{{"name":"{}"}}}})", std::string(6400, 'p'));
  ListSplitter splitter;
  std::size_t longest = 0;
  int items = 0;
  const auto count = [&](std::string_view text) {
    longest = std::max(longest, text.size());
    ++items;
    return absl::OkStatus();
  };
  ASSERT_THAT(splitter.Feed(R"({"metadata":{"resourceVersion":"5"},"items":[)", count), IsOk());
  std::string chunk;
  for (int i = 0; i < 10'000; ++i) {
    chunk += i == 0 ? item : "," + item;
    if (chunk.size() < 16'384) continue;
    ASSERT_THAT(splitter.Feed(std::string_view(chunk).substr(0, 16'384), count), IsOk());
    chunk.erase(0, 16'384);
  }
  ASSERT_THAT(splitter.Feed(chunk + "]}", count), IsOk());
  const absl::StatusOr<ListHeader> header = splitter.Finish();
  ASSERT_THAT(header, IsOk());
  EXPECT_EQ(header->resource_version, "5");
  EXPECT_EQ(items, 10'000);
  EXPECT_EQ(longest, item.size());
}

}  // namespace
}  // namespace calico::codec
