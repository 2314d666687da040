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
