// What the status needs of a Node, and of all of them together.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_NODE_FACTS_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_NODE_FACTS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/defaults/provider.h"
#include "pkg/api/core/taint.h"
#include "pkg/base/heap_optional.h"
#include "pkg/base/ip_address.h"
#include "pkg/base/memory/long_lived.h"
#include "pkg/codec/json.h"

namespace calico::status {

// The taints of a node. Most nodes have none, and while a cluster comes up all have the same, which
// they share then.
class NodeTaints {
 public:
  NodeTaints() = default;
  NodeTaints(std::vector<api::Taint> taints);  // NOLINT: a list of them is meant
  const std::vector<api::Taint>& list() const;
  friend bool operator==(const NodeTaints& a, const NodeTaints& b) { return a.list() == b.list(); }

 private:
  friend class NodeFactsDecoder;
  std::shared_ptr<const std::vector<api::Taint>> list_;  // null: none
};

struct NodeFacts {
  base::LongLivedString name;
  bool is_linux = false;
  bool unschedulable = false;
  bool deleting = false;
  std::string_view virtual_kind;  // as api::Node; empty: a kubelet runs pods there
  NodeTaints taints;
  base::LongLivedVector<base::IpAddress>
      internal_ips;  // which certificates of its host network will hold
  base::HeapOptional<defaults::NodeSigns> provider_signs;  // absent on most nodes
  // Set while the condition Ready is not True. A node that only waits for its pod network is not
  // down: calico-node has to run first.
  struct Down {
    absl::Time since;
    std::string why;  // "NodeStatusUnknown: Kubelet stopped posting node status."
    friend bool operator==(const Down&, const Down&) = default;
  };
  base::HeapOptional<Down> down;

  // Whether calico-typha can be put there.
  bool takes_pods() const { return !unschedulable && !deleting && virtual_kind.empty(); }
  // Whether it should have a calico-node: cordoned or not.
  bool needs_agent() const { return is_linux && !deleting && virtual_kind.empty(); }

  // Equal: nothing has happened that the status is about. Heartbeats change nothing here.
  friend bool operator==(const NodeFacts&, const NodeFacts&) = default;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<std::optional<NodeFacts>> Decode(const json::object& object);
};

// NodeFacts::Decode, and lets nodes with the same taints share them. Threading: one thread.
class NodeFactsDecoder {
 public:
  absl::StatusOr<std::optional<NodeFacts>> Decode(const json::object& object);

 private:
  void Share(NodeTaints& taints);

  std::vector<std::weak_ptr<const std::vector<api::Taint>>> known_;
};

using NodeList = std::vector<std::shared_ptr<const NodeFacts>>;

// Nodes by name. Lifetime: the list outlives it.
class NodeIndex {
 public:
  explicit NodeIndex(const NodeList& nodes);

  // Null: no such node.
  const NodeFacts* Find(std::string_view name) const;
  const NodeList& all() const { return nodes_; }
  // How many of them need_agent().
  int needing_agent() const { return needing_agent_; }
  int virtual_nodes() const { return virtual_nodes_; }
  int deleting_nodes() const { return deleting_nodes_; }

 private:
  const NodeList& nodes_;
  absl::flat_hash_map<std::string_view, const NodeFacts*> by_name_;
  int needing_agent_ = 0;
  int virtual_nodes_ = 0;
  int deleting_nodes_ = 0;
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_NODE_FACTS_H_
