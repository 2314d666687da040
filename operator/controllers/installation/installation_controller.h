// The installation controller: looks at Installation `default` and the cluster, decides, renders,
// applies and reports.
//
// One key, one reconcile at a time, safe to run again at any point. What a bad Installation asked
// for before it was bad keeps running untouched. Nothing is written when nothing would change.
//
// There are no finalizers: what is made has the Installation as its owner, so that deleting it
// leaves the work to the garbage collector, operator or not. What must go last has none
// (operator/controllers/teardown).
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_

#include <set>
#include <string>

#include <absl/status/statusor.h>

#include "operator/controllers/certificates/certificate_keeper.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/configuration.h"
#include "operator/controllers/installation/definition_check.h"
#include "operator/controllers/installation/gathering.h"
#include "operator/controllers/installation/options.h"
#include "operator/controllers/installation/pass.h"
#include "operator/controllers/installation/wanted_workloads.h"
#include "operator/controllers/kinds/api_server_part.h"
#include "operator/controllers/kinds/kinds_view.h"
#include "operator/controllers/status/component_metrics.h"
#include "operator/controllers/status/conditions.h"
#include "operator/controllers/status/status_memory.h"
#include "operator/controllers/status/status_writer.h"
#include "operator/controllers/teardown/teardown.h"
#include "operator/render/inputs.h"
#include "pkg/aio/task.h"
#include "pkg/aio/timer.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/apply/applier.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::installation {

// Threading: event loop thread only. All references outlive it.
class InstallationController {
 public:
  InstallationController(aio::Executor executor, kube::Client& client, ClusterView& view,
                         kinds::KindsView& kinds, ConfigurationParts configuration,
                         kube::EventRecorder& events, metrics::Registry& registry,
                         InstallationControllerOptions options, const base::Clock& clock,
                         const base::Logger& logger);

  // Reconciles whenever something has changed, until cancelled.
  aio::Task<void> Run();

  // Asks what is asked only once, while the caches are filled. What could not be read is asked for
  // in each pass. Requires: before the first pass, or by it. Cancellation: total.
  aio::Task<void> AskAhead();

  // OK once the first pass has ended: what runs has been seen to, and what can wait may begin.
  // Errors: kCancelled.
  aio::Task<absl::Status> WaitForFirstPass();

  // One pass. Errors: what stood in the way of applying or reporting, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

  // How a look at Calico's own definitions ended (definitions::ManageCalicoCrds). Another release
  // waits for them.
  void SetCalicoDefinitions(absl::Status status);

 private:
  aio::Task<absl::StatusOr<controller::Result>> ReconcileAndTell();
  aio::Task<void> AskOnce();
  aio::Task<void> Advance(Pass& pass);
  void CheckRelease(Pass& pass) const;
  absl::StatusOr<api::Installation> Validate(Pass& pass) const;
  absl::StatusOr<api::Installation> Check(const json::object& given, json::object completed,
                                          Pass& pass) const;
  aio::Task<void> Apply(const api::Installation& installation, render::Inputs inputs, Pass& pass);
  aio::Task<void> WriteKeys(render::Inputs& inputs, Pass& pass);
  aio::Task<void> CheckApiServerDefinition(render::Inputs& inputs, Pass& pass);
  void CheckApiServerPair(render::Inputs& inputs);
  void TellApiServerPair(const certificates::Plan& plan);
  aio::Task<void> FinishCertificates(const render::Inputs& inputs, Pass& pass);
  certificates::Owners OwnersOf(const render::Inputs& inputs) const;
  aio::Task<bool> Report(Pass& pass);
  aio::Task<void> ReportApiServer(Pass& pass);
  absl::StatusOr<controller::Result> Finish(const Pass& pass) const;
  aio::Task<absl::StatusOr<controller::Result>> ReportBlind(Pass pass);
  void TellGaps(Pass& pass) const;
  void TellOtherInstallations();
  status::Facts FactsOf(const Pass& pass) const;
  int MtuOf(const api::Installation& completed) const;
  void LogOnce(const Pass& pass);

  const aio::Executor executor_;
  kube::Client& client_;
  ClusterView& view_;
  const InstallationControllerOptions options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  kube::Applier applier_;
  WantedWorkloads wanted_workloads_;
  DefinitionCheck definition_check_;
  Configuration configuration_;
  certificates::CertificateKeeper certificates_;
  Gathering gathering_;
  kinds::ApiServerPart api_server_;
  teardown::Teardown teardown_;
  status::StatusMemory memory_;
  kube::EventRecorder& events_;
  status::StatusWriter writer_;
  bool asks_ahead_ = false;
  aio::Notifier asked_;
  bool has_passed_ = false;
  aio::Notifier passed_;
  std::set<std::string> told_others_;               // by UID
  std::optional<absl::Status> calico_definitions_;  // nullopt: not looked at yet
  status::ComponentMetrics component_metrics_;
  int superseded_ = 0;  // passes in a row
  std::string logged_;  // what LogOnce has said last
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INSTALLATION_CONTROLLER_H_
