#include "operator/defaults/provider.h"

#include <gtest/gtest.h>

namespace calico::defaults {
namespace {

TEST(DetectProviderTest, EachProviderHasItsSigns) {
  const NodeSigns gke_node = {.label_keys = {"kubernetes.io/os", "cloud.google.com/gke-nodepool"}};
  const NodeSigns ucp_master = {
      .label_keys = {"node-role.kubernetes.io/master", "com.docker.ucp.collection"}};
  struct Case {
    const char* name;
    ProviderSigns signs;
    const char* want;
  };
  const Case cases[] = {
      {"nothing", {}, ""},
      {"a plain cluster",
       {.api_groups = {"apps", "networking.k8s.io"},
        .nodes = {{.label_keys = {"kubernetes.io/os"}, .provider_id = "aws:///eu/i-1"}},
        .config_maps = {"kubeadm-config", "coredns"},
        .services = {"kube-dns"}},
       ""},
      {"GKE", {.api_groups = {"networking.gke.io"}, .nodes = {{}, gke_node}}, "GKE"},
      {"GKE's group alone", {.api_groups = {"networking.gke.io"}, .nodes = {{}}}, ""},
      {"GKE's label alone", {.nodes = {gke_node}}, ""},
      {"TKG", {.api_groups = {"core.tanzu.vmware.com"}}, "TKG"},
      {"OpenShift", {.serves_cluster_versions = true}, "OpenShift"},
      {"Docker Enterprise", {.nodes = {{}, ucp_master}}, "DockerEnterprise"},
      {"Docker's label on a worker",
       {.nodes = {{.label_keys = {"com.docker.ucp.collection"}}}},
       ""},
      {"EKS by its users", {.config_maps = {"aws-auth"}}, "EKS"},
      {"EKS of old", {.config_maps = {"eks-certificates-controller"}}, "EKS"},
      {"EKS by its DNS", {.dns_label_keys = {"eks.amazonaws.com/component"}}, "EKS"},
      {"RKE2 of old", {.config_maps = {"rke2"}}, "RKE2"},
      {"RKE2", {.services = {"rke2-coredns-rke2-coredns"}}, "RKE2"},
      {"Kind", {.nodes = {{.provider_id = "kind://docker/a/b"}}}, "Kind"},
      {"the first one counts",
       {.api_groups = {"networking.gke.io"},
        .serves_cluster_versions = true,
        .nodes = {gke_node},
        .config_maps = {"aws-auth", "rke2"}},
       "GKE"},
      {"OpenShift on EKS's machines",
       {.serves_cluster_versions = true, .config_maps = {"aws-auth"}},
       "OpenShift"},
  };
  for (const Case& c : cases) EXPECT_EQ(DetectProvider(c.signs), c.want) << c.name;
}

TEST(SignsOfNodeTest, OnlyWhatIsLookedAtIsKept) {
  EXPECT_EQ(SignsOfNode({{"metadata", {{"labels", {{"kubernetes.io/os", "linux"}}}}},
                         {"spec", {{"providerID", "aws:///zone/i-1"}}}}),
            NodeSigns());
  EXPECT_EQ(SignsOfNode({{"metadata",
                          {{"labels",
                            {{"node-role.kubernetes.io/master", ""},
                             {"com.docker.ucp.orchestrator.kubernetes", "true"},
                             {"cloud.google.com/gke-nodepool", "a"}}}}},
                         {"spec", {{"providerID", "kind://docker/a"}}}}),
            (NodeSigns{.label_keys = {"node-role.kubernetes.io/master",
                                      "com.docker.ucp.orchestrator.kubernetes",
                                      "cloud.google.com/gke-nodepool"},
                       .provider_id = "kind://docker/a"}));
}

}  // namespace
}  // namespace calico::defaults
