#include "pkg/base/backoff.h"

#include <gtest/gtest.h>

namespace calico::base {
namespace {

TEST(BackoffTest, GrowsByFactorUpToTheCapAndResets) {
  Backoff backoff({.initial = absl::Seconds(1), .cap = absl::Seconds(5), .jitter = 0});
  EXPECT_EQ(backoff.Next(0.9), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(0.9), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(0.9), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(0.9), absl::Seconds(5));
  EXPECT_EQ(backoff.steps(), 4);
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(backoff.Next(0), absl::Seconds(5));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(0), absl::Seconds(1));
}

TEST(BackoffTest, JitterAddsTheDrawnShare) {
  Backoff backoff({.initial = absl::Seconds(2), .jitter = 0.5});
  EXPECT_EQ(backoff.Next(0.5), absl::Seconds(2.5));
}

TEST(BackoffTest, RandomUnitStaysInRange) {
  for (int i = 0; i < 100; ++i) {
    const double drawn = RandomUnit();
    EXPECT_GE(drawn, 0.0);
    EXPECT_LT(drawn, 1.0);
  }
}

}  // namespace
}  // namespace calico::base
