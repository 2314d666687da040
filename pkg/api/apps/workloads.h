// What we need of the apps kinds: how far a rollout is, and which pods are of the newest revision.
#ifndef CALICO_PKG_API_APPS_WORKLOADS_H_
#define CALICO_PKG_API_APPS_WORKLOADS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/core/taint.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::api {

// Every Decode below: InvalidArgument with every wrong field's path.

struct DaemonSet {
  ObjectMeta meta;  // With owner references; no labels, no annotations.
  std::int64_t observed_generation = 0;
  std::int32_t desired_number_scheduled = 0;
  std::int32_t current_number_scheduled = 0;
  std::int32_t updated_number_scheduled = 0;
  std::int32_t number_ready = 0;
  std::int32_t number_available = 0;
  std::int32_t number_unavailable = 0;
  std::int32_t number_misscheduled = 0;
  // Of the pod template: which nodes get a pod.
  StringMap node_selector;
  std::vector<Toleration> tolerations;
  bool has_node_affinity = false;  // a required one

  static absl::StatusOr<DaemonSet> Decode(const json::object& object);
};

struct Deployment {
  ObjectMeta meta;  // With owner references; no labels, no annotations.
  std::int32_t spec_replicas = 1;
  std::int64_t observed_generation = 0;
  std::int32_t replicas = 0;
  std::int32_t updated_replicas = 0;
  std::int32_t ready_replicas = 0;
  std::int32_t available_replicas = 0;
  std::int32_t unavailable_replicas = 0;
  std::vector<Condition> conditions;  // Available, Progressing, ReplicaFailure.

  static absl::StatusOr<Deployment> Decode(const json::object& object);
};

// Its controller is the Deployment; the newest has the highest revision.
struct ReplicaSet {
  ObjectMeta meta;            // With owner references and the label pod-template-hash.
  std::int64_t revision = 0;  // Annotation deployment.kubernetes.io/revision; 0: not there.
  std::string pod_template_hash;

  static absl::StatusOr<ReplicaSet> Decode(const json::object& object);
};

// Its controller is the DaemonSet; the newest has the highest revision.
struct ControllerRevision {
  ObjectMeta meta;  // With owner references.
  std::int64_t revision = 0;
  std::string controller_revision_hash;  // The label that the pods of this revision carry.

  static absl::StatusOr<ControllerRevision> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_APPS_WORKLOADS_H_
