// CalicoView: Calico's own configuration in the cluster, kept current by watches once the API
// server serves its kinds.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "operator/calico_config/calico_config.h"
#include "pkg/aio/task.h"
#include "pkg/aio/task_group.h"
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

  // Watches until cancelled: IPPools and FelixConfigurations, and TigeraStatus `ippools`.
  aio::Task<void> Run();
  // BGPConfigurations too, from now on.
  void WatchBgp();
  // The definitions may be there by now: looks at once.
  void LookAgain() { look_.Notify(); }

  // Whether the rest says anything: all lists are complete, or the API server has said that it does
  // not serve the kinds.
  bool IsKnown() const;
  // Nothing while it is not known. Without node_agent and is_calico_api_served.
  Live Objects() const;
  bool KnowsStatus() const { return statuses_.HasSynced(); }
  // TigeraStatus `ippools`; null: not there.
  std::shared_ptr<const api::TigeraStatus> Status() const;

 private:
  using ObjectInformer = kube::Informer<json::object>;

  ObjectInformer MakeInformer(const api::Resource& resource);
  aio::Task<void> WatchWhenServed();
  aio::Task<void> WatchUntilLost();
  bool IsLost() const;
  void Changed();

  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const aio::Executor executor_;
  std::vector<std::function<void()>> observers_;
  ObjectInformer ip_pools_;
  ObjectInformer felix_;
  ObjectInformer bgp_;
  kube::Informer<api::TigeraStatus> statuses_;
  std::optional<bool> is_served_;  // nullopt: not known yet
  bool uses_bgp_ = false;
  aio::TaskGroup* watches_ = nullptr;  // while they run
  aio::Notifier look_;
  aio::Notifier health_changed_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_CALICO_VIEW_H_
