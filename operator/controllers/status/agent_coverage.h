// Which nodes a DaemonSet covers, and why it does not cover others.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_AGENT_COVERAGE_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_AGENT_COVERAGE_H_

#include <string>

#include "operator/controllers/status/node_facts.h"
#include "operator/controllers/status/workload_health.h"
#include "pkg/api/apps/workloads.h"

namespace calico::status {

// Pods on virtual nodes: the DaemonSet's numbers have them, and they will never run.
struct VirtualPods {
  int all = 0;
  int updated = 0;
  int ready = 0;
  std::string note;  // empty: none, or all of them run
};
VirtualPods CountVirtualPods(const std::string& what, const WorkloadPods& pods,
                             const NodeIndex& nodes);

// How many nodes need a pod and have none, or one that ends.
int CountNodesWithout(const WorkloadPods& pods, const NodeIndex& nodes);

// What keeps the DaemonSet from nodes that need it: its own selector, affinity or tolerations as
// far as they say so, and the names of nodes without a pod.
std::string WhyNotCovered(const api::DaemonSet& set, const WorkloadPods& pods,
                          const NodeIndex& nodes);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_AGENT_COVERAGE_H_
