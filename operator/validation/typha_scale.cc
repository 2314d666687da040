#include "operator/validation/typha_scale.h"

#include <algorithm>

#include <fmt/format.h>

namespace calico::validation {

int TyphaReplicas(const NodeCount& nodes) {
  if (nodes.all <= 2) return 1;
  if (nodes.all <= 4) return 2;
  return std::max(3, nodes.all / 200 + 2);
}

int TyphaScale::Decide(const NodeCount& nodes, absl::Time now) {
  const int wanted = TyphaReplicas(nodes);
  const int kept = std::max(wanted, std::min(decided_, nodes.linux));
  if (kept == wanted) {
    fewer_since_ = absl::InfiniteFuture();
    return decided_ = wanted;
  }
  if (fewer_since_ == absl::InfiniteFuture()) fewer_since_ = now;
  if (now < recheck_at()) return decided_ = kept;
  fewer_since_ = absl::InfiniteFuture();
  return decided_ = wanted;
}

std::optional<std::string> TyphaScalingProblem(const NodeCount& nodes) {
  const int replicas = TyphaReplicas(nodes);
  // A cluster without nodes is one that is being built: nothing is missing but time.
  if (nodes.linux >= replicas || nodes.all == 0) return std::nullopt;
  return fmt::format(
      "calico-typha needs {} Linux {} that {} pods, and there {} {}: add or uncordon nodes",
      replicas, replicas == 1 ? "node" : "nodes", replicas == 1 ? "takes" : "take",
      nodes.linux == 1 ? "is" : "are", nodes.linux);
}

}  // namespace calico::validation
