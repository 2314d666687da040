#include "pkg/controller/rate_limiter.h"

#include <string>

#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::controller {
namespace {

const api::ObjectKey kKey{"ns", "a"};

TEST(RateLimiterTest, DoublesTheWaitUpToTheCap) {
  base::FakeClock clock;
  RateLimiter limiter(RateLimit{});
  for (const int want : {5, 10, 20, 40, 80}) {
    EXPECT_EQ(limiter.Failed(kKey, clock.Now()), absl::Milliseconds(want));
  }
  for (int i = 0; i < 50; ++i) {
    limiter.Failed(kKey, clock.Now());
    clock.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(limiter.Failed(kKey, clock.Now()), absl::Seconds(1000));
  EXPECT_EQ(limiter.failures(kKey), 56);
}

TEST(RateLimiterTest, ForgetStartsAgain) {
  base::FakeClock clock;
  RateLimiter limiter(RateLimit{});
  limiter.Failed(kKey, clock.Now());
  limiter.Failed(kKey, clock.Now());
  limiter.Forget(kKey);
  EXPECT_EQ(limiter.failures(kKey), 0);
  EXPECT_EQ(limiter.Failed(kKey, clock.Now()), absl::Milliseconds(5));
}

TEST(RateLimiterTest, KeysDoNotShareTheirFailures) {
  base::FakeClock clock;
  RateLimiter limiter(RateLimit{});
  for (int i = 0; i < 6; ++i) limiter.Failed(kKey, clock.Now());
  EXPECT_EQ(limiter.Failed({"other", "a"}, clock.Now()), absl::Milliseconds(5));
}

TEST(RateLimiterTest, ManyFailingKeysShareOneBucket) {
  base::FakeClock clock;
  RateLimiter limiter(RateLimit{});
  const auto fail = [&](int i) { return limiter.Failed({"ns", std::to_string(i)}, clock.Now()); };
  for (int i = 0; i < 100; ++i) EXPECT_EQ(fail(i), absl::Milliseconds(5)) << i;
  EXPECT_EQ(fail(100), absl::Milliseconds(100));
  EXPECT_EQ(fail(101), absl::Milliseconds(200));
  clock.Advance(absl::Seconds(1));  // ten tokens more, two of which are spoken for
  for (int i = 102; i < 110; ++i) EXPECT_EQ(fail(i), absl::Milliseconds(5)) << i;
  EXPECT_EQ(fail(110), absl::Milliseconds(100));
}

TEST(RateLimiterTest, HoweverManyKeysFailNoneWaitsLongerThanTheCap) {
  base::FakeClock clock;
  RateLimiter limiter({.cap = absl::Seconds(30)});
  const auto fail = [&](int i) { return limiter.Failed({"ns", std::to_string(i)}, clock.Now()); };
  for (int i = 0; i < 5000; ++i) EXPECT_LE(fail(i), absl::Seconds(30)) << i;
  EXPECT_EQ(fail(5000), absl::Seconds(30));
  clock.Advance(absl::Seconds(30));  // what is owed was owed for no longer either
  EXPECT_LE(fail(5001), absl::Milliseconds(100));
}

TEST(RateLimiterTest, NoBucketWhenTheRateIsZero) {
  base::FakeClock clock;
  RateLimiter limiter(RateLimit{.retries_per_second = 0});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(limiter.Failed({"ns", std::to_string(i)}, clock.Now()), absl::Milliseconds(5));
  }
}

}  // namespace
}  // namespace calico::controller
