#include "operator/controllers/calico_config/calico_view.h"

#include <algorithm>

#include <absl/status/status.h>

#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"

namespace calico::calico_config {
namespace {

// A fresh cluster gets its definitions within a second; later nobody waits.
constexpr base::BackoffOptions kServedBackoff = {.initial = absl::Milliseconds(100),
                                                 .cap = absl::Seconds(30)};
constexpr absl::Duration kLostInterval = absl::Seconds(30);

absl::StatusOr<std::optional<json::object>> KeepAll(const json::object& object) { return object; }

absl::StatusOr<std::optional<api::TigeraStatus>> KeepStatus(const json::object& object) {
  absl::StatusOr<api::TigeraStatus> status = api::TigeraStatus::Decode(object);
  if (!status.ok()) return status.status();
  return *std::move(status);
}

std::vector<json::object> ObjectsOf(const kube::Informer<json::object>& informer) {
  std::vector<json::object> objects;
  std::vector<api::ObjectKey> keys = informer.store().Keys();
  std::sort(keys.begin(), keys.end(),
            [](const api::ObjectKey& a, const api::ObjectKey& b) { return a.name < b.name; });
  for (const api::ObjectKey& key : keys) objects.push_back(*informer.store().Get(key));
  return objects;
}

bool HasGone(const kube::Informer<json::object>& informer) {
  return informer.trouble().has_value() && absl::IsNotFound(informer.trouble()->error);
}

}  // namespace

CalicoView::CalicoView(kube::Client& client, const base::Clock& clock, const base::Logger& logger,
                       aio::Executor executor)
    : client_(client),
      clock_(clock),
      logger_(logger),
      executor_(executor),
      ip_pools_(MakeInformer(api::kIpPools)),
      felix_(MakeInformer(api::kFelixConfigurations)),
      bgp_(MakeInformer(api::kBgpConfigurations)),
      statuses_(client, api::kTigeraStatuses, {.field_selector = "metadata.name=ippools"},
                &KeepStatus, clock, logger, executor),
      look_(executor),
      health_changed_(executor) {
  for (ObjectInformer* const informer : {&ip_pools_, &felix_, &bgp_}) {
    informer->AddObserver([this](const api::ObjectKey&) { Changed(); });
    informer->AddHealthObserver([this] {
      health_changed_.Notify();
      Changed();
    });
  }
  statuses_.AddObserver([this](const api::ObjectKey&) { Changed(); });
  statuses_.AddHealthObserver([this] { Changed(); });
}

CalicoView::ObjectInformer CalicoView::MakeInformer(const api::Resource& resource) {
  return {client_, resource, {}, &KeepAll, clock_, logger_, executor_};
}

void CalicoView::Changed() {
  for (const std::function<void()>& observer : observers_) observer();
}

bool CalicoView::IsKnown() const {
  if (!is_served_.has_value()) return false;
  if (!*is_served_) return true;
  return ip_pools_.HasSynced() && felix_.HasSynced() && (!uses_bgp_ || bgp_.HasSynced());
}

Live CalicoView::Objects() const {
  Live live;
  if (!is_served_.value_or(false)) return live;
  if (ip_pools_.HasSynced()) live.ip_pools = ObjectsOf(ip_pools_);
  if (felix_.HasSynced()) live.felix_configurations = ObjectsOf(felix_);
  if (bgp_.HasSynced()) live.bgp_configurations = ObjectsOf(bgp_);
  return live;
}

std::shared_ptr<const api::TigeraStatus> CalicoView::Status() const {
  return statuses_.store().Get({"", "ippools"});
}

bool CalicoView::IsLost() const {
  return HasGone(ip_pools_) || HasGone(felix_) || (uses_bgp_ && HasGone(bgp_));
}

void CalicoView::WatchBgp() {
  if (uses_bgp_) return;
  uses_bgp_ = true;
  if (watches_ != nullptr) watches_->Spawn(bgp_.Run());
}

aio::Task<void> CalicoView::WatchUntilLost() {
  aio::TaskGroup group(executor_);
  watches_ = &group;
  group.Spawn(ip_pools_.Run());
  group.Spawn(felix_.Run());
  if (uses_bgp_) group.Spawn(bgp_.Run());
  while (!IsLost()) {
    if (absl::IsCancelled(co_await health_changed_.Wait(kLostInterval))) break;
  }
  watches_ = nullptr;
  co_await group.Stop();
  for (ObjectInformer* const informer : {&ip_pools_, &felix_, &bgp_}) informer->Reset();
}

aio::Task<void> CalicoView::WatchWhenServed() {
  base::Backoff backoff(kServedBackoff);
  while (true) {
    bool all = true;
    absl::Status asked;
    for (const api::Resource* const resource :
         {&api::kIpPools, &api::kFelixConfigurations, &api::kBgpConfigurations}) {
      const absl::StatusOr<bool> serves = co_await client_.Serves(*resource);
      asked = serves.status();
      if (!serves.ok()) break;
      all = all && *serves;
      if (!all) break;
    }
    if (absl::IsCancelled(asked)) co_return;
    if (asked.ok() && is_served_ != all) {
      is_served_ = all;
      Changed();
    }
    if (asked.ok() && all) {
      co_await WatchUntilLost();
      backoff.Reset();
      is_served_ = false;
      Changed();
    }
    if (absl::IsCancelled(co_await look_.Wait(backoff.Next(base::RandomUnit())))) co_return;
  }
}

aio::Task<void> CalicoView::Run() {
  aio::TaskGroup group(executor_);
  group.Spawn(statuses_.Run());
  co_await WatchWhenServed();
  co_await group.Stop();
}

}  // namespace calico::calico_config
