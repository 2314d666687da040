// What we need of a Node: whether it takes typha, and its addresses.
#ifndef CALICO_PKG_API_CORE_NODE_H_
#define CALICO_PKG_API_CORE_NODE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::api {

struct Node {
  std::string name;
  std::string uid;
  std::string resource_version;
  bool unschedulable = false;
  bool deleting = false;
  std::string os;  // Label kubernetes.io/os, else empty.
  // The label type=virtual-kubelet: no kubelet, takes no DaemonSet pods.
  bool virtual_kubelet = false;
  std::vector<std::string> internal_ips;
  std::vector<std::string> external_ips;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Node> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_NODE_H_
