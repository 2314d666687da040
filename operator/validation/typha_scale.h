// How many calico-typha a cluster of some size gets.
#ifndef CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_
#define CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_

#include <optional>
#include <string>

namespace calico::validation {

// Nodes that take pods: not cordoned, not going away, with a kubelet behind them.
struct NodeCount {
  int all = 0;    // of any operating system: each runs a calico-node that connects to typha
  int linux = 0;  // where typha can run

  friend bool operator==(const NodeCount&, const NodeCount&) = default;
};

// 1 up to two nodes, 2 up to four, then one more for every 200 but at least 3.
int TyphaReplicas(const NodeCount& nodes);

// Why the replicas cannot all run, with what to do; nullopt when they can. A replica needs a node
// of its own, because typha uses the host's ports.
std::optional<std::string> TyphaScalingProblem(const NodeCount& nodes);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_
