// Do our workloads run, and if not, which pod, which container, and why?
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/status/report.h"
#include "pkg/api/apps/workloads.h"
#include "pkg/api/core/pod.h"

namespace calico::status {

// A pod that runs and is not ready for longer than this has a problem: the readiness probes of our
// containers give up after three tries of (30 s + 10 s).
inline constexpr absl::Duration kReadyGrace = absl::Seconds(120);

// The pods of one workload. Those that are being deleted are passed over.
struct WorkloadPods {
  std::vector<std::shared_ptr<const api::Pod>> pods;
  // Revision of the newest template, as the pods' label has it; empty: not known.
  std::string newest_revision;
};

// `daemon_set` null: it was applied and is not seen yet.
Report JudgeDaemonSet(const std::string& name, const api::DaemonSet* daemon_set,
                      const WorkloadPods& pods, absl::Time now);
Report JudgeDeployment(const std::string& name, const api::Deployment* deployment,
                       const WorkloadPods& pods, absl::Time now);

// What is wrong with the pods of `workload` ("calico-system/calico-node").
Report JudgePods(const WorkloadPods& pods, absl::Time now);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_WORKLOAD_HEALTH_H_
