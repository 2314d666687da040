#include "operator/calicert/command/progress.h"

#include <sstream>

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "pkg/base/clock.h"

namespace calico::calicert {
namespace {

// What is said while something takes `work`.
std::string Said(absl::Duration after, absl::Duration work, bool quiet, bool is_terminal = false) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{.in = in,
                    .out = out,
                    .err = err,
                    .err_is_terminal = is_terminal,
                    .quiet = quiet,
                    .clock = base::SystemClock()};
  {
    const SlowNotice notice(terminal, "making a key", after);
    absl::SleepFor(work);
  }
  EXPECT_EQ(out.str(), "");
  return err.str();
}

TEST(SlowNoticeTest, SaysSoOnceItTakesLong) {
  EXPECT_EQ(Said(absl::ZeroDuration(), absl::Milliseconds(200), false), "making a key\n");
  EXPECT_EQ(Said(absl::ZeroDuration(), absl::Milliseconds(200), false, true), "making a key\n");
}

TEST(SlowNoticeTest, SaysNothingOfWhatIsQuickOrWhenQuiet) {
  EXPECT_EQ(Said(absl::Hours(1), absl::ZeroDuration(), false), "");
  EXPECT_EQ(Said(absl::ZeroDuration(), absl::Milliseconds(50), true), "");
}

}  // namespace
}  // namespace calico::calicert
