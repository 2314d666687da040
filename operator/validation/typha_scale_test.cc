#include "operator/validation/typha_scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::validation {
namespace {

TEST(InstallationScaleTest, ReplicasByNumberOfNodes) {
  struct Case {
    int nodes;
    int want;
  };
  const Case cases[] = {{0, 1},   {1, 1},    {2, 1},     {3, 2},    {4, 2},   {5, 3},
                        {199, 3}, {200, 3},  {399, 3},   {400, 4},  {599, 4}, {600, 5},
                        {999, 6}, {1000, 7}, {2000, 12}, {3600, 20}};
  for (const Case& c : cases) {
    EXPECT_EQ(TyphaReplicas({.all = c.nodes, .linux = c.nodes}), c.want) << c.nodes;
  }
}

constexpr NodeCount Nodes(int count) { return {.all = count, .linux = count}; }

TEST(TyphaScaleTest, MoreAtOnceAndFewerAfterAWhile) {
  TyphaScale scale;
  absl::Time now = absl::FromUnixSeconds(1000);
  EXPECT_EQ(scale.Decide(Nodes(4), now), 2);
  EXPECT_EQ(scale.recheck_at(), absl::InfiniteFuture());
  EXPECT_EQ(scale.Decide(Nodes(5), now), 3);
  EXPECT_EQ(scale.Decide(Nodes(4), now), 3);
  EXPECT_EQ(scale.recheck_at(), now + TyphaScale::kScaleDownDelay);
  now += TyphaScale::kScaleDownDelay - absl::Seconds(1);
  EXPECT_EQ(scale.Decide(Nodes(4), now), 3);
  now += absl::Seconds(1);
  EXPECT_EQ(scale.Decide(Nodes(4), now), 2);
  EXPECT_EQ(scale.recheck_at(), absl::InfiniteFuture());
}

TEST(TyphaScaleTest, ANodeThatComesBackStartsTheWaitAnew) {
  TyphaScale scale;
  absl::Time now = absl::FromUnixSeconds(1000);
  (void)scale.Decide(Nodes(5), now);
  for (int i = 0; i < 10; ++i) {
    now += absl::Minutes(3);
    EXPECT_EQ(scale.Decide(Nodes(i % 2 == 0 ? 4 : 5), now), 3);
  }
}

TEST(TyphaScaleTest, NoMoreThanNodesThatCanRunThem) {
  TyphaScale scale;
  const absl::Time now = absl::FromUnixSeconds(1000);
  EXPECT_EQ(scale.Decide(Nodes(1000), now), 7);
  EXPECT_EQ(scale.Decide(Nodes(5), now), 5);
  EXPECT_EQ(scale.Decide(Nodes(3), now), 3);
  EXPECT_EQ(scale.Decide(Nodes(1), now), 1);
}

// The first decision of a process is the table's.
TEST(TyphaScaleTest, ARestartedOperatorDecidesAnew) {
  EXPECT_EQ(TyphaScale().Decide(Nodes(4), absl::FromUnixSeconds(1000)), 2);
}

TEST(InstallationScaleTest, TooFewLinuxNodesAreAProblem) {
  EXPECT_FALSE(TyphaScalingProblem({.all = 3, .linux = 2}).has_value());
  EXPECT_FALSE(TyphaScalingProblem({.all = 1, .linux = 1}).has_value());
  EXPECT_THAT(*TyphaScalingProblem({.all = 5, .linux = 2}),
              testing::HasSubstr("needs 3 Linux nodes that take pods, and there are 2"));
  EXPECT_FALSE(TyphaScalingProblem({.all = 0, .linux = 0}).has_value());
  EXPECT_THAT(*TyphaScalingProblem({.all = 1, .linux = 0}),
              testing::HasSubstr("needs 1 Linux node that takes pods, and there are 0"));
}

}  // namespace
}  // namespace calico::validation
