#include "operator/controllers/status/age.h"

#include <gtest/gtest.h>

namespace calico::status {
namespace {

TEST(AgeTest, CoarseSteps) {
  struct Case {
    absl::Duration age;
    const char* want;
  };
  const Case cases[] = {
      {absl::ZeroDuration(), "less than 30s"},
      {absl::Seconds(29), "less than 30s"},
      {absl::Seconds(30), "30s"},
      {absl::Seconds(59), "30s"},
      {absl::Seconds(60), "1m"},
      {absl::Seconds(119), "1m30s"},
      {absl::Seconds(120), "2m"},
      {absl::Minutes(4), "2m"},
      {absl::Minutes(5), "5m"},
      {absl::Minutes(59), "30m"},
      {absl::Hours(1), "1h"},
      {absl::Hours(23), "12h"},
      {absl::Hours(24), "1d"},
      {absl::Hours(24 * 10 + 5), "10d"},
  };
  for (const Case& c : cases) EXPECT_EQ(AgeText(c.age), c.want) << c.age;
}

// Who sleeps until the next age and looks again sees another text, and never sleeps for nothing.
TEST(AgeTest, TheNextAgeIsAnotherText) {
  absl::Duration age = absl::ZeroDuration();
  for (int i = 0; i < 30; ++i) {
    const absl::Duration wait = UntilNextAge(age);
    ASSERT_GT(wait, absl::ZeroDuration());
    EXPECT_EQ(AgeText(age), AgeText(age + wait - absl::Seconds(1)));
    EXPECT_NE(AgeText(age), AgeText(age + wait));
    age += wait;
  }
}

}  // namespace
}  // namespace calico::status
