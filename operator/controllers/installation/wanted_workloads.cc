#include "operator/controllers/installation/wanted_workloads.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/controllers/status/pod_record.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "pkg/api/meta/resources.h"

namespace calico::installation {
namespace {

bool IsRolledOut(const status::Workload& workload) {
  const std::string& revision = workload.pods.newest_revision;
  if (revision.empty()) return false;
  bool has_seen_all = false;
  if (const auto& set = workload.daemon_set) {
    has_seen_all = set->observed_generation >= set->meta.generation &&
                   set->updated_number_scheduled == set->desired_number_scheduled;
  } else if (const auto& deployment = workload.deployment) {
    has_seen_all = deployment->observed_generation >= deployment->meta.generation &&
                   deployment->updated_replicas == deployment->replicas;
  }
  const auto is_new = [&](const status::PodOrigin& origin) {
    return workload.daemon_set != nullptr ? origin.controller_revision_hash == revision
                                          : origin.pod_template_hash == revision;
  };
  return has_seen_all &&
         std::all_of(workload.pods.pods.begin(), workload.pods.pods.end(),
                     [&](const auto& pod) { return is_new(status::OriginOf(*pod)); }) &&
         std::all_of(workload.pods.quiet.begin(), workload.pods.quiet.end(),
                     [&](const auto& pod) { return is_new(*pod->origin); });
}

}  // namespace

// A workload as the cache has it, but never as finished with what it has not seen yet.
template <class T>
std::shared_ptr<const T> WantedWorkloads::UpToDate(const api::Resource& resource,
                                                   std::shared_ptr<const T> cached) const {
  if (cached == nullptr) return nullptr;
  const auto unseen = applier_.UnseenGeneration(resource, cached->meta.Key());
  if (!unseen.has_value()) return cached;
  if (cached->meta.uid != unseen->uid) return nullptr;  // was made anew
  auto copy = std::make_shared<T>(*cached);
  copy->meta.generation = unseen->generation;
  return copy;
}

std::shared_ptr<const api::DaemonSet> WantedWorkloads::DaemonSet(std::string_view name) const {
  return UpToDate(api::kDaemonSets, view_.FindDaemonSet(name));
}

std::vector<status::Workload> WantedWorkloads::Look() const {
  std::vector<status::Workload> workloads;
  for (const Wanted& wanted : wanted_) {
    status::Workload workload{.kind = wanted.kind,
                              .name = fmt::format("{}/{}", wanted.ns, wanted.name),
                              .wanted_replicas = wanted.replicas};
    if (wanted.kind == status::kDaemonSet) {
      workload.daemon_set = DaemonSet(wanted.name);
      workload.pods = view_.PodsOfDaemonSet(wanted.name);
    } else {
      workload.deployment =
          UpToDate(api::kDeployments, view_.FindDeployment(wanted.name, wanted.ns));
      workload.pods = view_.PodsOfDeployment(wanted.name, wanted.ns);
    }
    workloads.push_back(std::move(workload));
  }
  return workloads;
}

void WantedWorkloads::Remember(const std::vector<json::object>& objects) {
  wanted_.clear();
  for (const json::object& object : objects) {
    const std::string_view kind = render::KindOf(object);
    const json::object* const metadata = codec::FindObject(object, "metadata");
    if (metadata == nullptr) continue;
    Wanted wanted{.name = std::string(codec::TextAt(*metadata, "name")),
                  .ns = std::string(codec::TextAt(*metadata, "namespace"))};
    if (kind == api::kDaemonSets.kind) {
      wanted.kind = status::kDaemonSet;
      const auto first_deployment =
          std::find_if(wanted_.begin(), wanted_.end(),
                       [](const Wanted& one) { return one.kind == status::kDeployment; });
      wanted_.insert(first_deployment, std::move(wanted));
    } else if (kind == api::kDeployments.kind) {
      wanted.kind = status::kDeployment;
      const json::object* const spec = codec::FindObject(object, "spec");
      const json::value* const replicas = spec == nullptr ? nullptr : spec->if_contains("replicas");
      if (replicas != nullptr && replicas->is_int64()) {
        wanted.replicas = static_cast<int>(replicas->get_int64());
      }
      wanted_.push_back(std::move(wanted));
    }
  }
}

bool WantedWorkloads::AreRolledOut() const {
  if (!view_.KnowsWorkloads()) return false;
  const std::vector<status::Workload> workloads = Look();
  return std::all_of(workloads.begin(), workloads.end(), IsRolledOut);
}

}  // namespace calico::installation
