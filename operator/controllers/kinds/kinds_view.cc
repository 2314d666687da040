#include "operator/controllers/kinds/kinds_view.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::kinds {
namespace {

// Those that are written for these kinds; the cluster may have others, of parts that are not ours.
constexpr std::string_view kStatuses[] = {api::kTigeraStatusApiServer, api::kTigeraStatusGoldmane,
                                          api::kTigeraStatusWhisker};
// ImageSets of Calico begin with it.
constexpr std::string_view kCalico = "calico";

absl::StatusOr<std::optional<api::TigeraStatus>> DecodeStatus(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(api::TigeraStatus status, api::TigeraStatus::Decode(object));
  const auto* const known = std::find(std::begin(kStatuses), std::end(kStatuses), status.meta.name);
  if (known == std::end(kStatuses)) return std::nullopt;
  return std::optional<api::TigeraStatus>(std::move(status));
}

template <class T>
bool IsNotServed(const kube::Informer<T>& informer) {
  return informer.trouble().has_value() && absl::IsNotFound(informer.trouble()->error);
}

// A kind that was served and is not any more may come back with its objects: that says nothing.
template <class T>
absl::Status Knows(const kube::Informer<T>& informer) {
  if (IsNotServed(informer)) {
    return informer.HasSynced() ? informer.trouble()->error : absl::OkStatus();
  }
  if (informer.HasSynced()) return absl::OkStatus();
  if (informer.trouble().has_value()) return informer.trouble()->error;
  return absl::UnavailableError(fmt::format("list {}: no answer yet", informer.resource().kind));
}

api::ObjectKey Default() { return {"", "default"}; }

}  // namespace

template <class T>
kube::Informer<T> KindsView::MakeInformer(const api::Resource& resource, std::string field_selector,
                                          typename kube::Informer<T>::Decoder decoder) {
  return kube::Informer<T>(client_, resource, {.field_selector = std::move(field_selector)},
                           std::move(decoder), clock_, logger_, executor_);
}

template <class Visit>
void KindsView::VisitInformers(Visit visit) {
  visit(api_servers_, Change::kUser);
  visit(image_sets_, Change::kUser);
  visit(goldmanes_, Change::kUser);
  visit(whiskers_, Change::kUser);
  visit(statuses_, Change::kStatus);
}

KindsView::KindsView(kube::Client& client, std::string_view calico_version,
                     const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
    : client_(client),
      clock_(clock),
      logger_(logger),
      executor_(std::move(executor)),
      image_set_name_(api::ImageSetName(calico_version)),
      api_servers_(MakeInformer<ApiServerRecord>(api::kApiServers, "", &ApiServerRecord::Decode)),
      image_sets_(MakeInformer<ImageSetRecord>(
          api::kImageSets, "",
          [this](const json::object& object) -> absl::StatusOr<std::optional<ImageSetRecord>> {
            CALICO_ASSIGN_OR_RETURN(std::optional<ImageSetRecord> record,
                                    ImageSetRecord::Decode(object, image_set_name_));
            // Of other products.
            if (!record->name.starts_with(kCalico)) return std::nullopt;
            return record;
          })),
      goldmanes_(MakeInformer<KindRecord>(api::kGoldmanes, "", &KindRecord::Decode)),
      whiskers_(MakeInformer<KindRecord>(api::kWhiskers, "", &KindRecord::Decode)),
      statuses_(MakeInformer<api::TigeraStatus>(
          api::kTigeraStatuses, fmt::format("metadata.name!={}", api::kTigeraStatusCalico),
          &DecodeStatus)) {
  VisitInformers([this](auto& informer, Change change) {
    informer.AddObserver([this, change](const api::ObjectKey&) { Changed(change); });
    informer.AddHealthObserver([this, change] {
      for (const std::function<void()>& observer : health_observers_) observer();
      Changed(change);
    });
  });
}

void KindsView::Changed(Change change) {
  for (const std::function<void(Change)>& observer : observers_) observer(change);
}

aio::Task<void> KindsView::Run() {
  aio::TaskGroup group(executor_);
  VisitInformers([&group](auto& informer, Change) { group.Spawn(informer.Run()); });
  co_await group.Join();
  co_await group.Stop();
}

std::vector<installation::CacheState> KindsView::CacheStates() const {
  std::vector<installation::CacheState> states;
  const auto add = [&states](const auto& informer) {
    if (IsNotServed(informer)) return;
    states.push_back(
        {&informer.resource(), informer.HasSynced(), informer.trouble(), informer.started_at()});
  };
  add(api_servers_);
  add(image_sets_);
  add(goldmanes_);
  add(whiskers_);
  add(statuses_);
  return states;
}

absl::Status KindsView::KnowsApiServers() const { return Knows(api_servers_); }
absl::Status KindsView::KnowsImageSets() const { return Knows(image_sets_); }
absl::Status KindsView::KnowsGoldmanes() const { return Knows(goldmanes_); }
absl::Status KindsView::KnowsWhiskers() const { return Knows(whiskers_); }
bool KindsView::KnowsStatuses() const { return statuses_.HasSynced(); }

absl::StatusOr<std::shared_ptr<const ApiServerRecord>> KindsView::ApiServer() const {
  std::vector<api::ApiServer> named;
  for (const auto& record : api_servers_.store().List()) {
    named.push_back({.meta = {.name = record->head.name}});
  }
  CALICO_ASSIGN_OR_RETURN(const api::ApiServer* const found, api::FindApiServer(named));
  return found == nullptr ? nullptr : FindApiServer(found->meta.name);
}

std::shared_ptr<const ApiServerRecord> KindsView::FindApiServer(std::string_view name) const {
  return api_servers_.store().Get({"", std::string(name)});
}

std::vector<std::shared_ptr<const ImageSetRecord>> KindsView::ImageSets() const {
  return image_sets_.store().List();
}

std::shared_ptr<const KindRecord> KindsView::Goldmane() const {
  return goldmanes_.store().Get(Default());
}

std::shared_ptr<const KindRecord> KindsView::Whisker() const {
  return whiskers_.store().Get(Default());
}

std::shared_ptr<const api::TigeraStatus> KindsView::Status(std::string_view name) const {
  return statuses_.store().Get({"", std::string(name)});
}

}  // namespace calico::kinds
