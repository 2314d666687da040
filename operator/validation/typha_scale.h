// How many calico-typha a cluster of some size gets.
#ifndef CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_
#define CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_

#include <optional>
#include <string>

#include <absl/time/time.h>

namespace calico::validation {

// Nodes that take pods: not cordoned, not going away, with a kubelet behind them.
struct NodeCount {
  int all = 0;    // of any operating system: each runs a calico-node that connects to typha
  int linux = 0;  // where typha can run

  friend bool operator==(const NodeCount&, const NodeCount&) = default;
};

// 1 up to two nodes, 2 up to four, then one more for every 200 but at least 3.
int TyphaReplicas(const NodeCount& nodes);

// How many there are, one decision after the other: more at once, fewer once fewer have been enough
// for kScaleDownDelay, so that a drained node or two that come and go restart no connection.
class TyphaScale {
 public:
  static constexpr absl::Duration kScaleDownDelay = absl::Minutes(5);

  // `now` of the steady clock. The first decision of a process is TyphaReplicas; none is for more
  // than TyphaReplicas while there are fewer Linux nodes than that.
  int Decide(const NodeCount& nodes, absl::Time now);
  // When fewer may be enough; InfiniteFuture: no wait is on.
  absl::Time recheck_at() const { return fewer_since_ + kScaleDownDelay; }

 private:
  int decided_ = 0;  // 0: nothing yet
  absl::Time fewer_since_ = absl::InfiniteFuture();
};

// Why the replicas cannot all run, with what to do; nullopt when they can. A replica needs a node
// of its own, because typha uses the host's ports.
std::optional<std::string> TyphaScalingProblem(const NodeCount& nodes);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_TYPHA_SCALE_H_
