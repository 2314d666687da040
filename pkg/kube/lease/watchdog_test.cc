#include "pkg/kube/lease/watchdog.h"

#include <optional>

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

namespace calico::kube {
namespace {

TEST(WatchdogTest, CallsWhenTheTimeIsUp) {
  absl::Notification expired;
  Watchdog watchdog([&] { expired.Notify(); });
  const absl::Time start = absl::Now();
  watchdog.Arm(absl::Milliseconds(100));
  EXPECT_TRUE(expired.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(90));
}

TEST(WatchdogTest, TimeThatIsOverCountsAtOnce) {
  absl::Notification expired;
  Watchdog watchdog([&] { expired.Notify(); });
  watchdog.Arm(-absl::Seconds(5));
  EXPECT_TRUE(expired.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST(WatchdogTest, IsSilentWhileItIsArmedAgainAndAfterItsEnd) {
  absl::Notification expired;
  {
    std::optional<Watchdog> watchdog;
    watchdog.emplace([&] { expired.Notify(); });
    for (int i = 0; i < 5; ++i) {
      watchdog->Arm(absl::Seconds(2));
      absl::SleepFor(absl::Milliseconds(5));
    }
    watchdog->Arm(absl::Hours(1));
  }
  EXPECT_FALSE(expired.HasBeenNotified());
}

}  // namespace
}  // namespace calico::kube
