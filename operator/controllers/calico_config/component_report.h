// ComponentReport: the TigeraStatus and the metrics of a component that belongs to the Installation
// and has a status of its own.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_COMPONENT_REPORT_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_COMPONENT_REPORT_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "operator/controllers/status/conditions.h"
#include "operator/controllers/status/status_writer.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {

// Threading: event loop thread only. All references outlive it; it outlives its Run task.
class ComponentReport {
 public:
  // `name`: of the TigeraStatus. `changed` is called when it has changed.
  ComponentReport(std::string name, aio::Executor executor, kube::Client& client,
                  kube::EventRecorder& events, metrics::Registry& registry,
                  const base::Clock& clock, const base::Logger& logger,
                  const std::function<void()>& changed);

  // Watches the TigeraStatus until cancelled.
  aio::Task<void> Run() { return statuses_.Run(); }
  // Whether it is known: nothing is written before.
  bool IsKnown() const { return statuses_.HasSynced(); }

  // Writes what differs. `owner_uid`: of the Installation.
  aio::Task<absl::Status> Write(status::Facts facts, std::string owner_uid);
  // There is no such component.
  aio::Task<absl::Status> Remove();

 private:
  void SetGauges(const std::vector<api::Condition>& conditions);

  const std::string name_;
  status::StatusWriter writer_;
  kube::Informer<api::TigeraStatus> statuses_;
  std::vector<std::pair<std::string, metrics::Gauge*>> condition_gauges_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_COMPONENT_REPORT_H_
