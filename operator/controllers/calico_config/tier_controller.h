// The controller of the tier `calico-system` and the policies in it: makes them once Calico's API
// server (or definitions of its own) serves projectcalico.org/v3, puts them right within a minute,
// and reports in TigeraStatus `tiers`.
//
// While the API is not served it waits, which is no fault: Calico runs without these policies.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_TIER_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_TIER_CONTROLLER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calico_config/policies.h"
#include "operator/controllers/calico_config/component_report.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {

struct TierInput {
  PolicyFacts facts;  // without node_local_dns
  std::int64_t generation = 0;
  std::string installation_uid;

  friend bool operator==(const TierInput&, const TierInput&) = default;
};

struct TierControllerOptions {
  absl::Duration interval = absl::Minutes(1);          // between two looks at what is there
  absl::Duration served_interval = absl::Seconds(15);  // whether the API is served
  absl::Duration served_timeout = absl::Seconds(3);    // of that question
};

// Threading: event loop thread only. All references outlive it.
class TierController {
 public:
  TierController(aio::Executor executor, kube::Client& client, kube::EventRecorder& events,
                 metrics::Registry& registry, const base::Clock& clock, const base::Logger& logger,
                 TierControllerOptions options = {});

  // Of an Installation whose objects have all been applied. nullopt: there is none; the status
  // goes, and what was made stays.
  void SetInput(std::optional<TierInput> input);

  // Until cancelled.
  aio::Task<void> Run();
  // One pass. Errors: what stood in the way, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

 private:
  aio::Task<absl::Status> AskNodeLocalDns(PolicyFacts& facts);
  aio::Task<absl::Status> Carry(const PolicyPlan& plan);
  aio::Task<absl::Status> Ensure(const json::object& wanted);
  aio::Task<absl::Status> Remove(const json::object& unwanted);

  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const TierControllerOptions options_;
  const aio::Executor executor_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  ComponentReport report_;
  bool is_told_ = false;  // SetInput was called
  std::optional<TierInput> input_;
  // By kind and key: what was sent last, and the spec of the answer. Where the server writes it in
  // another way that is no difference.
  std::map<std::string, std::pair<std::string, json::object>> answers_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_TIER_CONTROLLER_H_
