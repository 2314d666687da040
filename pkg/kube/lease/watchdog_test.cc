#include "pkg/kube/lease/watchdog.h"

#include <sys/resource.h>

#include <optional>

#include <absl/status/status.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

namespace calico::kube {
namespace {

TEST(WatchdogTest, CallsWhenTheTimeIsUp) {
  absl::Notification expired;
  Watchdog watchdog([&](const absl::Status&) { expired.Notify(); });
  const absl::Time start = absl::Now();
  watchdog.Arm(absl::Milliseconds(100));
  EXPECT_TRUE(expired.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(90));
}

TEST(WatchdogTest, SaysWhetherTheTimeIsUpOrThereIsNoTimer) {
  for (const bool has_timer : {true, false}) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlimit none = limit;
    none.rlim_cur = has_timer ? limit.rlim_cur : 0;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    absl::Notification expired;
    absl::Status reason;
    Watchdog watchdog([&](const absl::Status& why) {
      reason = why;
      expired.Notify();
    });
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (has_timer) watchdog.Arm(absl::ZeroDuration());
    ASSERT_TRUE(expired.WaitForNotificationWithTimeout(absl::Seconds(10)));
    EXPECT_EQ(reason.code(), has_timer ? absl::StatusCode::kDeadlineExceeded
                                       : absl::StatusCode::kResourceExhausted)
        << reason;
  }
}

TEST(WatchdogTest, TimeThatIsOverCountsAtOnce) {
  absl::Notification expired;
  Watchdog watchdog([&](const absl::Status&) { expired.Notify(); });
  watchdog.Arm(-absl::Seconds(5));
  EXPECT_TRUE(expired.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST(WatchdogTest, IsSilentWhileItIsArmedAgainAndAfterItsEnd) {
  absl::Notification expired;
  {
    std::optional<Watchdog> watchdog;
    watchdog.emplace([&](const absl::Status&) { expired.Notify(); });
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
