// CalicoView: Calico's own configuration in the cluster, kept current by watches once the API
// server serves its kinds.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/calico_config/calico_config.h"
#include "operator/controllers/calico_config/served_kind.h"
#include "pkg/aio/task.h"
#include "pkg/aio/timer.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::calico_config {

// Threading: event loop thread only. All references outlive it; it outlives its Run task.
class CalicoView {
 public:
  CalicoView(kube::Client& client, const base::Clock& clock, const base::Logger& logger,
             aio::Executor executor);

  // Called when something has changed. Several are told, in this order. Requires: before Run.
  void AddObserver(std::function<void()> observer) { observers_.push_back(std::move(observer)); }

  // Watches until cancelled.
  aio::Task<void> Run();
  // OK once IsKnown, or once a kind cannot be looked at: waiting for it helps nobody. Errors:
  // kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);
  // The definitions may be there by now: looks at once.
  void LookAgain();

  // Whether the rest says anything: all lists are complete, or the API server has said that it does
  // not serve the kinds.
  bool IsKnown() const;
  // Kinds that were served are not any more. What is known then says nothing about what there is
  // when they come back.
  bool IsLost() const;
  // Nothing while it is not known. Without node_agent.
  Live Objects() const;
  // The same, of the kind that only kube-controllers and the user write.
  std::optional<std::vector<json::object>> KubeControllers() const;
  // Of each kind.
  std::vector<KindState> States() const;

  bool KnowsStatus() const { return statuses_.HasSynced(); }
  // TigeraStatus `ippools`; null: not there.
  std::shared_ptr<const api::TigeraStatus> Status() const;

 private:
  aio::Task<void> WatchCalicoApi();
  std::array<const ServedKind*, 4> Kinds() const;
  void Changed();

  kube::Client& client_;
  const aio::Executor executor_;
  const base::Clock& clock_;
  std::vector<std::function<void()>> observers_;
  ServedKind ip_pools_;
  ServedKind felix_;
  ServedKind bgp_;
  ServedKind kube_controllers_;
  kube::Informer<api::TigeraStatus> statuses_;
  bool is_calico_api_served_ = false;
  aio::Notifier look_;
  aio::Notifier known_;  // may have changed
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_
