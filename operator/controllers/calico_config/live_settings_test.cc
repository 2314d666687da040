#include "operator/controllers/calico_config/live_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::calico_config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? value->as_object() : json::object();
}

TEST(LiveSettingsTest, ReadsTheObjectsThatCount) {
  Live live;
  live.felix_configurations = {
      Yaml("{metadata: {name: node.a}, spec: {healthPort: 1}}"),
      Yaml("{metadata: {name: default}, spec: {healthPort: 9199, cgroupV2Path: /run/cgroup}}")};
  live.bgp_configurations = {Yaml("{metadata: {name: default}, spec: {bindMode: NodeIP}}")};
  live.ip_pools = {Yaml("{metadata: {name: a}, spec: {cidr: 10.0.0.0/16}}"),
                   Yaml("{metadata: {name: b}, spec: {cidr: 10.1.0.0/16, disabled: true}}")};
  const LiveSettings read = LiveSettings::Of(
      live, std::vector{Yaml("{metadata: {name: default}, spec: {prometheusMetricsPort: 9094}}")});
  EXPECT_EQ(read.settings.felix_health_port, 9199);
  EXPECT_EQ(read.settings.cgroup_path, "/run/cgroup");
  EXPECT_EQ(read.settings.bgp_bind_mode, "NodeIP");
  EXPECT_EQ(read.kube_controllers_metrics_port, 9094);
  EXPECT_THAT(read.live_pools, ElementsAre("10.0.0.0/16"));
}

TEST(LiveSettingsTest, SaysNothingOfWhatIsNotThereOrOfAnotherType) {
  const LiveSettings none = LiveSettings::Of({}, std::nullopt);
  EXPECT_FALSE(none.settings.felix_health_port.has_value());
  EXPECT_EQ(none.settings.cgroup_path, "");
  EXPECT_FALSE(none.kube_controllers_metrics_port.has_value());
  EXPECT_THAT(none.live_pools, IsEmpty());
  for (const char* const port : {"abc", "-1", "0", "70000", "null", "[]"}) {
    SCOPED_TRACE(port);
    Live live;
    live.felix_configurations = {
        Yaml(std::string("{metadata: {name: default}, spec: {healthPort: ") + port + "}}")};
    EXPECT_FALSE(LiveSettings::Of(live, std::nullopt).settings.felix_health_port.has_value());
  }
}

TEST(LiveSettingsTest, TellsWhatOfEbpfANodeAgentHas) {
  const json::object prepared = Yaml(
      "{spec: {template: {spec: {containers: [{name: calico-node, env: [{name: A, value: b}]}], "
      "volumes: [{name: bpffs}]}}}}");
  EXPECT_TRUE(NodeAgentOf(prepared, true).is_ready_for_bpf);
  EXPECT_FALSE(NodeAgentOf(prepared, false).is_ready_for_bpf);
  EXPECT_FALSE(NodeAgentOf(prepared, true).has_bpf_in_environment);
  const json::object older = Yaml(
      "{spec: {template: {spec: {containers: [{name: calico-node, env: [{name: FELIX_BPFENABLED, "
      "value: 'true'}]}]}}}}");
  EXPECT_FALSE(NodeAgentOf(older, true).is_ready_for_bpf);
  EXPECT_TRUE(NodeAgentOf(older, true).has_bpf_in_environment);
  EXPECT_FALSE(NodeAgentOf({}, true).is_ready_for_bpf);
}

}  // namespace
}  // namespace calico::calico_config
