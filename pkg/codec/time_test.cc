#include "pkg/codec/time.h"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOkAndHolds;
using base::StatusIs;

TEST(ParseTimeTest, ReadsWhatKubernetesPrints) {
  struct Case {
    const char* text;
    std::int64_t nanoseconds;
  };
  const Case kCases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-22T19:42:02Z", 1795376522'000000000},
      {"2026-11-22T19:42:02.123456Z", 1795376522'123456000},
      {"2026-11-22T19:42:02.1Z", 1795376522'100000000},
      {"2026-11-22T19:42:02.123456789Z", 1795376522'123456789},
      {"2026-11-22T20:42:02+01:00", 1795376522'000000000},
      {"2026-11-22T14:12:02-05:30", 1795376522'000000000},
      {"2024-02-29T00:00:00Z", 1709164800'000000000},
      {"1969-12-31T23:59:59.5Z", -500000000},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseTime(c.text), IsOkAndHolds(absl::FromUnixNanos(c.nanoseconds)));
  }
}

TEST(ParseTimeTest, RefusesEverythingElse) {
  const char* kCases[] = {
      "",
      "now",
      "infinite-future",
      "2026-11-22",
      "2026-11-22 19:42:02Z",
      "2026-11-22T19:42:02",
      "2026-11-22T19:42:02z",
      "2026-11-22T19:42:02Z ",
      " 2026-11-22T19:42:02Z",
      "2026-11-22T19:42Z",
      "2026-13-22T19:42:02Z",
      "2026-02-29T19:42:02Z",
      "2026-11-00T19:42:02Z",
      "2026-11-22T24:00:00Z",
      "2026-11-22T19:60:00Z",
      "2026-11-22T19:42:60Z",
      "2026-11-22T19:42:02.Z",
      "2026-11-22T19:42:02.1234567890Z",
      "2026-11-22T19:42:02+0100",
      "2026-11-22T19:42:02+24:00",
      "2026-11-22T19:42:02+01:60",
      "26-11-22T19:42:02Z",
      "-026-11-22T19:42:02Z",
      "+026-11-22T19:42:02Z",
  };
  for (const char* text : kCases) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseTime(text), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(EncodeTimeTest, PrintsAsKubernetesDoes) {
  struct Case {
    std::int64_t nanoseconds;
    const char* time;
    const char* micro_time;
  };
  const Case kCases[] = {
      {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
      {1795376522'000000000, "2026-11-22T19:42:02Z", "2026-11-22T19:42:02.000000Z"},
      {1795376522'120000999, "2026-11-22T19:42:02Z", "2026-11-22T19:42:02.120000Z"},
      {1795376522'999999999, "2026-11-22T19:42:02Z", "2026-11-22T19:42:02.999999Z"},
      {-500000000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.500000Z"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.time);
    EXPECT_EQ(EncodeTime(absl::FromUnixNanos(c.nanoseconds)), c.time);
    EXPECT_EQ(EncodeMicroTime(absl::FromUnixNanos(c.nanoseconds)), c.micro_time);
  }
}

}  // namespace
}  // namespace calico::codec
