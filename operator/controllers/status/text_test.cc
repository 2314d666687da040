#include "operator/controllers/status/text.h"

#include <string>

#include <gtest/gtest.h>

namespace calico::status {
namespace {

TEST(TextTest, OneLineJoinsAndCutsAtACharacter) {
  EXPECT_EQ(OneLine(" a\n\t b "), "a b");
  EXPECT_EQ(OneLine("a\xc3\xa4"
                    "bc",
                    2),
            "a\xc3\xa4...");
}

TEST(TextTest, CutTextKeepsTheLimitAndWholeCharacters) {
  EXPECT_EQ(CutText("abcdef", 6), "abcdef");
  EXPECT_EQ(CutText("abcdefg", 6), "abc...");
  // The limit is in the middle of characters of two, three and four bytes.
  EXPECT_EQ(CutText("ab\xc3\xa4zzzz", 6), "ab...");
  EXPECT_EQ(CutText("a\xe2\x82\xaczzzz", 6), "a...");
  EXPECT_EQ(CutText("\xf0\x9f\x98\x80zzzz", 6), "...");
  EXPECT_EQ(CutText("a\xc3\xa4zzzz", 6), "a\xc3\xa4...");
}

TEST(TextTest, CutTextEndsForWhatIsNoUtf8) {
  EXPECT_EQ(CutText(std::string(10, '\x80'), 8), std::string(5, '\x80') + "...");
}

}  // namespace
}  // namespace calico::status
