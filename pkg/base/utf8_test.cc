#include "pkg/base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

TEST(Utf8Test, EveryCodePointIsTaken) {
  for (unsigned point = 0; point <= 0x10ffff; ++point) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    std::string text;
    std::size_t want = 1;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
      want = 2;
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3f)),
              static_cast<char>(0x80 | (point & 0x3f))};
      want = 3;
    } else {
      text = {static_cast<char>(0xf0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 0x3f)),
              static_cast<char>(0x80 | (point >> 6 & 0x3f)),
              static_cast<char>(0x80 | (point & 0x3f))};
      want = 4;
    }
    ASSERT_EQ(Utf8SequenceLength(text), want) << point;
    ASSERT_TRUE(IsUtf8("a" + text + "b")) << point;
  }
}

TEST(Utf8Test, EverythingElseIsRefused) {
  struct Case {
    const char* name;
    std::string text;
  };
  const Case kCases[] = {
      {"continuation alone", "\x80"},
      {"overlong slash", "\xc0\xaf"},
      {"overlong in two bytes", "\xc1\xbf"},
      {"overlong in three bytes", "\xe0\x9f\xbf"},
      {"overlong in four bytes", "\xf0\x8f\xbf\xbf"},
      {"first surrogate", "\xed\xa0\x80"},
      {"last surrogate", "\xed\xbf\xbf"},
      {"above U+10FFFF", "\xf4\x90\x80\x80"},
      {"five bytes", "\xf8\x88\x80\x80\x80"},
      {"0xff", "\xff"},
      {"cut after one", "\xe2"},
      {"cut after two", "\xe2\x80"},
      {"second byte wrong", "\xc3("},
      {"third byte wrong", "\xe2\x82("},
      {"fourth byte wrong", "\xf0\x9f\x98("},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Utf8SequenceLength(c.text), 0u);
    EXPECT_FALSE(IsUtf8("a" + c.text));
  }
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_EQ(Utf8SequenceLength(""), 0u);
}

}  // namespace
}  // namespace calico::base
