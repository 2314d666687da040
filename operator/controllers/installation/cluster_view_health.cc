// What of ClusterView cannot be looked at.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/cluster_view_requests.h"
#include "operator/render/names.h"
#include "pkg/api/meta/resources.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kLostKindInterval = absl::Seconds(30);

// Whether the API server has said that it does not serve the kind.
template <class T>
bool IsLost(const kube::Informer<T>& informer) {
  return informer.trouble().has_value() && absl::IsNotFound(informer.trouble()->error);
}

}  // namespace

template <class Visit>
void ClusterView::VisitInformers(Visit visit) const {
  // Pods that run keep what they were told; those that are to come would be replaced again.
  const std::string ns(render::kCalicoNamespace);
  const bool is_installed =
      owned_.Get(api::kDaemonSets, {ns, std::string(render::kNode)}) != nullptr;
  const auto has_copy = [&](std::string_view name) {
    return owned_.Get(api::kConfigMaps, {ns, std::string(name)}) != nullptr;
  };
  visit(installations_, true);
  visit(others_, is_installed);
  visit(statuses_, false);
  visit(nodes_, false);
  visit(endpoint_, !is_installed);
  visit(bgp_layout_, has_copy(render::kBgpLayout));
  visit(bird_templates_, has_copy(render::kBirdTemplates));
  visit(pods_, false);
  visit(replica_sets_, false);
  visit(revisions_, false);
  if (watches_api_server_namespace_) {
    visit(api_server_pods_, false);
    visit(api_server_replica_sets_, false);
  }
  secrets_.VisitInformers([&](const auto& informer) { visit(informer, true); });
}

// Images stay as they are until it is known whether the set is still wanted.
bool ClusterView::UsesImageSet() const {
  const std::shared_ptr<const InstallationRecord> record = Installation();
  return record != nullptr && !codec::TextAt(record->status, "imageSet").empty();
}

bool ClusterView::UsesPullSecrets() const {
  const std::shared_ptr<const InstallationRecord> record = Installation();
  const std::shared_ptr<const OtherInstallation> overlay = Overlay();
  if (overlay != nullptr && codec::FindArray(overlay->spec, "imagePullSecrets") != nullptr) {
    return true;
  }
  return record != nullptr && record->installation.ok() &&
         !record->installation->image_pull_secrets.empty();
}

// The rights to Secrets are given only where they are used, and go with the namespace.
bool ClusterView::IsMissed(const api::Resource& owned) const {
  return owned != api::kSecrets || UsesPullSecrets();
}

std::vector<CacheState> ClusterView::CacheStates() const {
  std::vector<CacheState> states;
  VisitInformers([&](const auto& informer, bool is_vital) {
    states.push_back({.resource = &informer.resource(),
                      .has_synced = informer.HasSynced(),
                      .trouble = informer.trouble(),
                      .started = informer.started_at(),
                      .is_vital = is_vital});
  });
  for (const auto& others : other_caches_) {
    for (CacheState& state : others()) {
      if (*state.resource == api::kImageSets) state.is_vital = UsesImageSet();
      states.push_back(std::move(state));
    }
  }
  const auto first_owned = static_cast<std::ptrdiff_t>(states.size());
  owned_.ForEachUnsynced([&](const api::Resource& resource, absl::Time since) {
    if (!IsMissed(resource)) return;
    states.push_back(
        {.resource = &resource, .started = since, .is_of_copies = resource == api::kSecrets});
  });
  for (const kube::CacheTrouble& trouble : owned_.Troubles()) {
    if (!IsMissed(*trouble.resource)) continue;
    const auto unsynced =
        std::find_if(states.begin() + first_owned, states.end(), [&](const CacheState& state) {
          return state.resource == trouble.resource && !state.has_synced &&
                 !state.trouble.has_value();
        });
    if (unsynced == states.end()) {
      states.push_back({.resource = trouble.resource,
                        .has_synced = true,
                        .trouble = trouble,
                        .is_of_copies = *trouble.resource == api::kSecrets});
    } else {
      unsynced->trouble = trouble;
    }
  }
  return states;
}

CacheHealth ClusterView::Health(std::vector<CacheState> more) const {
  std::vector<CacheState> states = CacheStates();
  std::move(more.begin(), more.end(), std::back_inserter(states));
  // What is watched on demand has its own patience, and is told of only when it is refused.
  if (requests_ != nullptr && requests_->informer.trouble().has_value()) {
    states.push_back({.resource = &api::kCertificateSigningRequests,
                      .has_synced = true,
                      .trouble = requests_->informer.trouble()});
  }
  CacheHealth health = JudgeCaches(states, clock_.SteadyNow());
  if (!definitions_refusal_.ok()) {
    health.lines.push_back(fmt::format(
        "{}: apply the operator.yaml of this version, or run the operator with --manage-crds=false",
        std::string(definitions_refusal_.message())));
  }
  return health;
}

void ClusterView::SetDefinitionsRefusal(absl::Status refusal) {
  if (refusal == definitions_refusal_) return;
  definitions_refusal_ = std::move(refusal);
  HealthChanged();
}

void ClusterView::HealthChanged() {
  health_changed_.Notify();
  if (HasLostKind()) kind_lost_.Notify();
  Changed(Urgency::kNow);
}

bool ClusterView::ServesInstallations() const { return !IsLost(installations_); }

bool ClusterView::HasLostKind() const { return IsLost(installations_) || IsLost(statuses_); }

// Told once when it is noticed; the definitions may go again before the lists have come back.
aio::Task<absl::Status> ClusterView::WaitForLostKind() {
  absl::Status lost = co_await kind_lost_.Wait(kLostKindInterval);
  while (absl::IsDeadlineExceeded(lost) && !HasLostKind()) {
    lost = co_await kind_lost_.Wait(kLostKindInterval);
  }
  co_return absl::IsDeadlineExceeded(lost) ? absl::OkStatus() : lost;
}

aio::Task<absl::Status> ClusterView::WaitForSync(absl::Duration timeout) {
  const absl::Time end = clock_.SteadyNow() + timeout;
  while (true) {
    const absl::Time now = clock_.SteadyNow();
    const CacheHealth health = JudgeCaches(CacheStates(), now);
    if (started_ <= now && health.settled) co_return absl::OkStatus();
    if (now >= end) co_return absl::DeadlineExceededError("not everything has been listed yet");
    const absl::Status changed =
        co_await health_changed_.Wait(std::min(end - now, health.recheck_after));
    if (absl::IsCancelled(changed)) co_return changed;
  }
}

bool ClusterView::RequestsAreOutOfReach() const {
  const auto& informer = requests_->informer;
  if (informer.HasSynced() || !informer.trouble().has_value()) return false;
  const CacheState state{.resource = &informer.resource(), .trouble = informer.trouble()};
  return !JudgeCaches({state}, clock_.SteadyNow()).lines.empty();
}

}  // namespace calico::installation
