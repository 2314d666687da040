#include "operator/controllers/status/component_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::status {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ComponentMetricsTest, ShowsTheConditionsOnceTheyAreKnown) {
  metrics::Registry registry;
  ComponentMetrics metrics(registry, "apiserver");
  ComponentMetrics others(registry, "goldmane");
  EXPECT_THAT(registry.Expose(), Not(HasSubstr("component=")));
  metrics.Set(Decide({.obstacle = Obstacle{"InvalidConfigurationError", "wrong"}}));
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("tigera_operator_component_status{component=\"apiserver\","
                              "condition=\"degraded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{component=\"apiserver\",condition=\"available\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("goldmane")));
}

TEST(ComponentMetricsTest, NothingIsShownOfAComponentThatIsGone) {
  metrics::Registry registry;
  ComponentMetrics metrics(registry, "apiserver");
  metrics.Set(Decide({.has_workloads = true}));
  EXPECT_THAT(registry.Expose(), HasSubstr("condition=\"available\"} 1\n"));
  metrics.Hide();
  EXPECT_THAT(registry.Expose(), Not(HasSubstr("component=")));
}

}  // namespace
}  // namespace calico::status
