#include "operator/controllers/status/text.h"

#include <string>

#include <gtest/gtest.h>

namespace calico::status {
namespace {

TEST(TextTest, OneLineJoinsAndCuts) {
  EXPECT_EQ(OneLine(" a\n\t b "), "a b");
  EXPECT_EQ(OneLine(" abcd\nefgh ", 7), "ab...gh");
}

TEST(TextTest, TheCauseAtTheEndStays) {
  const std::string error =
      "failed to pull and unpack image \"registry.example.com/" + std::string(600, 'x') +
      "\": failed to do request: tls: failed to verify certificate: x509: certificate signed by "
      "unknown authority";
  const std::string line = OneLine(error);
  EXPECT_EQ(line.size(), 400U);
  EXPECT_TRUE(line.starts_with("failed to pull and unpack image \"registry.example.com/"));
  EXPECT_TRUE(line.ends_with("x509: certificate signed by unknown authority"));
  EXPECT_NE(line.find("xx...xx"), std::string::npos);
}

TEST(TextTest, FirstNames) {
  EXPECT_EQ(FirstNames({}), "");
  EXPECT_EQ(FirstNames({"b", "a"}), "a, b");
  EXPECT_EQ(FirstNames({"e", "b", "d", "a", "c"}), "a, b, c and 2 more");
}

TEST(TextTest, CutTextKeepsTheLimitAndWholeCharacters) {
  EXPECT_EQ(CutText("abcdef", 6), "abcdef");
  EXPECT_EQ(CutText("abcdefg", 3), "...");
  EXPECT_EQ(CutText("abcdefg", 6), "ab...g");
  // Both cuts in the middle of characters of two, three and four bytes.
  EXPECT_EQ(CutText("a\xc3\xa4zzzz\xc3\xa4", 6), "a...");
  EXPECT_EQ(CutText("a\xe2\x82\xaczzzz\xe2\x82\xac", 9), "a...\xe2\x82\xac");
  EXPECT_EQ(CutText("\xf0\x9f\x98\x80zzzz\xf0\x9f\x98\x80", 9), "...");
  EXPECT_EQ(CutText("\xf0\x9f\x98\x80zzzz\xf0\x9f\x98\x80", 11),
            "\xf0\x9f\x98\x80...\xf0\x9f\x98\x80");
}

TEST(TextTest, CutTextEndsForWhatIsNoUtf8) {
  EXPECT_EQ(CutText(std::string(10, '\x80'), 8), std::string(3, '\x80') + "...");
}

}  // namespace
}  // namespace calico::status
