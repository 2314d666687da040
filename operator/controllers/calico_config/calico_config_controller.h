// The controller of Calico's own configuration: makes and changes IPPools, FelixConfiguration and
// BGPConfiguration as an Installation says, and reports in TigeraStatus `ippools`.
//
// It does nothing until it is given an Installation, completed and found right: what a bad one asks
// for is not touched.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_CONFIG_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_CONFIG_CONTROLLER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calico_config/calico_config.h"
#include "operator/controllers/calico_config/calico_view.h"
#include "operator/controllers/status/status_writer.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/apply/contention.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {

// What the Installation asks for.
struct ConfigInput {
  std::string release;        // "v3.33"
  json::object spec;          // completed
  bool has_ip_pools = false;  // see Request
  std::optional<NodeAgent> node_agent;
  std::int64_t generation = 0;
  std::string installation_uid;

  bool operator==(const ConfigInput&) const;
};

// What there is to tell in TigeraStatus `calico`.
struct ConfigOutcome {
  PoolState pools = PoolState::kNotNeeded;
  std::vector<Problem> problems;
  std::string waiting;
  // Everything is as the Installation says, problems aside.
  bool is_settled = false;

  friend bool operator==(const ConfigOutcome&, const ConfigOutcome&);
};

// Threading: event loop thread only. All references outlive it.
class CalicoConfigController {
 public:
  // `makes_definitions`: this process makes Calico's definitions where they are missing, so that
  // they are waited for a while before their absence is a problem.
  CalicoConfigController(aio::Executor executor, kube::Client& client, CalicoView& view,
                         kube::EventRecorder& events, metrics::Registry& registry,
                         bool makes_definitions, const base::Clock& clock,
                         const base::Logger& logger);

  // nullopt: there is no Installation to go by. Nothing is changed then, and the status goes.
  void SetInput(std::optional<ConfigInput> input);
  // What is wrong with Calico's definitions, told in TigeraStatus `ippools`.
  void SetDefinitionProblems(std::vector<std::string> problems);
  // Called when the outcome has changed.
  void SetObserver(std::function<void()> observer) { observer_ = std::move(observer); }
  const std::optional<ConfigInput>& input() const { return input_; }
  // nullopt: nothing is known for the input of now.
  const std::optional<ConfigOutcome>& outcome() const { return outcome_; }

  // Reconciles whenever something has changed, until cancelled.
  aio::Task<void> Run();
  // One pass. Errors: what stood in the way, to be tried again.
  aio::Task<absl::StatusOr<controller::Result>> Reconcile();

 private:
  // What one pass has found out besides the plan.
  struct Pass {
    absl::Status error;
    absl::Time again_at = absl::InfiniteFuture();  // on the wall clock
    std::string pending;                           // what has been sent or is yet to come
  };

  bool WaitsForDefinitions(const Live& live);
  void WaitForDefinitions(Plan& plan, Pass& pass) const;
  aio::Task<void> Carry(Plan& plan, Pass& pass);
  void CountInPlace(const Live& live, const Plan& plan);
  aio::Task<absl::Status> Send(const Write& write, std::string_view path);
  aio::Task<absl::Status> Report(const Plan& plan, Pass& pass);
  void SetOutcome(std::optional<ConfigOutcome> outcome);

  kube::Client& client_;
  CalicoView& view_;
  const bool makes_definitions_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  controller::WorkQueue queue_;
  controller::ControllerMetrics metrics_;
  kube::Contention contention_;
  status::StatusWriter writer_;
  bool is_told_ = false;  // SetInput was called
  std::optional<ConfigInput> input_;
  std::vector<std::string> definition_problems_;
  absl::Time definitions_wait_until_ = absl::InfiniteFuture();  // steady clock
  std::vector<std::pair<std::string, metrics::Gauge*>> condition_gauges_;
  std::optional<ConfigOutcome> outcome_;
  std::function<void()> observer_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_CONFIG_CONTROLLER_H_
