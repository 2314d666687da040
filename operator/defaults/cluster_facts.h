// What the defaults of an Installation depend on besides the Installation: the release and what the
// cluster is like. All of it has been read before; nothing here asks anybody.
#ifndef CALICO_OPERATOR_DEFAULTS_CLUSTER_FACTS_H_
#define CALICO_OPERATOR_DEFAULTS_CLUSTER_FACTS_H_

#include <optional>
#include <string>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::defaults {

struct ClusterFacts {
  // "v3.27", "v3.32", "v3.33". One that is not known has those of the newest before it.
  std::string release;
  // As DetectProvider says: empty, or a value of spec.kubernetesProvider.
  std::string detected_provider;
  // DaemonSet aws-node in kube-system: Amazon's CNI plugin is there.
  bool has_aws_node_daemon_set = false;
  // The IPPool objects of the cluster, with metadata (name, labels) and spec, in either API group.
  // Enabled or not: one that exists means that pools are looked after.
  std::vector<json::object> ip_pools;
  // False when nobody could tell which pools there are: then none is asked for by default.
  bool has_ip_pools_known = true;
  // podSubnet of the ConfigMap kubeadm-config in kube-system: empty when the ConfigMap has none,
  // nullopt without the ConfigMap.
  std::optional<std::string> kubeadm_pod_subnet;
  // spec.clusterNetwork[].cidr of OpenShift's Network "cluster", in order.
  std::vector<std::string> openshift_pod_networks;
};

// The value of podSubnet in the ConfigMap kubeadm-config, as ClusterFacts wants it.
std::string KubeadmPodSubnet(const json::object& config_map);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_CLUSTER_FACTS_H_
