#include "operator/controllers/status/workload_health.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "operator/controllers/status/age.h"
#include "operator/controllers/status/agent_coverage.h"
#include "operator/controllers/status/pod_trouble.h"
#include "operator/controllers/status/text.h"

namespace calico::status {
namespace {

std::string What(std::string_view kind, const std::string& name) {
  return fmt::format("{} \"{}\"", kind, name);
}

struct Found {
  PodTrouble trouble;
  std::string pod;
  bool is_old = false;
  int count = 1;
};

bool IsOld(const api::Pod& pod, const std::string& newest_revision) {
  if (newest_revision.empty()) return false;
  for (const std::string_view label :
       {api::kControllerRevisionHashLabel, api::kPodTemplateHashLabel}) {
    const std::string_view revision = pod.meta.Label(label);
    if (!revision.empty()) return revision != newest_revision;
  }
  return false;
}

// One entry for each kind of trouble, pods of the newest revision first.
std::vector<Found> Group(std::vector<Found> all) {
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return std::tuple(a.is_old, a.trouble.Key(), a.pod) <
           std::tuple(b.is_old, b.trouble.Key(), b.pod);
  });
  std::vector<Found> groups;
  for (Found& found : all) {
    if (!groups.empty() && groups.back().is_old == found.is_old &&
        groups.back().trouble.Key() == found.trouble.Key()) {
      ++groups.back().count;
    } else {
      groups.push_back(std::move(found));
    }
  }
  return groups;
}

// The numbers of a DaemonSet without the pods on virtual nodes.
struct AgentNumbers {
  int desired = 0;
  int updated = 0;
  int available = 0;
  int unavailable = 0;
  int ready = 0;
};

AgentNumbers NumbersOf(const api::DaemonSet& set, const VirtualPods& on_virtual) {
  const auto without = [](int number, int virtual_ones) {
    return std::max(0, number - virtual_ones);
  };
  const int idle = on_virtual.all - on_virtual.ready;
  return {.desired = without(set.desired_number_scheduled, on_virtual.all),
          .updated = without(set.updated_number_scheduled, on_virtual.updated),
          .available = without(set.number_available, on_virtual.ready),
          .unavailable = without(set.number_unavailable, idle),
          .ready = without(set.number_ready, on_virtual.ready)};
}

std::string DaemonSetLine(const api::DaemonSet& set, const AgentNumbers& numbers) {
  if (numbers.updated < numbers.desired) {
    return fmt::format("update is rolling out ({} out of {} updated)", numbers.updated,
                       numbers.desired);
  }
  if (numbers.unavailable > 0) {
    return fmt::format("is not available (awaiting {} nodes)", numbers.unavailable);
  }
  if (numbers.available == 0 && numbers.desired != 0) {
    return "is not yet scheduled on any nodes";
  }
  if (set.meta.generation > set.observed_generation) {
    return fmt::format("update is being processed (generation {}, observed generation {})",
                       set.meta.generation, set.observed_generation);
  }
  return {};
}

// Pods that the DaemonSet controller could not make: only Events know why.
std::string MissingPods(const std::string& name, const api::DaemonSet& set) {
  const int missing = set.desired_number_scheduled - set.current_number_scheduled;
  if (missing <= 0) return {};
  const std::pair<std::string, std::string> key = absl::StrSplit(name, '/');
  return fmt::format(
      "; {} of its pods are not made, for which `kubectl -n {} describe daemonset {}` has the "
      "reason",
      missing, key.first, key.second);
}

std::string DeploymentLine(const api::Deployment& deployment, std::optional<int> wanted) {
  if (wanted.has_value() && deployment.spec_replicas != *wanted) {
    return fmt::format("is asked for {} replicas and should be for {}", deployment.spec_replicas,
                       *wanted);
  }
  if (deployment.unavailable_replicas > 0) {
    return fmt::format("is not available (awaiting {} replicas)", deployment.unavailable_replicas);
  }
  if (deployment.available_replicas == 0 && deployment.spec_replicas != 0) {
    return "is not yet scheduled on any nodes";
  }
  if (deployment.observed_generation < deployment.meta.generation) {
    return fmt::format("update is being processed (generation {}, observed generation {})",
                       deployment.meta.generation, deployment.observed_generation);
  }
  if (deployment.updated_replicas < deployment.spec_replicas) {
    return fmt::format("update is rolling out ({} out of {} updated)", deployment.updated_replicas,
                       deployment.spec_replicas);
  }
  if (deployment.replicas > deployment.updated_replicas) {
    return fmt::format("update is rolling out ({} old replicas to end)",
                       deployment.replicas - deployment.updated_replicas);
  }
  return {};
}

// Failures that only the Deployment itself tells about: quota, admission, no progress.
void AddDeploymentFailures(const std::string& what, const api::Deployment& deployment,
                           Report& report) {
  const api::Condition* const refused = api::FindCondition(deployment.conditions, "ReplicaFailure");
  if (refused != nullptr && refused->IsTrue()) {
    report.failing.push_back(
        fmt::format("{} cannot create pods: {}", what, OneLine(refused->message)));
  }
  const api::Condition* const progressing =
      api::FindCondition(deployment.conditions, "Progressing");
  if (progressing != nullptr && progressing->reason == "ProgressDeadlineExceeded") {
    report.failing.push_back(
        fmt::format("{} does not progress: {}", what, OneLine(progressing->message)));
  }
}

void Append(Report more, Report& report) {
  std::move(more.progressing.begin(), more.progressing.end(),
            std::back_inserter(report.progressing));
  // Why pods fail comes before how many do.
  report.failing.insert(report.failing.begin(), std::make_move_iterator(more.failing.begin()),
                        std::make_move_iterator(more.failing.end()));
  report.RecheckAt(more.recheck_at);
}

constexpr std::string_view kStandsStill = ", and nothing has moved for ";

// While a pod ends, its place is taken; a workload that waits for that does not stand still.
absl::Time PlacesFreeAt(const WorkloadPods& pods) {
  absl::Time at = absl::InfinitePast();
  for (const auto& pod : pods.pods) {
    if (pod->deleting()) at = std::max(at, *pod->meta.deletion_timestamp);
  }
  return at;
}

// `line` is progress until nothing has moved for kDeadline. `more` is told with the failure only.
void AddLine(const std::string& what, const std::string& line, const std::string& more,
             const WorkloadPods& pods, const WorkloadContext& context, Report& report) {
  const absl::Time moved_at = std::max(context.moved_at, PlacesFreeAt(pods));
  const absl::Duration still = context.now - moved_at;
  const std::string text = fmt::format("{} {}", what, line);
  if (still < kDeadline) {
    report.progressing.push_back(text);
    report.RecheckAt(moved_at + kDeadline);
    return;
  }
  report.failing.push_back(fmt::format("{}{}{}{}", text, kStandsStill, AgeText(still), more));
  report.RecheckAt(context.now + UntilNextAge(still));
}

// The first of them, and the number of the others.
void Tell(const std::vector<Found>& groups, Report& report) {
  int more = 0;
  bool more_fail = false;
  for (size_t i = 0; i < groups.size(); ++i) {
    const Found& found = groups[i];
    if (i >= kMostTroubles) {
      more += found.count;
      more_fail = more_fail || found.trouble.is_failure;
      continue;
    }
    std::string line = found.trouble.text;
    if (found.count > 1) line += fmt::format(" ({} pods affected)", found.count);
    if (found.is_old) line += " (old revision)";
    (found.trouble.is_failure ? report.failing : report.progressing).push_back(std::move(line));
  }
  if (more == 0) return;
  (more_fail ? report.failing : report.progressing)
      .push_back(fmt::format("and {} more {} for other reasons", more, more == 1 ? "pod" : "pods"));
}

using Judge = PodJudgement (*)(const api::Pod& pod, const PodContext& context);

Report JudgeEach(const WorkloadPods& pods, const NodeIndex& nodes, absl::Time now, Judge judge) {
  Report report;
  std::vector<Found> all;  // none is of a quiet pod
  const absl::Time places_free_at = PlacesFreeAt(pods);
  for (const std::shared_ptr<const api::Pod>& pod : pods.pods) {
    const NodeFacts* const node = nodes.Find(pod->TargetNode());
    if (node != nullptr && !node->virtual_kind.empty()) continue;
    PodJudgement judgement = judge(*pod, {.node = node,
                                          .provisioner = pods.provisioner,
                                          .places_free_at = places_free_at,
                                          .now = now});
    report.RecheckAt(judgement.recheck_at);
    if (!judgement.trouble.has_value()) continue;
    all.push_back(
        {*std::move(judgement.trouble), pod->meta.name, IsOld(*pod, pods.newest_revision)});
  }
  Tell(Group(std::move(all)), report);
  return report;
}

// A ReplicaSet makes pods anew and never deletes those that have ended.
WorkloadPods WithoutReplaced(const WorkloadPods& pods, int replicas) {
  WorkloadPods rest = pods;
  std::erase_if(rest.pods, [](const auto& pod) { return pod->finished(); });
  return static_cast<int>(rest.size()) >= replicas ? rest : pods;
}

// How many nodes that need a pod have one. The DaemonSet's number may be of other nodes, those that
// go and virtual ones, so where there are such the pods are looked at, if all of them are known.
int CoveredNodes(const api::DaemonSet& set, const AgentNumbers& numbers, const WorkloadPods& pods,
                 const NodeIndex& nodes) {
  const bool is_exact = nodes.virtual_nodes() == 0 && nodes.deleting_nodes() == 0;
  const bool knows_all = set.current_number_scheduled >= set.desired_number_scheduled &&
                         static_cast<int>(pods.size()) >= set.current_number_scheduled;
  if (is_exact || !knows_all) return numbers.desired;
  return std::min(numbers.desired, nodes.needing_agent() - CountNodesWithout(pods, nodes));
}

}  // namespace

Report JudgePods(const WorkloadPods& pods, const NodeIndex& nodes, absl::Time now) {
  return JudgeEach(pods, nodes, now, &JudgePod);
}

Report JudgeDaemonSet(const std::string& name, const api::DaemonSet* daemon_set,
                      const WorkloadPods& pods, const WorkloadContext& context) {
  Report report;
  const std::string what = What(kDaemonSet, name);
  if (daemon_set == nullptr) {
    AddLine(what, "is being created", "", pods, context, report);
    return report;
  }
  const api::DaemonSet& set = *daemon_set;
  VirtualPods on_virtual = CountVirtualPods(what, pods, context.nodes);
  if (!on_virtual.note.empty()) report.notes.push_back(std::move(on_virtual.note));
  const AgentNumbers numbers = NumbersOf(set, on_virtual);
  const int needed = context.nodes.needing_agent();
  const int covered = CoveredNodes(set, numbers, pods, context.nodes);
  if (covered < needed && set.observed_generation >= set.meta.generation) {
    const std::string why = WhyNotCovered(set, pods, context.nodes);
    AddLine(what,
            fmt::format("covers {} of {} Linux nodes{}{}", covered, needed, why.empty() ? "" : ": ",
                        why),
            "", pods, context, report);
  }
  if (const std::string line = DaemonSetLine(set, numbers); !line.empty()) {
    AddLine(what, line, MissingPods(name, set), pods, context, report);
  }
  const bool settled = report.healthy() && set.observed_generation >= set.meta.generation &&
                       set.number_misscheduled == 0 && numbers.unavailable == 0 &&
                       numbers.desired == numbers.available && numbers.desired == numbers.ready;
  Append(JudgeEach(pods, context.nodes, context.now, settled ? &JudgeCrashLoops : &JudgePod),
         report);
  return report;
}

Report JudgeDeployment(const std::string& name, const api::Deployment* deployment,
                       std::optional<int> wanted_replicas, const WorkloadPods& pods,
                       const WorkloadContext& context) {
  Report report;
  const std::string what = What(kDeployment, name);
  if (deployment == nullptr) {
    AddLine(what, "is being created", "", pods, context, report);
    return report;
  }
  if (const std::string line = DeploymentLine(*deployment, wanted_replicas); !line.empty()) {
    AddLine(what, line, "", pods, context, report);
  }
  AddDeploymentFailures(what, *deployment, report);
  const bool settled = report.healthy() &&
                       deployment->observed_generation >= deployment->meta.generation &&
                       deployment->unavailable_replicas == 0 &&
                       deployment->spec_replicas == deployment->available_replicas &&
                       deployment->spec_replicas == deployment->ready_replicas;
  Append(JudgeEach(WithoutReplaced(pods, deployment->spec_replicas), context.nodes, context.now,
                   settled ? &JudgeCrashLoops : &JudgePod),
         report);
  return report;
}

Report JudgeWorkload(const Workload& workload, const NodeIndex& nodes, absl::Time now) {
  const WorkloadContext context = {.nodes = nodes, .moved_at = workload.moved_at, .now = now};
  if (workload.kind == kDaemonSet) {
    return JudgeDaemonSet(workload.name, workload.daemon_set.get(), workload.pods, context);
  }
  return JudgeDeployment(workload.name, workload.deployment.get(), workload.wanted_replicas,
                         workload.pods, context);
}

bool TellsStandstill(std::string_view message, std::string_view kind, const std::string& name) {
  const std::string what = What(kind, name);
  for (size_t begin = 0; begin < message.size();) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string_view line = message.substr(begin, end - begin);
    if (line.starts_with(what) && line.find(kStandsStill) != line.npos) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace calico::status
