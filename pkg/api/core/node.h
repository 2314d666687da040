// What we need of a Node: whether it takes pods and runs them, and its addresses.
#ifndef CALICO_PKG_API_CORE_NODE_H_
#define CALICO_PKG_API_CORE_NODE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/core/taint.h"
#include "pkg/api/meta/condition.h"
#include "pkg/codec/json.h"

namespace calico::api {

struct Node {
  std::string name;
  std::string uid;
  std::string resource_version;
  bool unschedulable = false;
  bool deleting = false;
  std::string os;  // Label kubernetes.io/os, else empty.
  // Not empty: there is no kubelet behind it that runs pods of DaemonSets, but what this names:
  // "virtual-kubelet", "Fargate" and others, known by their labels and taints. Static text.
  std::string_view virtual_kind;
  std::vector<Taint> taints;       // NoSchedule and NoExecute only.
  std::optional<Condition> ready;  // The condition Ready.
  std::vector<std::string> internal_ips;
  std::vector<std::string> external_ips;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Node> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_NODE_H_
