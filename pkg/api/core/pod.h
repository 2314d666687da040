// What we need of a Pod: where it runs, who made it, and why it does not run.
#ifndef CALICO_PKG_API_CORE_POD_H_
#define CALICO_PKG_API_CORE_POD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/base/heap_optional.h"

namespace calico::api {

struct ContainerWaiting {
  std::string reason;  // "CrashLoopBackOff", "ImagePullBackOff", ...
  std::string message;
};

struct ContainerTerminated {
  std::string reason;  // "Error", "Completed", "OOMKilled", ...
  std::int32_t exit_code = 0;
  std::string message;  // The container's termination message.
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> finished_at;
};

struct ContainerStatus {
  std::string name;
  std::string image;  // of a container that waits; else empty: nothing asks, and pods are many
  bool ready = false;
  std::int32_t restart_count = 0;
  // At most one of waiting, terminated and running_since; with none of them nothing is known.
  base::HeapOptional<ContainerWaiting> waiting;
  base::HeapOptional<ContainerTerminated> terminated;
  base::HeapOptional<ContainerTerminated> last_terminated;  // how it ended before it was restarted
  std::optional<absl::Time> running_since;
};

inline constexpr std::string_view kPodTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kControllerRevisionHashLabel = "controller-revision-hash";
inline constexpr std::string_view kK8sAppLabel = "k8s-app";

struct Pod {
  // No annotations; of the labels the three above; owner references.
  ObjectMeta meta;
  std::string node_name;  // where it runs; empty: not scheduled
  // Of a pod without a node: the one that the DaemonSet controller made it for, as its affinity
  // says.
  std::string wanted_node;
  std::string service_account_name;
  bool host_network = false;
  std::string phase;    // "Pending", "Running", "Succeeded", "Failed", "Unknown"
  std::string reason;   // status.reason, "Evicted" for instance.
  std::string message;  // status.message
  std::vector<std::string> pod_ips;
  std::vector<std::string> host_ips;
  std::vector<Condition> conditions;  // PodScheduled, Ready and ContainersReady only.
  std::vector<ContainerStatus> init_containers;
  std::vector<ContainerStatus> containers;

  bool deleting() const { return meta.deletion_timestamp.has_value(); }
  // The node that it is on or is to be on; empty: any.
  const std::string& TargetNode() const { return node_name.empty() ? wanted_node : node_name; }
  // Phase Succeeded or Failed: the pod will not run again.
  bool finished() const { return phase == "Succeeded" || phase == "Failed"; }

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Pod> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_POD_H_
