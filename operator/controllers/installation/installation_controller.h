// The installation controller: looks at Installation `default` and the cluster, decides, renders,
// applies and reports.
//
// One key, one reconcile at a time, safe to run again at any point. What a bad Installation asked
// for before it was bad keeps running untouched. Nothing is written when nothing would change.
//
// There are no finalizers: everything that is made has the Installation as its owner, so that
// deleting it leaves the work to the garbage collector, operator or not.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/cluster/cluster_signs.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/status/conditions.h"
#include "operator/controllers/status/status_memory.h"
#include "operator/controllers/status/status_writer.h"
#include "operator/defaults/cluster_facts.h"
#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "operator/validation/installation.h"
#include "operator/validation/typha_scale.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/apply/applier.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::installation {

struct InstallationControllerOptions {
  const render::Release* release = nullptr;  // what is installed; outlives the controller
  std::string operator_namespace;
  std::string operator_name;  // of the operator's own Deployment, for its DNS settings
  // KUBERNETES_SERVICE_HOST and _PORT of the process, where there is no ConfigMap with them.
  std::optional<render::ApiEndpoint> process_endpoint;
  bool manages_crds = false;  // an older CustomResourceDefinition is updated by this process
};

// Threading: event loop thread only. All references outlive it.
class InstallationController {
 public:
  InstallationController(aio::Executor executor, kube::Client& client, ClusterView& view,
                         kube::EventRecorder& events, metrics::Registry& registry,
                         InstallationControllerOptions options, const base::Clock& clock,
                         const base::Logger& logger);

  // Reconciles whenever something has changed, until cancelled.
  aio::Task<void> Run();

  // One pass. Errors: what stood in the way of applying or reporting, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

 private:
  // What one pass has found out.
  struct Pass {
    std::shared_ptr<const InstallationRecord> record;  // null: it cannot be looked at
    std::optional<status::Obstacle> obstacle;
    std::vector<std::string> gaps;   // what cannot be looked at, beside what is watched
    std::vector<std::string> waits;  // for what ends by itself
    bool namespace_ending = false;
    bool may_write_installation = true;
    bool may_have_lost = false;  // see pruned_
    std::vector<std::string> notes;
    std::vector<pki::Certificate> roots;
    bool applied = false;
    absl::Status error;  // to be tried again
    absl::Time again_at = absl::InfiniteFuture();

    void Stop(std::string_view reason, std::string message) {
      if (!obstacle.has_value()) obstacle = status::Obstacle{std::string(reason), message};
    }
    void Again(absl::Time at) { again_at = std::min(again_at, at); }
    absl::Duration WaitFrom(absl::Time now) const {
      return std::max(again_at - now, absl::Milliseconds(1));
    }
    std::int64_t generation() const { return record == nullptr ? 0 : record->generation; }
    std::string uid() const { return record == nullptr ? "" : record->uid; }
  };

  aio::Task<void> CheckCrd(Pass& pass);
  void TellPruned(Pass& pass);
  aio::Task<void> CheckLost(const api::Installation& installation, const render::Inputs& inputs,
                            Pass& pass);
  bool WouldRoll(const std::vector<json::object>& objects) const;
  aio::Task<void> Advance(Pass& pass);
  aio::Task<absl::StatusOr<render::Inputs>> Gather(const api::Installation& installation,
                                                   Pass& pass);
  void GatherEndpoint(render::Inputs& inputs, Pass& pass) const;
  aio::Task<absl::Status> GatherPullSecrets(const api::Installation& installation,
                                            render::Inputs& inputs, Pass& pass);
  aio::Task<void> AskOperatorDns();
  aio::Task<void> AskCluster();
  defaults::ClusterFacts ClusterFactsOf() const;
  absl::StatusOr<render::DnsSettings> OperatorDns(Pass& pass) const;
  int TyphaReplicas(Pass& pass);
  aio::Task<void> Apply(const api::Installation& installation, render::Inputs inputs, Pass& pass);
  void TellEndings(const std::vector<kube::Ending>& endings, Pass& pass) const;
  aio::Task<void> Report(Pass& pass);
  aio::Task<absl::StatusOr<controller::Result>> ReportBlind(Pass pass);
  void TellGaps(Pass& pass) const;
  void TellOtherInstallations();
  template <class T>
  std::shared_ptr<const T> UpToDate(const api::Resource& resource,
                                    std::shared_ptr<const T> cached) const;
  validation::NodeCount CountNodes() const;
  std::vector<base::IpAddress> NodeAddresses() const;
  // What is counted: every workload that was rendered last.
  struct WantedWorkload {
    std::string_view kind;  // status::kDaemonSet or kDeployment
    std::string name;       // in calico-system
    std::optional<int> replicas;
  };
  void RememberWorkloads(const std::vector<json::object>& objects);
  std::vector<status::Workload> LookAtWorkloads() const;
  status::Facts FactsOf(const Pass& pass) const;
  void LogOnce(const Pass& pass);
  void SetMetrics(const status::Decision& decision);

  const aio::Executor executor_;
  kube::Client& client_;
  ClusterView& view_;
  const InstallationControllerOptions options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  kube::Applier applier_;
  std::vector<WantedWorkload> wanted_workloads_;
  status::StatusMemory memory_;
  kube::EventRecorder& events_;
  status::StatusWriter writer_;
  std::set<std::string> told_others_;                  // by UID
  using SpecId = std::pair<std::string, std::size_t>;  // UID and hash
  SpecId checked_spec_;                                // of which the definition drops nothing
  // The last one that was seen under a definition that drops fields, and which. While it stays the
  // same it may lack them for good: a write of anything has stored it without them.
  SpecId pruned_spec_;
  std::vector<std::string> pruned_fields_;
  std::optional<absl::Time> crd_wait_until_;
  validation::TyphaScale typha_scale_;
  absl::StatusOr<cluster::ClusterSigns> signs_ = absl::UnavailableError("not asked");
  absl::Time signs_asked_at_ = absl::InfinitePast();  // steady clock
  absl::StatusOr<render::DnsSettings> operator_dns_ = absl::UnavailableError("not asked");
  std::vector<std::pair<std::string, metrics::Gauge*>> condition_gauges_;
  std::string logged_;  // what LogOnce has said last
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_
