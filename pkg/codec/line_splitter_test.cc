#include "pkg/codec/line_splitter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Feeds `text` in pieces of `piece` bytes.
std::vector<std::string> Split(std::string_view text, std::size_t piece, LineSplitter& splitter) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < text.size(); i += piece) {
    EXPECT_THAT(splitter.Feed(text.substr(i, piece),
                              [&](std::string_view line) {
                                lines.emplace_back(line);
                                return absl::OkStatus();
                              }),
                IsOk());
  }
  return lines;
}

TEST(LineSplitterTest, PiecesMakeNoDifference) {
  const std::string text = "{\"a\":1}\n\n{\"b\":2}\r\n\r\nc\nrest";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    SCOPED_TRACE(piece);
    LineSplitter splitter;
    EXPECT_THAT(Split(text, piece, splitter), ElementsAre("{\"a\":1}", "{\"b\":2}", "c"));
    EXPECT_EQ(splitter.pending_bytes(), 4u);
  }
}

TEST(LineSplitterTest, LineOfTheLimitPassesALongerOneDoesNot) {
  for (std::size_t piece = 1; piece <= 6; ++piece) {
    LineSplitter splitter(5);
    EXPECT_THAT(Split("12345\n12345\n", piece, splitter), ElementsAre("12345", "12345"));
  }
  LineSplitter in_one_piece(5);
  const auto ignore = [](std::string_view) { return absl::OkStatus(); };
  EXPECT_THAT(in_one_piece.Feed("123456\n", ignore),
              StatusIs(absl::StatusCode::kResourceExhausted, "read line: longer than 5 bytes"));
  LineSplitter in_two_pieces(5);
  EXPECT_THAT(in_two_pieces.Feed("123", ignore), IsOk());
  EXPECT_THAT(in_two_pieces.Feed("456", ignore), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(LineSplitterTest, ErrorsStay) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto fail_at_b = [&](std::string_view line) {
    lines.emplace_back(line);
    return line == "b" ? absl::AbortedError("enough") : absl::OkStatus();
  };
  EXPECT_THAT(splitter.Feed("a\nb\nc\n", fail_at_b), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(splitter.Feed("d\n", fail_at_b), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(lines, ElementsAre("a", "b"));
}

TEST(LineSplitterTest, NothingIsNoLine) {
  LineSplitter splitter;
  EXPECT_THAT(Split("", 1, splitter), IsEmpty());
  EXPECT_EQ(splitter.pending_bytes(), 0u);
}

}  // namespace
}  // namespace calico::codec
