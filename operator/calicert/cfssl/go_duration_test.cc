#include "operator/calicert/cfssl/go_duration.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;

TEST(GoDurationTest, ReadsWhatGoReads) {
  EXPECT_THAT(ParseGoDuration("8760h"), IsOkAndHolds(Eq(absl::Hours(8760))));
  EXPECT_THAT(ParseGoDuration("1h30m"), IsOkAndHolds(Eq(absl::Minutes(90))));
  EXPECT_THAT(ParseGoDuration("1.5h"), IsOkAndHolds(Eq(absl::Minutes(90))));
  EXPECT_THAT(ParseGoDuration("-5m"), IsOkAndHolds(Eq(-absl::Minutes(5))));
  EXPECT_THAT(ParseGoDuration("0"), IsOkAndHolds(Eq(absl::ZeroDuration())));
  EXPECT_THAT(ParseGoDuration("876000h"), IsOkAndHolds(Eq(absl::Hours(876000))));
}

TEST(GoDurationTest, SaysWhatToWrite) {
  struct Case {
    const char* text;
    const char* advice;
  };
  const Case kCases[] = {
      {"10y", "write hours, 87600h"},
      {"365d", "write hours, 8760h"},
      {"87600H", "write 87600h"},
      {"24 hours", "write 24h"},
      {"90 min", "write 90m"},
      {"2w", "write hours, 336h"},
      {"1 year", "write hours, 8760h"},
      {"87600", "a unit is missing: write 87600h"},
      {"", "such as 8760h"},
      {"soon", "such as 8760h"},
      {"inf", "such as 8760h"},
      {" 1h", "such as 8760h"},
      {"99999999h", "the longest there is"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseGoDuration(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.advice)));
  }
}

TEST(GoDurationTest, FormatsWithoutZeros) {
  EXPECT_EQ(FormatGoDuration(absl::Hours(8760)), "8760h");
  EXPECT_EQ(FormatGoDuration(absl::Minutes(90)), "1h30m");
}

}  // namespace
}  // namespace calico::calicert::cfssl
