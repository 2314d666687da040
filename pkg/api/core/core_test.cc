#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/core/config_map.h"
#include "pkg/api/core/node.h"
#include "pkg/api/core/pod.h"
#include "pkg/api/core/secret.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

TEST(PodTest, DecodesACrashingPod) {
  const absl::StatusOr<Pod> pod = Pod::Decode(Parse(R"({
    "metadata": {"name": "calico-node-5ckvq", "namespace": "calico-system", "uid": "9a3a10",
      "annotations": {"big": "text"},
      "labels": {"k8s-app": "calico-node", "controller-revision-hash": "7f9", "other": "x"},
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "calico-node",
                           "uid": "ds", "controller": true}]},
    "spec": {"nodeName": "worker-1", "serviceAccountName": "calico-node", "hostNetwork": true,
             "containers": [{"name": "calico-node"}]},
    "status": {"phase": "Pending", "podIP": "10.0.0.1",
      "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
      "hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.1"}],
      "conditions": [{"type": "Initialized", "status": "False"},
                     {"type": "PodScheduled", "status": "True", "lastProbeTime": null},
                     {"type": "Ready", "status": "False", "message": "containers not ready"},
                     {"type": "ContainersReady", "status": "False"}],
      "initContainerStatuses": [
        {"name": "node-certs-key-cert-provisioner", "image": "i:1", "ready": false,
         "restartCount": 3,
         "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
         "lastState": {"terminated": {"reason": "Error", "exitCode": 5,
                                      "startedAt": "2026-11-22T19:42:02Z",
                                      "finishedAt": "2026-11-22T19:43:02Z",
                                      "message": "denied by rule x"}}}],
      "containerStatuses": [
        {"name": "calico-node", "image": "i:2", "ready": true, "restartCount": 0,
         "state": {"running": {"startedAt": "2026-11-22T19:44:02Z"}}},
        {"name": "other", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}})"));
  ASSERT_THAT(pod, IsOk());
  EXPECT_EQ(pod->meta.Key().ToString(), "calico-system/calico-node-5ckvq");
  EXPECT_THAT(pod->meta.annotations, IsEmpty());
  EXPECT_THAT(pod->meta.labels,
              ElementsAre(Pair("controller-revision-hash", "7f9"), Pair("k8s-app", "calico-node")));
  EXPECT_EQ(pod->meta.Controller()->uid, "ds");
  EXPECT_EQ(pod->node_name, "worker-1");
  EXPECT_EQ(pod->service_account_name, "calico-node");
  EXPECT_TRUE(pod->host_network);
  EXPECT_EQ(pod->phase, "Pending");
  EXPECT_THAT(pod->pod_ips, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(pod->host_ips, ElementsAre("10.0.0.1"));
  EXPECT_FALSE(pod->deleting());
  EXPECT_FALSE(pod->finished());
  ASSERT_THAT(pod->conditions, SizeIs(3));
  EXPECT_EQ(FindCondition(pod->conditions, "Ready")->message, "containers not ready");

  ASSERT_THAT(pod->init_containers, SizeIs(1));
  const ContainerStatus& init = pod->init_containers[0];
  EXPECT_EQ(init.name, "node-certs-key-cert-provisioner");
  EXPECT_EQ(init.image, "i:1");
  EXPECT_EQ(pod->containers[0].image, "") << "only what waits for its image is asked for it";
  EXPECT_EQ(init.restart_count, 3);
  EXPECT_EQ(init.waiting->reason, "CrashLoopBackOff");
  EXPECT_EQ(init.waiting->message, "back-off 40s");
  EXPECT_EQ(init.last_terminated->exit_code, 5);
  EXPECT_EQ(init.last_terminated->message, "denied by rule x");
  EXPECT_EQ(*init.last_terminated->finished_at - *init.last_terminated->started_at,
            absl::Minutes(1));
  EXPECT_FALSE(init.terminated.has_value());
  EXPECT_FALSE(init.running_since.has_value());

  ASSERT_THAT(pod->containers, SizeIs(2));
  EXPECT_TRUE(pod->containers[0].ready);
  EXPECT_FALSE(pod->containers[0].waiting.has_value());
  EXPECT_EQ(*pod->containers[0].running_since - *init.last_terminated->finished_at,
            absl::Minutes(1));
  EXPECT_EQ(pod->containers[1].terminated->reason, "OOMKilled");
}

TEST(PodTest, WhereADaemonSetsPodIsToBe) {
  json::object object = Parse(R"({"metadata": {"name": "p"}, "spec": {"affinity": {"nodeAffinity": {
      "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}}}})");
  EXPECT_EQ(Pod::Decode(object)->TargetNode(), "n1");
  // What it says of itself is no proof of where it runs.
  EXPECT_EQ(Pod::Decode(object)->node_name, "");
  object["spec"].as_object()["nodeName"] = "n2";
  EXPECT_EQ(Pod::Decode(object)->TargetNode(), "n2");
}

TEST(PodTest, OldServersGiveOneAddressOnly) {
  const absl::StatusOr<Pod> pod = Pod::Decode(Parse(R"({"metadata": {"name": "p"},
      "status": {"phase": "Succeeded", "podIP": "10.0.0.1", "hostIP": "10.0.0.2"}})"));
  ASSERT_THAT(pod, IsOk());
  EXPECT_THAT(pod->pod_ips, ElementsAre("10.0.0.1"));
  EXPECT_THAT(pod->host_ips, ElementsAre("10.0.0.2"));
  EXPECT_TRUE(pod->finished());
}

TEST(PodTest, BareMinimumAndProblems) {
  EXPECT_THAT(Pod::Decode(Parse(R"({"metadata": {"name": "p"}})")), IsOk());
  EXPECT_THAT(Pod::Decode(Parse(R"({"metadata": {"name": "p"}, "spec": {"hostNetwork": "yes"},
                                    "status": {"containerStatuses": [{}, {"name": "c",
                                    "state": {"terminated": {"exitCode": "1"}}}]}})")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "Pod.spec.hostNetwork: expected boolean, got string; "
                       "Pod.status.containerStatuses[0].name: required; "
                       "Pod.status.containerStatuses[1].state.terminated.exitCode: "
                       "expected integer, got string"));
}

TEST(NodeTest, Decodes) {
  const absl::StatusOr<Node> node = Node::Decode(Parse(R"({
      "metadata": {"name": "n1", "uid": "u", "resourceVersion": "9",
                   "labels": {"kubernetes.io/os": "linux", "x": "y"}},
      "spec": {"unschedulable": true},
      "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"},
        {"type": "Hostname", "address": "n1"}, {"type": "ExternalIP", "address": "192.0.2.1"},
        {"type": "InternalIP", "address": "fd00::1"}]}})"));
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->name, "n1");
  EXPECT_EQ(node->uid, "u");
  EXPECT_EQ(node->resource_version, "9");
  EXPECT_TRUE(node->unschedulable);
  EXPECT_FALSE(node->deleting);
  EXPECT_EQ(node->os, "linux");
  EXPECT_EQ(node->virtual_kind, "");
  EXPECT_FALSE(node->ready.has_value());
  EXPECT_THAT(node->internal_ips, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(node->external_ips, ElementsAre("192.0.2.1"));
}

TEST(NodeTest, VirtualNodesAreKnownByLabelsAndTaints) {
  struct Case {
    const char* labels;
    const char* taint;  // the key
    std::string_view want;
  };
  const Case cases[] = {
      {R"("type": "virtual-kubelet")", "", "virtual-kubelet"},
      {R"("eks.amazonaws.com/compute-type": "fargate")", "", "Fargate"},
      {R"("eks.amazonaws.com/compute-type": "ec2")", "", ""},
      {R"("eks.amazonaws.com/compute-type": "hybrid")", "", ""},
      {R"("node.kubernetes.io/instance-type": "eklet")", "", "eklet"},
      {R"("node.kubernetes.io/instance-type": "m5.large")", "", ""},
      {R"("node-role.kubernetes.io/virtual-node": "")", "", "virtual node of OKE"},
      {R"("liqo.io/type": "virtual-node")", "", "Liqo"},
      {R"("kubernetes.io/os": "linux")", "virtual-kubelet.io/provider", "virtual-kubelet"},
      {R"("kubernetes.io/role": "agent")", "azure.com/aci", "virtual-kubelet"},
      {R"("kubernetes.io/role": "agent")", "node.kubernetes.io/not-ready", ""},
      // Kept out of load balancers for whatever reason.
      {R"("node.kubernetes.io/exclude-from-external-load-balancers": "true")", "", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.labels) + c.taint);
    const absl::StatusOr<Node> node = Node::Decode(Parse(
        std::string(R"({"metadata": {"name": "n", "labels": {)") + c.labels +
        R"(}}, "spec": {"taints": [{"key": ")" + c.taint + R"(", "effect": "NoSchedule"}]}})"));
    ASSERT_THAT(node, IsOk());
    EXPECT_EQ(node->virtual_kind, c.want);
  }
}

TEST(NodeTest, ReadinessAndTaints) {
  const absl::StatusOr<Node> node = Node::Decode(Parse(R"({"metadata": {"name": "n"},
      "spec": {"taints": [{"key": "a", "value": "b", "effect": "NoExecute"},
                          {"key": "c", "effect": "PreferNoSchedule"}]},
      "status": {"conditions": [{"type": "MemoryPressure", "status": "False"},
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}})"));
  ASSERT_THAT(node, IsOk());
  ASSERT_THAT(node->taints, SizeIs(1));
  EXPECT_EQ(node->taints[0].ToString(), "a=b:NoExecute");
  EXPECT_EQ(node->ready->reason, "NodeStatusUnknown");
}

TEST(TaintTest, TolerationsAsTheSchedulerReadsThem) {
  const Taint taint{"k", "v", "NoSchedule"};
  struct Case {
    Toleration toleration;
    bool want;
  };
  const Case cases[] = {
      {{"", "Exists", "", ""}, true},           {{"", "Exists", "", "NoSchedule"}, true},
      {{"", "Exists", "", "NoExecute"}, false}, {{"k", "Exists", "", ""}, true},
      {{"x", "Exists", "", ""}, false},         {{"k", "", "v", ""}, true},
      {{"k", "Equal", "w", ""}, false},         {{"k", "Equal", "v", "NoSchedule"}, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.toleration.key + c.toleration.operation + c.toleration.effect);
    EXPECT_EQ(c.toleration.Tolerates(taint), c.want);
  }
  const std::vector<Taint> taints = {{"a", "", "NoExecute"}, taint};
  const std::vector<Toleration> only_a = {{"a", "Exists", "", ""}};
  EXPECT_EQ(FirstUntolerated(taints, only_a), &taints[1]);
  EXPECT_EQ(taint.ToString(), "k=v:NoSchedule");
}

TEST(NodeTest, VirtualKubelet) {
  const absl::StatusOr<Node> node = Node::Decode(Parse(
      R"({"metadata": {"name": "n", "labels": {"type": "virtual-kubelet"},
          "deletionTimestamp": "2026-11-22T19:42:02Z"}})"));
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->virtual_kind, "virtual-kubelet");
  EXPECT_TRUE(node->deleting);
  EXPECT_FALSE(node->unschedulable);
  EXPECT_EQ(node->os, "");
}

TEST(ConfigMapTest, Decodes) {
  const absl::StatusOr<ConfigMap> map = ConfigMap::Decode(Parse(
      R"({"metadata": {"name": "m", "namespace": "n"}, "data": {"HOST": "h", "PORT": "6443"}})"));
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(map->Get("HOST"), "h");
  EXPECT_EQ(map->Get("none"), "");
  EXPECT_THAT(ConfigMap::Decode(Parse(R"({"metadata": {"name": "m"}, "data": {"PORT": 6443}})")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "ConfigMap.data[\"PORT\"]: expected string, got number"));
}

TEST(SecretTest, DecodesDataAndWhoOwnsIt) {
  const absl::StatusOr<Secret> secret = Secret::Decode(Parse(R"({
    "metadata": {"name": "node-certs", "namespace": "tigera-operator", "labels": {"a": "b"},
      "annotations": {"c": "d"},
      "ownerReferences": [{"apiVersion": "operator.tigera.io/v1", "kind": "Installation",
                           "name": "default", "uid": "u", "controller": true}]},
    "type": "kubernetes.io/tls", "data": {"tls.key": "a2V5", "empty": ""}})"));
  ASSERT_THAT(secret, IsOk());
  EXPECT_EQ(secret->type, "kubernetes.io/tls");
  EXPECT_EQ(secret->Get("tls.key"), "key");
  EXPECT_EQ(secret->Get("empty"), "");
  EXPECT_EQ(secret->Get("absent"), "");
  EXPECT_EQ(secret->meta.Controller()->kind, "Installation");
  EXPECT_THAT(secret->meta.annotations, ElementsAre(Pair("c", "d")));
  EXPECT_EQ(EncodeSecretData(secret->data).at("tls.key"), "a2V5");
}

TEST(SecretTest, AValueThatIsNotBase64NeverShows) {
  const absl::StatusOr<Secret> secret =
      Secret::Decode(Parse(R"({"metadata": {"name": "s"}, "data": {"tls.key": "p@ssword"}})"));
  ASSERT_THAT(secret, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(secret.status().message().find("p@ss"), absl::string_view::npos);
}

}  // namespace
}  // namespace calico::api
