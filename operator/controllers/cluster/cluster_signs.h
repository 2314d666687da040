// What a cluster shows of itself: whose Kubernetes it is, and which pod networks it was built with.
// Asked for by name, not watched: it stays the same while a cluster lives.
#ifndef CALICO_OPERATOR_CONTROLLERS_CLUSTER_CLUSTER_SIGNS_H_
#define CALICO_OPERATOR_CONTROLLERS_CLUSTER_CLUSTER_SIGNS_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/defaults/provider.h"
#include "pkg/aio/task.h"
#include "pkg/kube/client/client.h"

namespace calico::cluster {

struct ClusterSigns {
  defaults::ProviderSigns provider;  // without nodes, which are watched
  bool has_aws_node_daemon_set = false;
  std::optional<std::string> kubeadm_pod_subnet;  // as defaults::ClusterFacts
  std::vector<std::string> openshift_pod_networks;
  // DaemonSets in kube-system of a Calico that was installed from manifests: calico-node, canal.
  std::vector<std::string> manifest_daemon_sets;
  // Sentences about what may not be looked at, and therefore counts as not there.
  std::vector<std::string> gaps;
};

// All requests are sent at once. Errors: as kube::Client, of a request that may succeed later.
// Cancellation: total.
aio::Task<absl::StatusOr<ClusterSigns>> ReadClusterSigns(kube::Client& client,
                                                         const aio::Executor& executor);

}  // namespace calico::cluster

#endif  // CALICO_OPERATOR_CONTROLLERS_CLUSTER_CLUSTER_SIGNS_H_
