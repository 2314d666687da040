#include "operator/controllers/status/node_facts.h"

#include <utility>

#include "operator/controllers/status/text.h"
#include "pkg/api/core/node.h"
#include "pkg/base/status_macros.h"

namespace calico::status {
namespace {

constexpr size_t kMostReasonBytes = 200;
// Lists of taints that are looked through for each node.
constexpr size_t kMostShared = 64;

// The kubelet's words for a node without a CNI plug-in, which calico-node installs.
bool WaitsForPodNetwork(const api::Condition& ready) {
  const auto contains = [&ready](std::string_view words) {
    return ready.message.find(words) != std::string::npos;
  };
  return ready.status == api::kConditionFalse &&
         (contains("NetworkPluginNotReady") || contains("cni plugin not initialized") ||
          contains("NetworkReady=false"));
}

base::HeapOptional<defaults::NodeSigns> SignsOf(const json::object& object) {
  defaults::NodeSigns signs = defaults::SignsOfNode(object);
  if (signs == defaults::NodeSigns()) return std::nullopt;
  return signs;
}

base::HeapOptional<NodeFacts::Down> DownOf(const std::optional<api::Condition>& ready) {
  if (!ready.has_value() || ready->IsTrue() || WaitsForPodNetwork(*ready)) return std::nullopt;
  NodeFacts::Down down{.since = ready->last_transition_time.value_or(absl::UnixEpoch()),
                       .why = ready->reason};
  if (!ready->message.empty()) down.why += ": " + ready->message;
  down.why = OneLine(down.why, kMostReasonBytes);
  return down;
}

}  // namespace

absl::StatusOr<std::optional<NodeFacts>> NodeFacts::Decode(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(api::Node node, api::Node::Decode(object));
  NodeFacts facts{.name = base::LongLivedString(node.name),
                  .is_linux = node.os == "linux",
                  .unschedulable = node.unschedulable,
                  .deleting = node.deleting,
                  .virtual_kind = node.virtual_kind,
                  .taints = std::move(node.taints),
                  .provider_signs = SignsOf(object),
                  .down = DownOf(node.ready)};
  for (const std::string& text : node.internal_ips) {
    const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(text);
    if (address.ok()) facts.internal_ips.push_back(*address);
  }
  return facts;
}

NodeTaints::NodeTaints(std::vector<api::Taint> taints) {
  if (!taints.empty()) list_ = std::make_shared<const std::vector<api::Taint>>(std::move(taints));
}

const std::vector<api::Taint>& NodeTaints::list() const {
  static const std::vector<api::Taint>* const none = new std::vector<api::Taint>;
  return list_ == nullptr ? *none : *list_;
}

absl::StatusOr<std::optional<NodeFacts>> NodeFactsDecoder::Decode(const json::object& object) {
  absl::StatusOr<std::optional<NodeFacts>> facts = NodeFacts::Decode(object);
  if (facts.ok() && facts->has_value()) Share((*facts)->taints);
  return facts;
}

void NodeFactsDecoder::Share(NodeTaints& taints) {
  if (taints.list_ == nullptr) return;
  std::erase_if(known_, [](const auto& known) { return known.expired(); });
  for (const auto& known : known_) {
    const auto same = known.lock();
    if (same == nullptr || *same != *taints.list_) continue;
    taints.list_ = same;
    return;
  }
  if (known_.size() < kMostShared) known_.push_back(taints.list_);
}

NodeIndex::NodeIndex(const NodeList& nodes) : nodes_(nodes) {
  by_name_.reserve(nodes.size());
  for (const auto& node : nodes) {
    by_name_.emplace(node->name, node.get());
    if (node->needs_agent()) ++needing_agent_;
    if (!node->virtual_kind.empty()) ++virtual_nodes_;
    if (node->deleting) ++deleting_nodes_;
  }
}

const NodeFacts* NodeIndex::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace calico::status
