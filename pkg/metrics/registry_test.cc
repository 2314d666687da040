#include "pkg/metrics/registry.h"

#include <limits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RegistryTest, ShowsSeriesWithZeroBeforeAnythingHappened) {
  Registry registry;
  registry.AddCounter("reconcile_total", "Reconciles.", {{"result", "success"}});
  registry.AddCounter("reconcile_total", "Reconciles.", {{"result", "error"}});
  EXPECT_EQ(registry.Expose(),
            "# HELP reconcile_total Reconciles.\n"
            "# TYPE reconcile_total counter\n"
            "reconcile_total{result=\"error\"} 0\n"
            "reconcile_total{result=\"success\"} 0\n");
}

TEST(RegistryTest, ShowsCurrentValuesSortedByName) {
  Registry registry;
  Gauge& depth = registry.AddGauge("queue_depth", "Keys.");
  Counter& adds = registry.AddCounter("adds_total", "Adds.");
  adds.Increment();
  adds.Increment(2.5);
  depth.Set(7);
  depth.Add(-8);
  EXPECT_EQ(registry.Expose(),
            "# HELP adds_total Adds.\n# TYPE adds_total counter\nadds_total 3.5\n"
            "# HELP queue_depth Keys.\n# TYPE queue_depth gauge\nqueue_depth -1\n");
}

TEST(RegistryTest, AHiddenGaugeIsNotShownUntilItIsSet) {
  Registry registry;
  Gauge& depth = registry.AddGauge("queue_depth", "Keys.", {{"queue", "a"}});
  depth.Set(3);
  depth.Hide();
  EXPECT_EQ(registry.Expose(), "# HELP queue_depth Keys.\n# TYPE queue_depth gauge\n");
  depth.Set(0);
  EXPECT_THAT(registry.Expose(), HasSubstr("\nqueue_depth{queue=\"a\"} 0\n"));
}

TEST(RegistryTest, AsksCallbacksWhenRead) {
  Registry registry;
  double value = 1;
  registry.AddGaugeCallback("resident_memory_bytes", "Memory.", [&value] { return value; });
  registry.AddCounterCallback("received_bytes_total", "Bytes.", [] { return 5e9; },
                              {{"peer", "api"}});
  value = 1048576;
  const std::string text = registry.Expose();
  EXPECT_THAT(text, HasSubstr("\nresident_memory_bytes 1048576\n"));
  EXPECT_THAT(text, HasSubstr("received_bytes_total{peer=\"api\"} 5000000000\n"));
}

TEST(RegistryTest, HistogramBucketsAreAddedUp) {
  Registry registry;
  Histogram& seconds =
      registry.AddHistogram("work_seconds", "Work.", {0.1, 1, 10}, {{"name", "a"}});
  for (const double value : {0.05, 0.1, 0.5, 10.0, 11.0}) seconds.Observe(value);
  EXPECT_EQ(registry.Expose(),
            "# HELP work_seconds Work.\n"
            "# TYPE work_seconds histogram\n"
            "work_seconds_bucket{name=\"a\",le=\"0.1\"} 2\n"
            "work_seconds_bucket{name=\"a\",le=\"1\"} 3\n"
            "work_seconds_bucket{name=\"a\",le=\"10\"} 4\n"
            "work_seconds_bucket{name=\"a\",le=\"+Inf\"} 5\n"
            "work_seconds_sum{name=\"a\"} 21.65\n"
            "work_seconds_count{name=\"a\"} 5\n");
}

TEST(RegistryTest, EscapesHelpAndLabelValues) {
  Registry registry;
  registry.AddGauge("g", "a \"b\" \\ c\nd", {{"v", "a \"b\" \\ c\nd"}});
  EXPECT_EQ(registry.Expose(),
            "# HELP g a \"b\" \\\\ c\\nd\n# TYPE g gauge\ng{v=\"a \\\"b\\\" \\\\ c\\nd\"} 0\n");
}

TEST(RegistryTest, SpellsNumbersAsPrometheusReadsThem) {
  struct Case {
    double value;
    const char* want;
  };
  const Case kCases[] = {{0, "0"},
                         {0.1, "0.1"},
                         {1e-9, "1e-09"},
                         {1e21, "1e+21"},
                         {std::numeric_limits<double>::infinity(), "+Inf"},
                         {-std::numeric_limits<double>::infinity(), "-Inf"},
                         {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.want);
    Registry registry;
    registry.AddGauge("g", "h").Set(c.value);
    EXPECT_EQ(registry.Expose(), std::string("# HELP g h\n# TYPE g gauge\ng ") + c.want + "\n");
  }
}

TEST(RegistryTest, ASetOfGaugesIsAskedForWhenItIsRead) {
  Registry registry;
  std::vector<std::pair<Labels, double>> values;
  registry.AddGaugeSetCallback("end_seconds", "Ends.", [&] { return values; });
  EXPECT_EQ(registry.Expose(), "# HELP end_seconds Ends.\n# TYPE end_seconds gauge\n");
  values = {{{{"name", "b"}}, 2}, {{{"name", "a"}}, 1}};
  EXPECT_THAT(registry.Expose(),
              HasSubstr("gauge\nend_seconds{name=\"a\"} 1\nend_seconds{name=\"b\"} 2\n"));
}

TEST(RegistryDeathTest, RefusesWhatOurOwnCodeMustNotDeclare) {
  Registry registry;
  registry.AddCounter("a_total", "A.");
  EXPECT_DEATH(registry.AddCounter("a_total", "A."), "added");
  EXPECT_DEATH(registry.AddGauge("a_total", "A.", {{"x", "y"}}), "type");
  EXPECT_DEATH(registry.AddCounter("a_total", "B.", {{"x", "y"}}), "help");
  EXPECT_DEATH(registry.AddCounter("1a", "A."), "IsMetricName");
  EXPECT_DEATH(registry.AddCounter("b", "A.", {{"x-y", "y"}}), "IsLabelName");
  EXPECT_DEATH(registry.AddCounter("b", "A.", {{"le", "y"}}), "IsLabelName");
  EXPECT_DEATH(registry.AddCounter("c", "A.").Increment(-1), "by >= 0");
  EXPECT_DEATH(registry.AddHistogram("d", "A.", {2, 1}), "is_sorted");
}

TEST(HistogramTest, ExponentialBounds) {
  EXPECT_THAT(ExponentialBounds(0.001, 10, 3), ElementsAre(0.001, 0.01, 0.1));
}

}  // namespace
}  // namespace calico::metrics
