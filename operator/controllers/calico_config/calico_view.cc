#include "operator/controllers/calico_config/calico_view.h"

#include <algorithm>

#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"

namespace calico::calico_config {
namespace {

// Of the question whether Calico's API server answers: it comes and goes with its pods.
constexpr absl::Duration kCalicoApiInterval = absl::Seconds(15);

absl::StatusOr<std::optional<api::TigeraStatus>> KeepStatus(const json::object& object) {
  absl::StatusOr<api::TigeraStatus> status = api::TigeraStatus::Decode(object);
  if (!status.ok()) return status.status();
  return *std::move(status);
}

}  // namespace

CalicoView::CalicoView(kube::Client& client, const base::Clock& clock, const base::Logger& logger,
                       aio::Executor executor)
    : client_(client),
      executor_(executor),
      clock_(clock),
      ip_pools_(client, api::kIpPools, clock, logger, executor, [this] { Changed(); }),
      felix_(client, api::kFelixConfigurations, clock, logger, executor, [this] { Changed(); }),
      bgp_(client, api::kBgpConfigurations, clock, logger, executor, [this] { Changed(); }),
      kube_controllers_(client, api::kKubeControllersConfigurations, clock, logger, executor,
                        [this] { Changed(); }),
      statuses_(client, api::kTigeraStatuses, {.field_selector = "metadata.name=ippools"},
                &KeepStatus, clock, logger, executor),
      look_(executor),
      known_(executor) {
  statuses_.AddObserver([this](const api::ObjectKey&) { Changed(); });
  statuses_.AddHealthObserver([this] { Changed(); });
}

void CalicoView::Changed() {
  known_.Notify();
  for (const std::function<void()>& observer : observers_) observer();
}

std::array<const ServedKind*, 4> CalicoView::Kinds() const {
  return {&ip_pools_, &felix_, &bgp_, &kube_controllers_};
}

void CalicoView::LookAgain() {
  for (ServedKind* const kind : {&ip_pools_, &felix_, &bgp_, &kube_controllers_}) kind->LookAgain();
  look_.Notify();
}

bool CalicoView::IsKnown() const {
  const auto kinds = Kinds();
  return std::all_of(kinds.begin(), kinds.end(),
                     [](const ServedKind* kind) { return kind->IsKnown(); });
}

bool CalicoView::IsLost() const {
  const auto kinds = Kinds();
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const ServedKind* kind) { return kind->IsLost(); });
}

Live CalicoView::Objects() const {
  if (!IsKnown()) return {};
  return {.ip_pools = ip_pools_.Objects(),
          .felix_configurations = felix_.Objects(),
          .bgp_configurations = bgp_.Objects(),
          .is_calico_api_served = is_calico_api_served_};
}

std::optional<std::vector<json::object>> CalicoView::KubeControllers() const {
  return kube_controllers_.Objects();
}

std::vector<KindState> CalicoView::States() const {
  std::vector<KindState> states;
  for (const ServedKind* const kind : Kinds()) states.push_back(kind->State());
  return states;
}

std::shared_ptr<const api::TigeraStatus> CalicoView::Status() const {
  return statuses_.store().Get({"", "ippools"});
}

aio::Task<absl::Status> CalicoView::WaitForSync(absl::Duration timeout) {
  const absl::Time end = clock_.SteadyNow() + timeout;
  while (true) {
    const std::vector<KindState> states = States();
    const bool is_settled = std::all_of(states.begin(), states.end(), [](const KindState& state) {
      return state.is_known || state.trouble.has_value();
    });
    if (is_settled) co_return absl::OkStatus();
    const absl::Time now = clock_.SteadyNow();
    if (now >= end)
      co_return absl::DeadlineExceededError("Calico's kinds have not been listed yet");
    const absl::Status changed = co_await known_.Wait(end - now);
    if (absl::IsCancelled(changed)) co_return changed;
  }
}

// What is not known counts as not served: nothing is deleted then.
aio::Task<void> CalicoView::WatchCalicoApi() {
  while (true) {
    const absl::StatusOr<bool> serves = co_await client_.Serves(api::kServedIpPools);
    if (absl::IsCancelled(serves.status())) co_return;
    if (const bool is_served = serves.ok() && *serves; is_served != is_calico_api_served_) {
      is_calico_api_served_ = is_served;
      Changed();
    }
    if (absl::IsCancelled(co_await look_.Wait(kCalicoApiInterval))) co_return;
  }
}

aio::Task<void> CalicoView::Run() {
  // One answer tells of all kinds, and the client remembers it.
  const absl::StatusOr<bool> ignored = co_await client_.Serves(api::kIpPools);
  if (absl::IsCancelled(ignored.status())) co_return;
  aio::TaskGroup group(executor_);
  group.Spawn(statuses_.Run());
  group.Spawn(WatchCalicoApi());
  group.Spawn(felix_.Run());
  group.Spawn(bgp_.Run());
  group.Spawn(kube_controllers_.Run());
  co_await ip_pools_.Run();
  co_await group.Stop();
}

}  // namespace calico::calico_config
