// Whose Kubernetes this is, by the signs that each provider leaves.
#ifndef CALICO_OPERATOR_DEFAULTS_PROVIDER_H_
#define CALICO_OPERATOR_DEFAULTS_PROVIDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::defaults {

struct NodeSigns {
  std::vector<std::string> label_keys;
  std::string provider_id;  // spec.providerID

  friend bool operator==(const NodeSigns&, const NodeSigns&) = default;
};

// Of a Node object: only what DetectProvider looks at, which is nothing for most nodes.
NodeSigns SignsOfNode(const json::object& node);

// Everything that DetectProvider looks at. What could not be read must not be left out in silence:
// the caller looks again instead.
struct ProviderSigns {
  std::vector<std::string> api_groups;   // of discovery: "apps", "networking.gke.io"
  bool serves_cluster_versions = false;  // ClusterVersion in config.openshift.io/v1
  std::vector<NodeSigns> nodes;
  std::vector<std::string> config_maps;     // names in kube-system
  std::vector<std::string> services;        // names in kube-system
  std::vector<std::string> dns_label_keys;  // of the Service kube-dns in kube-system
};

// Names that are enough to look up, for callers that do not list all of kube-system.
inline constexpr std::string_view kProviderConfigMaps[] = {"aws-auth",
                                                           "eks-certificates-controller", "rke2"};
inline constexpr std::string_view kProviderServices[] = {"kube-dns", "rke2-coredns-rke2-coredns"};

// A value of spec.kubernetesProvider, or empty. AKS leaves no sign. The first of these counts: GKE
// (its API group and a node of its own), TKG, OpenShift, DockerEnterprise, EKS, RKE2, Kind.
std::string DetectProvider(const ProviderSigns& signs);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_PROVIDER_H_
