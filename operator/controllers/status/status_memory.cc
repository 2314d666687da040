#include "operator/controllers/status/status_memory.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "pkg/api/operator/tigera_status.h"

namespace calico::status {
namespace {

std::vector<std::int64_t> NumbersOf(const api::DaemonSet* set, const NodeList& nodes) {
  if (set == nullptr) return {-1};
  const auto needing = std::count_if(nodes.begin(), nodes.end(),
                                     [](const auto& node) { return node->needs_agent(); });
  return {set->meta.generation,
          set->observed_generation,
          set->desired_number_scheduled,
          set->current_number_scheduled,
          set->updated_number_scheduled,
          set->number_available,
          set->number_ready,
          needing};
}

std::vector<std::int64_t> NumbersOf(const api::Deployment* deployment, std::optional<int> wanted) {
  if (deployment == nullptr) return {-1};
  return {deployment->meta.generation,    deployment->observed_generation,
          deployment->spec_replicas,      deployment->replicas,
          deployment->updated_replicas,   deployment->ready_replicas,
          deployment->available_replicas, wanted.value_or(-1)};
}

std::vector<std::int64_t> NumbersOf(const Workload& workload, const NodeList& nodes) {
  return workload.kind == kDaemonSet
             ? NumbersOf(workload.daemon_set.get(), nodes)
             : NumbersOf(workload.deployment.get(), workload.wanted_replicas);
}

}  // namespace

absl::Duration StatusMemory::StillFor(Rollout& rollout, Numbers numbers, bool stood_still,
                                      absl::Time steady_now) {
  const bool is_first = rollout.numbers.empty();
  if (rollout.numbers != numbers) {
    rollout.numbers = std::move(numbers);
    rollout.moved_at = is_first && stood_still ? steady_now - kDeadline : steady_now;
  }
  return steady_now - rollout.moved_at;
}

void StatusMemory::RecallWaiting(std::vector<WaitingPod>& pods) {
  absl::flat_hash_map<std::string, Waiting> kept;
  for (WaitingPod& pod : pods) {
    const RequestFacts* const request = pod.OwnRequest();
    const auto before = waiting_.find(pod.pod->meta.uid);
    Waiting entry = before == waiting_.end() ? Waiting() : std::move(before->second);
    if (request != nullptr && request->state == RequestFacts::State::kIssued) {
      entry.refused.reset();
    } else if (std::optional<Refusal> refused = FindRefusal(pod); refused.has_value()) {
      // The words of a verdict stay as they were seen on the request itself: the init container
      // tells the same in others.
      const bool is_on_request =
          request != nullptr && (request->state == RequestFacts::State::kDenied ||
                                 request->state == RequestFacts::State::kFailed);
      if (is_on_request || !entry.refused.has_value() || !refused->is_verdict) {
        entry.refused = std::move(refused);
      }
    }
    entry.since = std::min(entry.since, WaitsSince(pod));
    pod.refused = entry.refused;
    pod.waits_since = entry.since;
    kept.emplace(pod.pod->meta.uid, std::move(entry));
  }
  waiting_ = std::move(kept);
}

void StatusMemory::Recall(const std::vector<api::Condition>& told, absl::Time steady_now,
                          Facts& facts) {
  const api::Condition* const degraded = api::FindCondition(told, api::kDegraded);
  const std::string message =
      degraded != nullptr && degraded->IsTrue() ? degraded->message : std::string();
  absl::flat_hash_map<std::string, Rollout> kept;
  for (Workload& workload : facts.workloads) {
    const std::string id = absl::StrCat(std::string(workload.kind), " ", workload.name);
    Rollout& rollout = kept[id] = std::move(rollouts_[id]);
    workload.moved_at =
        facts.now - StillFor(rollout, NumbersOf(workload, facts.nodes),
                             TellsStandstill(message, workload.kind, workload.name), steady_now);
  }
  rollouts_ = std::move(kept);
  RecallWaiting(facts.waiting_pods);
}

}  // namespace calico::status
