#include "operator/controllers/status/workload_health.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/controllers/status/pod_trouble.h"
#include "operator/controllers/status/text.h"

namespace calico::status {
namespace {

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

std::string DaemonSetLine(const api::DaemonSet& set) {
  if (set.updated_number_scheduled < set.desired_number_scheduled) {
    return fmt::format("update is rolling out ({} out of {} updated)", set.updated_number_scheduled,
                       set.desired_number_scheduled);
  }
  if (set.number_unavailable > 0) {
    return fmt::format("is not available (awaiting {} nodes)", set.number_unavailable);
  }
  if (set.number_available == 0 && set.desired_number_scheduled != 0) {
    return "is not yet scheduled on any nodes";
  }
  if (set.meta.generation > set.observed_generation) {
    return fmt::format("update is being processed (generation {}, observed generation {})",
                       set.meta.generation, set.observed_generation);
  }
  return {};
}

std::string DeploymentLine(const api::Deployment& deployment) {
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
  std::move(more.failing.begin(), more.failing.end(), std::back_inserter(report.failing));
  report.RecheckAt(more.recheck_at);
}

}  // namespace

Report JudgePods(const WorkloadPods& pods, absl::Time now) {
  Report report;
  std::vector<Found> all;
  for (const std::shared_ptr<const api::Pod>& pod : pods.pods) {
    if (pod->deleting()) continue;
    PodJudgement judgement = JudgePod(*pod, now);
    report.RecheckAt(judgement.recheck_at);
    if (!judgement.trouble.has_value()) continue;
    all.push_back(
        {*std::move(judgement.trouble), pod->meta.name, IsOld(*pod, pods.newest_revision)});
  }
  std::vector<Found> groups = Group(std::move(all));
  if (groups.size() > kMostTroubles) groups.resize(kMostTroubles);
  for (const Found& found : groups) {
    std::string line = found.trouble.text;
    if (found.count > 1) line += fmt::format(" ({} pods affected)", found.count);
    if (found.is_old) line += " (old revision)";
    (found.trouble.is_failure() ? report.failing : report.progressing).push_back(std::move(line));
  }
  return report;
}

Report JudgeDaemonSet(const std::string& name, const api::DaemonSet* daemon_set,
                      const WorkloadPods& pods, absl::Time now) {
  Report report;
  const std::string what = fmt::format("DaemonSet \"{}\"", name);
  if (daemon_set == nullptr) {
    report.progressing.push_back(what + " is being created");
    return report;
  }
  const api::DaemonSet& set = *daemon_set;
  if (const std::string line = DaemonSetLine(set); !line.empty()) {
    report.progressing.push_back(fmt::format("{} {}", what, line));
  }
  const bool settled = set.observed_generation >= set.meta.generation &&
                       set.number_misscheduled == 0 && set.number_unavailable == 0 &&
                       set.desired_number_scheduled == set.number_available &&
                       set.desired_number_scheduled == set.number_ready;
  if (!settled || !report.progressing.empty()) Append(JudgePods(pods, now), report);
  return report;
}

Report JudgeDeployment(const std::string& name, const api::Deployment* deployment,
                       const WorkloadPods& pods, absl::Time now) {
  Report report;
  const std::string what = fmt::format("Deployment \"{}\"", name);
  if (deployment == nullptr) {
    report.progressing.push_back(what + " is being created");
    return report;
  }
  if (const std::string line = DeploymentLine(*deployment); !line.empty()) {
    report.progressing.push_back(fmt::format("{} {}", what, line));
  }
  AddDeploymentFailures(what, *deployment, report);
  const bool settled = deployment->observed_generation >= deployment->meta.generation &&
                       deployment->unavailable_replicas == 0 &&
                       deployment->spec_replicas == deployment->available_replicas &&
                       deployment->spec_replicas == deployment->ready_replicas;
  if (!settled || !report.progressing.empty()) Append(JudgePods(pods, now), report);
  return report;
}

}  // namespace calico::status
