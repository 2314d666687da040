#include "operator/controllers/cluster/cluster_signs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::cluster {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClusterSignsTest : public kube::FakeApiServerTest {
 protected:
  void Put(const char* api_version, const char* kind, const char* name, json::object more = {}) {
    json::object object = std::move(more);
    object["apiVersion"] = api_version;
    object["kind"] = kind;
    json::object& metadata = object.contains("metadata") ? object["metadata"].as_object()
                                                         : object["metadata"].emplace_object();
    metadata["name"] = name;
    metadata["namespace"] = "kube-system";
    server().Put(std::move(object));
  }
  aio::Task<absl::StatusOr<ClusterSigns>> Read() {
    co_return co_await ReadClusterSigns(client(), executor());
  }
};

ASYNC_TEST_F(ClusterSignsTest, APlainClusterShowsNone) {
  const absl::StatusOr<ClusterSigns> signs = co_await Read();
  CO_ASSERT_OK(signs);
  EXPECT_EQ(defaults::DetectProvider(signs->provider), "");
  EXPECT_FALSE(signs->has_aws_node_daemon_set);
  EXPECT_FALSE(signs->kubeadm_pod_subnet.has_value());
  EXPECT_THAT(signs->gaps, IsEmpty());
}

ASYNC_TEST_F(ClusterSignsTest, EksByItsConfigMapAndItsDaemonSet) {
  Put("v1", "ConfigMap", "aws-auth");
  Put("apps/v1", "DaemonSet", "aws-node");
  const absl::StatusOr<ClusterSigns> signs = co_await Read();
  CO_ASSERT_OK(signs);
  EXPECT_EQ(defaults::DetectProvider(signs->provider), "EKS");
  EXPECT_TRUE(signs->has_aws_node_daemon_set);
}

ASYNC_TEST_F(ClusterSignsTest, EksByALabelOfItsDns) {
  Put("v1", "Service", "kube-dns",
      {{"metadata", {{"labels", {{"eks.amazonaws.com/component", "kube-dns"}}}}}});
  EXPECT_EQ(defaults::DetectProvider((co_await Read())->provider), "EKS");
}

ASYNC_TEST_F(ClusterSignsTest, CalicoFromManifestsByItsDaemonSet) {
  EXPECT_THAT((co_await Read())->manifest_daemon_sets, IsEmpty());
  Put("apps/v1", "DaemonSet", "calico-node");
  EXPECT_THAT((co_await Read())->manifest_daemon_sets, ElementsAre("calico-node"));
}

ASYNC_TEST_F(ClusterSignsTest, KubeadmSaysThePodNetwork) {
  Put("v1", "ConfigMap", "kubeadm-config",
      {{"data", {{"ClusterConfiguration", "networking:\n  podSubnet: 10.244.0.0/16\nkind: C\n"}}}});
  EXPECT_EQ((co_await Read())->kubeadm_pod_subnet, "10.244.0.0/16");
}

ASYNC_TEST_F(ClusterSignsTest, OpenShiftByItsKindsWithItsNetworks) {
  server().Inject({.path_contains = "/config.openshift.io/v1/networks/cluster",
                   .raw_body = R"({"spec":{"clusterNetwork":[{"cidr":"10.128.0.0/14"}]}})"});
  server().Inject({.path_contains = "/config.openshift.io/v1",
                   .raw_body = R"({"resources":[{"kind":"ClusterVersion"}]})"});
  server().Inject({.path_contains = "/daemonsets/", .times = 3, .status = 404});
  server().Inject(
      {.path_contains = "/apis", .raw_body = R"({"groups":[{"name":"config.openshift.io"}]})"});
  const absl::StatusOr<ClusterSigns> signs = co_await Read();
  CO_ASSERT_OK(signs);
  EXPECT_EQ(defaults::DetectProvider(signs->provider), "OpenShift");
  EXPECT_THAT(signs->openshift_pod_networks, ElementsAre("10.128.0.0/14"));
}

ASYNC_TEST_F(ClusterSignsTest, WhatMayNotBeLookedAtIsToldAndCountsAsNotThere) {
  server().Inject({.method = "GET",
                   .path_contains = "/configmaps/aws-auth",
                   .status = 403,
                   .reason = "Forbidden"});
  const absl::StatusOr<ClusterSigns> signs = co_await Read();
  CO_ASSERT_OK(signs);
  EXPECT_THAT(signs->gaps, ElementsAre(HasSubstr("apply the operator.yaml")));
}

ASYNC_TEST_F(ClusterSignsTest, AFailedLookIsNoAnswer) {
  server().Inject(
      {.method = "GET", .path_contains = "/daemonsets/aws-node", .times = 1, .status = 400});
  EXPECT_THAT((co_await Read()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("aws-node")));
}

}  // namespace
}  // namespace calico::cluster
