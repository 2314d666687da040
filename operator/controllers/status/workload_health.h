// Do our workloads run, and if not, which pod, which container, and why?
//
// What should be over by itself is progress until kDeadline (report.h), and then a failure that
// names its cause: nothing is on its way for ever.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/status/node_facts.h"
#include "operator/controllers/status/pod_record.h"
#include "operator/controllers/status/report.h"
#include "pkg/api/apps/workloads.h"
#include "pkg/api/core/pod.h"

namespace calico::status {

// A container that runs and is not ready for longer than this has a problem: the readiness probes
// of our containers give up after three tries of (30 s + 10 s).
inline constexpr absl::Duration kReadyGrace = absl::Seconds(120);

inline constexpr std::string_view kDaemonSet = "DaemonSet";
inline constexpr std::string_view kDeployment = "Deployment";

// The pods of one workload. Those that are being deleted are passed over until they should be gone.
struct WorkloadPods {
  std::vector<std::shared_ptr<const api::Pod>> pods;    // those with something to tell, or all
  std::vector<std::shared_ptr<const PodRecord>> quiet;  // the others (is_quiet)
  // Revision of the newest template, as the pods' label has it; empty: not known.
  std::string newest_revision;
  // The init container whose waiting is judged by its request, see certificate_health.h.
  std::string_view provisioner;

  size_t size() const { return pods.size() + quiet.size(); }
};

// One of our workloads, as it is counted.
struct Workload {
  std::string_view kind;  // kDaemonSet or kDeployment
  std::string name;       // "calico-system/calico-node"
  // The one of its kind. Null: it was applied and is not seen yet.
  std::shared_ptr<const api::DaemonSet> daemon_set;
  std::shared_ptr<const api::Deployment> deployment;
  std::optional<int> wanted_replicas;  // of a Deployment, that were asked for
  WorkloadPods pods;
  // When one of its numbers changed last, see status_memory.h.
  absl::Time moved_at = absl::InfiniteFuture();

  bool is_there() const { return daemon_set != nullptr || deployment != nullptr; }
};

// What the numbers are compared with.
struct WorkloadContext {
  const NodeIndex& nodes;
  // When one of the workload's numbers changed last: a rollout that stands still ends as a failure.
  absl::Time moved_at;
  absl::Time now;
};

// `daemon_set` null: it was applied and is not seen yet. Every Linux node is to have a pod, save
// virtual ones: pods on those count for nothing, but are told in the notes while they do not run.
Report JudgeDaemonSet(const std::string& name, const api::DaemonSet* daemon_set,
                      const WorkloadPods& pods, const WorkloadContext& context);

// `wanted_replicas` is what was asked for; the Deployment's own number may be somebody else's.
Report JudgeDeployment(const std::string& name, const api::Deployment* deployment,
                       std::optional<int> wanted_replicas, const WorkloadPods& pods,
                       const WorkloadContext& context);

Report JudgeWorkload(const Workload& workload, const NodeIndex& nodes, absl::Time now);

// What is wrong with the pods: the first kinds of trouble with a pod each, the rest counted.
Report JudgePods(const WorkloadPods& pods, const NodeIndex& nodes, absl::Time now);

// Whether `message` of an earlier decision says of that workload that it stands still.
// `kind` is kDaemonSet or kDeployment.
bool TellsStandstill(std::string_view message, std::string_view kind, const std::string& name);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_
