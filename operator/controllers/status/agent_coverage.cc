#include "operator/controllers/status/agent_coverage.h"

#include <set>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/status/text.h"

namespace calico::status {
namespace {

constexpr std::string_view kOsLabel = "kubernetes.io/os";

bool IsReady(const api::Pod& pod) {
  const api::Condition* const ready = api::FindCondition(pod.conditions, "Ready");
  return ready != nullptr && ready->IsTrue();
}

std::vector<const NodeFacts*> NodesWithout(const WorkloadPods& pods, const NodeIndex& nodes) {
  absl::flat_hash_set<std::string_view> covered;
  covered.reserve(pods.size());
  for (const auto& pod : pods.quiet) covered.insert(pod->node_name);
  for (const auto& pod : pods.pods) {
    if (!pod->deleting()) covered.insert(pod->TargetNode());
  }
  std::vector<const NodeFacts*> without;
  for (const auto& node : nodes.all()) {
    if (node->needs_agent() && !covered.contains(node->name)) without.push_back(node.get());
  }
  return without;
}

}  // namespace

VirtualPods CountVirtualPods(const std::string& what, const WorkloadPods& pods,
                             const NodeIndex& nodes) {
  VirtualPods count;
  std::vector<std::string> idle;
  std::set<std::string> kinds;
  if (nodes.virtual_nodes() == 0) return count;
  for (const auto& pod : pods.quiet) {
    const NodeFacts* const node = nodes.Find(pod->node_name);
    if (node == nullptr || node->virtual_kind.empty()) continue;
    ++count.all;
    ++count.ready;
    if (pod->origin->controller_revision_hash == pods.newest_revision) ++count.updated;
  }
  for (const auto& pod : pods.pods) {
    if (pod->deleting()) continue;
    const NodeFacts* const node = nodes.Find(pod->TargetNode());
    if (node == nullptr || node->virtual_kind.empty()) continue;
    ++count.all;
    if (pod->meta.Label(api::kControllerRevisionHashLabel) == pods.newest_revision) ++count.updated;
    if (IsReady(*pod)) {
      ++count.ready;
    } else {
      idle.emplace_back(node->name);
      kinds.emplace(node->virtual_kind);
    }
  }
  if (!idle.empty()) {
    const size_t number = idle.size();
    count.note =
        fmt::format("{} {} of {} {} not counted: no DaemonSet runs on virtual nodes ({}): {}",
                    number, number == 1 ? "pod" : "pods", what, number == 1 ? "is" : "are",
                    absl::StrJoin(kinds, ", "), FirstNames(std::move(idle)));
  }
  return count;
}

int CountNodesWithout(const WorkloadPods& pods, const NodeIndex& nodes) {
  return static_cast<int>(NodesWithout(pods, nodes).size());
}

std::string WhyNotCovered(const api::DaemonSet& set, const WorkloadPods& pods,
                          const NodeIndex& nodes) {
  std::vector<std::string> reasons;
  std::vector<std::string> selector;
  for (const auto& [key, value] : set.node_selector) {
    if (key != kOsLabel || value != "linux") selector.push_back(fmt::format("{}={}", key, value));
  }
  if (!selector.empty()) {
    reasons.push_back(fmt::format("its nodeSelector asks for {}", absl::StrJoin(selector, ", ")));
  }
  if (set.has_node_affinity) reasons.push_back("it has a required node affinity");
  std::vector<std::string> names;
  std::vector<std::string> tainted;
  std::string taint;
  for (const NodeFacts* node : NodesWithout(pods, nodes)) {
    names.emplace_back(node->name);
    const api::Taint* const first = api::FirstUntolerated(node->taints.list(), set.tolerations);
    if (first == nullptr) continue;
    if (taint.empty()) taint = first->ToString();
    tainted.emplace_back(node->name);
  }
  if (!tainted.empty()) {
    reasons.push_back(fmt::format("it does not tolerate taints such as {} of {}", taint,
                                  FirstNames(std::move(tainted))));
  }
  if (!names.empty()) reasons.push_back("without a pod: " + FirstNames(std::move(names)));
  return absl::StrJoin(reasons, "; ");
}

}  // namespace calico::status
