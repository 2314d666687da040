#include "pkg/base/release_order.h"

#include <gtest/gtest.h>

namespace calico::base {
namespace {

TEST(ReleaseOrderTest, NumbersAreReadAndOtherFormsAreNot) {
  EXPECT_EQ(ReleaseNumber::Parse("v3.33"), (ReleaseNumber{3, 33, 0}));
  EXPECT_EQ(ReleaseNumber::Parse("v3.33.1"), (ReleaseNumber{3, 33, 1}));
  EXPECT_EQ(ReleaseNumber::Parse("v3.27.5-fips"), (ReleaseNumber{3, 27, 5}));
  EXPECT_EQ(ReleaseNumber::Parse("v3.34.0-0.dev-12-gabc"), (ReleaseNumber{3, 34, 0}));
  for (const char* text :
       {"", "v", "v3", "v3.", "3.33", "v3.33.", "v3.33.1.2", "v3.x", "v-3.3", "v3.-3", "v3. 3",
        "master", "release-v3.33", "v3.99999999999", "v3.33.1x"}) {
    EXPECT_FALSE(ReleaseNumber::Parse(text).has_value()) << text;
  }
}

TEST(ReleaseOrderTest, NumbersAreComparedAsNumbers) {
  EXPECT_TRUE(IsLaterRelease("v3.100", "v3.33"));
  EXPECT_TRUE(IsLaterRelease("v3.33", "v3.9"));
  EXPECT_TRUE(IsLaterRelease("v4.0", "v3.33"));
  EXPECT_TRUE(IsLaterRelease("v3.32.2", "v3.32.1"));
  EXPECT_FALSE(IsLaterRelease("v3.32.1", "v3.32.1-fips"));
  EXPECT_FALSE(IsLaterRelease("v3.27", "v3.32"));
}

TEST(ReleaseOrderTest, AnotherFormIsAfterAllNumbers) {
  EXPECT_TRUE(IsLaterRelease("master", "v3.33"));
  EXPECT_FALSE(IsLaterRelease("v3.33", "master"));
  EXPECT_FALSE(IsLaterRelease("master", "main"));
}

TEST(ReleaseOrderTest, AReleaseWithoutARowHasThatOfTheNewestBeforeIt) {
  struct Row {
    std::string_view release;
  };
  constexpr Row kRows[] = {{"v3.27"}, {"v3.32"}, {"v3.33"}};
  const auto row = [&](std::string_view release) { return RowFor(kRows, release).release; };
  EXPECT_EQ(row("v3.27"), "v3.27");
  EXPECT_EQ(row("v3.27.5"), "v3.27");
  EXPECT_EQ(row("v3.31"), "v3.27");
  EXPECT_EQ(row("v3.32"), "v3.32");
  EXPECT_EQ(row("v3.99"), "v3.33");
  EXPECT_EQ(row("v4.0"), "v3.33");
  EXPECT_EQ(row("master"), "v3.33");
  EXPECT_EQ(row(""), "v3.33");
  EXPECT_EQ(row("v3.9"), "v3.27");
}

}  // namespace
}  // namespace calico::base
