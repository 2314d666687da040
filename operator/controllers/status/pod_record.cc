#include "operator/controllers/status/pod_record.h"

#include <algorithm>
#include <utility>

#include "operator/controllers/status/container_state.h"
#include "pkg/base/memory/short_lived.h"
#include "pkg/base/status_macros.h"

namespace calico::status {
namespace {

bool IsTrue(const api::Pod& pod, std::string_view type) {
  const api::Condition* const condition = api::FindCondition(pod.conditions, type);
  return condition != nullptr && condition->IsTrue();
}

bool HasDoneItsPart(const api::ContainerStatus& init) {
  return init.terminated.has_value() && init.terminated->exit_code == 0;
}

bool RunsQuietly(const api::ContainerStatus& container, absl::Time now) {
  if (!container.ready || container.waiting.has_value() || container.terminated.has_value()) {
    return false;
  }
  // An end long ago does not count any more, and will not again.
  return JudgeEnds(container, ContainerKind::kMain, now).verdict == Ends::Verdict::kNone;
}

}  // namespace

PodOrigin OriginOf(const api::Pod& pod) {
  PodOrigin origin{
      .app = std::string(pod.meta.Label(api::kK8sAppLabel)),
      .controller_revision_hash = std::string(pod.meta.Label(api::kControllerRevisionHashLabel)),
      .pod_template_hash = std::string(pod.meta.Label(api::kPodTemplateHashLabel))};
  if (const api::OwnerReference* const owner = pod.meta.Controller()) {
    origin.owner_kind = owner->kind;
    origin.owner_name = owner->name;
    origin.owner_uid = owner->uid;
  }
  return origin;
}

bool IsQuiet(const api::Pod& pod, absl::Time now) {
  if (pod.deleting() || pod.phase != "Running" || pod.node_name.empty()) return false;
  if (!IsTrue(pod, "Ready") || !IsTrue(pod, "ContainersReady")) return false;
  return !pod.containers.empty() &&
         std::all_of(pod.init_containers.begin(), pod.init_containers.end(), &HasDoneItsPart) &&
         std::all_of(pod.containers.begin(), pod.containers.end(),
                     [now](const auto& container) { return RunsQuietly(container, now); });
}

absl::StatusOr<std::optional<PodRecord>> PodRecordDecoder::Decode(const json::object& object) {
  std::shared_ptr<const api::Pod> pod;
  {
    const base::ShortLivedScope scope;
    CALICO_ASSIGN_OR_RETURN(api::Pod decoded, api::Pod::Decode(object));
    pod = std::make_shared<const api::Pod>(std::move(decoded));
  }
  PodRecord record{.origin = Share(OriginOf(*pod))};
  if (IsQuiet(*pod, clock_.Now())) {
    record.node_name = pod->node_name;
  } else {
    record.pod = std::move(pod);
  }
  return std::optional<PodRecord>(std::move(record));
}

std::shared_ptr<const PodOrigin> PodRecordDecoder::Share(PodOrigin origin) {
  std::erase_if(origins_, [](const auto& known) { return known.expired(); });
  for (const std::weak_ptr<const PodOrigin>& known : origins_) {
    std::shared_ptr<const PodOrigin> same = known.lock();
    if (same != nullptr && *same == origin) return same;
  }
  auto made = std::make_shared<const PodOrigin>(std::move(origin));
  origins_.push_back(made);
  return made;
}

}  // namespace calico::status
