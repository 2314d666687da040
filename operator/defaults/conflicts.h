// What an Installation says against what the cluster is.
#ifndef CALICO_OPERATOR_DEFAULTS_CONFLICTS_H_
#define CALICO_OPERATOR_DEFAULTS_CONFLICTS_H_

#include <string>
#include <vector>

#include "operator/defaults/cluster_facts.h"
#include "pkg/codec/json.h"

namespace calico::defaults {

struct Conflict {
  std::string path;  // "spec.calicoNetwork.ipPools[0].cidr"
  std::string text;  // what is wrong and what to do
  friend bool operator==(const Conflict&, const Conflict&) = default;
};

// `given` is the spec before CompleteSpec. Conflicts are:
// - spec.kubernetesProvider is another one than the cluster shows;
// - a pool that is not inside the pod networks that the cluster was built with (kubeadm's
//   podSubnet, OpenShift's clusterNetwork): routes and firewalls of the cluster know only those.
//   Asked for while there is no pool yet, and with v3.27 always;
// - kubeadm's podSubnet cannot be read, or is missing while the Installation names no pools: which
//   network the pods may have is not to be guessed.
std::vector<Conflict> ConflictsWithCluster(const json::object& given, const ClusterFacts& facts);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_CONFLICTS_H_
