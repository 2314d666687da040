#include "operator/controllers/csr/address_watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::csr {
namespace {

std::string Text(const absl::Status& status) {
  return status.ok() ? ""
                     : fmt::format(": {}", std::string_view(status.message().data(),
                                                            status.message().size()));
}

api::ObjectKey KeyOf(const std::string& name) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return {"", name};
  return {name.substr(0, slash), name.substr(slash + 1)};
}

}  // namespace

AddressWatch::AddressWatch(aio::Executor executor, kube::Client& client, const base::Clock& clock,
                           const base::Logger& logger, absl::Duration longest_silence)
    : executor_(executor),
      client_(client),
      clock_(clock),
      logger_(logger),
      longest_silence_(longest_silence),
      watched_{{{HolderKind::kService, api::kServices},
                {HolderKind::kNode, api::kNodes},
                {HolderKind::kPod, api::kPods}}},
      listed_(executor) {}

AddressWatch::~AddressWatch() = default;

void AddressWatch::Start() {
  if (group_ != nullptr) return;
  group_ = std::make_unique<aio::TaskGroup>(executor_);
  for (Watched& watched : watched_) group_->Spawn(Watch(watched));
}

aio::Task<void> AddressWatch::Stop() {
  if (group_ == nullptr) co_return;
  co_await group_->Stop();
  group_.reset();
  index_.Clear();
  for (Watched& watched : watched_) {
    watched.listed = false;
    watched.current_at = absl::InfinitePast();
    watched.trouble = absl::OkStatus();
  }
}

aio::Task<void> AddressWatch::Watch(Watched& watched) {
  const HolderKind kind = watched.kind;
  kube::ReflectorHandlers handlers;
  handlers.list_started = [this, kind] { index_.StartList(kind); };
  handlers.set = [this, kind](const json::object& object) {
    index_.Set(kind, api::ObjectMetaOf(object).Key(), HolderOf(kind, object), clock_.SteadyNow());
    return absl::OkStatus();
  };
  handlers.deleted = [this, kind](const json::object& object) {
    index_.Remove(kind, api::ObjectMetaOf(object).Key());
  };
  handlers.synced = [this, kind, &watched] {
    index_.FinishList(kind);
    watched.listed = true;
    listed_.Notify();
  };
  handlers.current = [this, &watched](absl::Time at) {
    watched.current_at = at;
    TellIfKnown();
  };
  handlers.health = [&watched](const absl::Status& status) { watched.trouble = status; };
  return kube::RunReflector(client_, watched.resource, {.longest_silence = longest_silence_},
                            std::move(handlers), clock_, logger_);
}

void AddressWatch::TellIfKnown() {
  if (!asked_in_vain_ || !Health().ok()) return;
  asked_in_vain_ = false;
  if (observer_) observer_();
}

aio::Task<absl::Status> AddressWatch::WaitForSync(absl::Duration timeout) {
  const absl::Time end = clock_.SteadyNow() + timeout;
  while (std::any_of(watched_.begin(), watched_.end(),
                     [](const Watched& watched) { return !watched.listed; })) {
    CALICO_CO_RETURN_IF_ERROR(co_await listed_.Wait(end - clock_.SteadyNow()));
  }
  co_return Health();
}

absl::Status AddressWatch::HealthOf(const Watched& watched) const {
  if (!watched.listed) {
    return absl::UnavailableError(
        fmt::format("{} are not listed yet{}", watched.resource.plural, Text(watched.trouble)));
  }
  const absl::Duration behind = clock_.SteadyNow() - watched.current_at;
  if (behind <= kLongestBehind) return absl::OkStatus();
  // Without the exact time: the reason of a wait, which is told again when it changes.
  return absl::UnavailableError(fmt::format(
      "the watch of {} has told nothing new for more than {} s{}", watched.resource.plural,
      absl::ToInt64Seconds(kLongestBehind), Text(watched.trouble)));
}

absl::Status AddressWatch::Health() const {
  for (const Watched& watched : watched_) CALICO_RETURN_IF_ERROR(HealthOf(watched));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<csr_policy::AddressOwner>> AddressWatch::Others(
    const std::vector<base::IpAddress>& addresses, const AddressSelf& self) {
  const absl::Status status = Health();
  asked_in_vain_ = !status.ok();
  CALICO_RETURN_IF_ERROR(status);
  std::vector<csr_policy::AddressOwner> others;
  for (const base::IpAddress& address : addresses) {
    for (csr_policy::AddressOwner& owner : index_.OthersWith(address, self, clock_.SteadyNow())) {
      others.push_back(std::move(owner));
    }
  }
  return others;
}

aio::Task<absl::StatusOr<AddressWatch::Holding>> AddressWatch::LookUp(
    csr_policy::AddressOwner owner, AddressSelf self) {
  const auto watched = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& one) {
    return ToString(one.kind) == owner.kind;
  });
  if (watched == watched_.end()) co_return absl::InternalError("look up address: " + owner.kind);
  const absl::StatusOr<json::object> object =
      co_await client_.Get(watched->resource, KeyOf(owner.name));
  if (absl::IsNotFound(object.status())) co_return Holding::kNo;
  CALICO_CO_RETURN_IF_ERROR(object.status());
  const AddressHolder holder = HolderOf(watched->kind, *object);
  const bool is_self = !self.host_node.empty() && holder.host_node == self.host_node;
  if (is_self) co_return Holding::kNo;
  if (!holder.Holds(owner.address)) {
    if (!holder.terminating) {
      index_.Lose(watched->kind, KeyOf(owner.name), owner.address, clock_.SteadyNow());
    }
    co_return Holding::kNo;
  }
  // Only a Pod's deletion ends by itself: a Service's waits for finalizers, and works meanwhile.
  const bool is_ending = watched->kind == HolderKind::kPod && holder.terminating;
  co_return is_ending ? Holding::kTerminating : Holding::kYes;
}

}  // namespace calico::csr
