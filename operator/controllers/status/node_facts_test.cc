#include "operator/controllers/status/node_facts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/json.h"

namespace calico::status {
namespace {

NodeFacts Decode(std::string_view text) {
  return **NodeFacts::Decode(codec::ParseJsonObject(text).value());
}

std::string WithReady(std::string_view ready) {
  return fmt::format(R"({{"metadata": {{"name": "n", "labels": {{"kubernetes.io/os": "linux"}}}},
      "status": {{"conditions": [{{"type": "Ready", "lastTransitionTime": "2026-11-22T19:42:02Z",
      {}}}]}}}})",
                     ready);
}

TEST(NodeFactsTest, NodesWithTheSameTaintsShareThem) {
  const auto node = [](std::string_view key) {
    return codec::ParseJsonObject(
               fmt::format(R"({{"metadata": {{"name": "n"}}, "spec": {{"taints": [
                   {{"key": "{}", "effect": "NoSchedule"}}]}}}})",
                           key))
        .value();
  };
  NodeFactsDecoder decoder;
  const NodeFacts one = **decoder.Decode(node("a"));
  const NodeFacts other = **decoder.Decode(node("b"));
  const NodeFacts same = **decoder.Decode(node("a"));
  EXPECT_EQ(one.taints.list().front().key, "a");
  EXPECT_EQ(other.taints.list().front().key, "b");
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
  EXPECT_EQ(&one.taints.list(), &same.taints.list());
  EXPECT_TRUE((*decoder.Decode({{"metadata", {{"name", "n"}}}}))->taints.list().empty());
}

TEST(NodeFactsTest, WhichNodesTakeTyphaAndWhichNeedAnAgent) {
  struct Case {
    const char* name;
    const char* object;
    bool takes_pods;
    bool needs_agent;
  };
  const Case cases[] = {
      {"plain", R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}}})", true,
       true},
      {"Windows", R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "windows"}}})", true,
       false},
      {"cordoned",
       R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}},
           "spec": {"unschedulable": true}})",
       false, true},
      {"going away",
       R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"},
           "deletionTimestamp": "2026-11-22T19:42:02Z"}})",
       false, false},
      {"Fargate",
       R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux",
           "eks.amazonaws.com/compute-type": "fargate"}}})",
       false, false},
      {"virtual by its taint",
       R"({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}},
           "spec": {"taints": [{"key": "virtual-kubelet.io/provider", "value": "azure",
                                "effect": "NoSchedule"}]}})",
       false, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const NodeFacts node = Decode(c.object);
    EXPECT_EQ(node.takes_pods(), c.takes_pods);
    EXPECT_EQ(node.needs_agent(), c.needs_agent);
  }
}

TEST(NodeFactsTest, DownWithTheReason) {
  EXPECT_FALSE(Decode(WithReady(R"("status": "True")")).down.has_value());
  const NodeFacts lost = Decode(WithReady(
      R"("status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting")"));
  ASSERT_TRUE(lost.down.has_value());
  EXPECT_EQ(lost.down->why, "NodeStatusUnknown: Kubelet stopped posting");
  EXPECT_EQ(lost.down->since, absl::FromUnixSeconds(1795376522));
  // That is what calico-node is there to mend.
  EXPECT_FALSE(Decode(WithReady(R"("status": "False", "reason": "KubeletNotReady",
      "message": "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized")"))
                   .down.has_value());
  EXPECT_TRUE(Decode(WithReady(R"("status": "False", "reason": "KubeletNotReady",
      "message": "PLEG is not healthy")"))
                  .down.has_value());
}

TEST(NodeFactsTest, HeartbeatsChangeNothing) {
  const auto at = [](std::string_view time) {
    return Decode(WithReady(fmt::format(R"("status": "True", "lastHeartbeatTime": "{}")", time)));
  };
  EXPECT_EQ(at("2026-11-22T19:43:02Z"), at("2026-11-22T19:48:02Z"));
  EXPECT_NE(at("2026-11-22T19:43:02Z"), Decode(WithReady(R"("status": "Unknown")")));
}

TEST(NodeFactsTest, Index) {
  const auto node = [](std::string name, std::string_view kind = {}) {
    return std::make_shared<const NodeFacts>(
        NodeFacts{.name = base::LongLivedString(name), .is_linux = true, .virtual_kind = kind});
  };
  const NodeList nodes = {node("a"), node("b", "Fargate"), node("c")};
  const NodeIndex index(nodes);
  EXPECT_EQ(index.needing_agent(), 2);
  EXPECT_EQ(index.virtual_nodes(), 1);
  EXPECT_EQ(index.Find("c"), nodes[2].get());
  EXPECT_EQ(index.Find("d"), nullptr);
}

}  // namespace
}  // namespace calico::status
