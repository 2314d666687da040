#include "operator/controllers/status/conditions.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>

#include "operator/controllers/status/text.h"
#include "pkg/api/operator/tigera_status.h"

namespace calico::status {
namespace {

// The schema of Installation.status takes 32768 characters, and people read the first lines.
constexpr size_t kMostMessageBytes = 8 * 1024;
constexpr std::string_view kAllAvailable = "All objects available";

api::Condition Make(std::string_view type, bool is_true, std::string_view reason,
                    std::string message, std::int64_t generation) {
  return {.type = std::string(type),
          .status = std::string(is_true ? api::kConditionTrue : api::kConditionFalse),
          .reason = std::string(reason),
          .message = CutText(std::move(message), kMostMessageBytes),
          .observed_generation = generation};
}

void Append(std::vector<std::string> lines, std::vector<std::string>& all) {
  std::move(lines.begin(), lines.end(), std::back_inserter(all));
}

// Everything there is to tell, causes before their effects.
struct Lines {
  std::vector<std::string> progressing;
  std::vector<std::string> certificates_failing;
  std::vector<std::string> failing;  // the above among them
  std::vector<std::string> notes;
  absl::Time recheck_at = absl::InfiniteFuture();
};

Lines Look(const Facts& facts) {
  Lines lines;
  if (!facts.has_workloads) return lines;
  Report certificates = JudgeCertificates(facts.waiting_pods, facts.roots, facts.now);
  lines.certificates_failing = certificates.failing;
  const NodeIndex nodes(facts.nodes);
  // Pods fail because they get no certificate, so that comes first; a rollout that goes on is
  // what the user looks for, so that comes before the requests it waits for.
  const auto add = [&lines](Report report) {
    Append(std::move(report.failing), lines.failing);
    Append(std::move(report.notes), lines.notes);
    Append(std::move(report.progressing), lines.progressing);
    lines.recheck_at = std::min(lines.recheck_at, report.recheck_at);
  };
  std::vector<std::string> requests_progress = std::exchange(certificates.progressing, {});
  add(std::move(certificates));
  for (const Workload& workload : facts.workloads) {
    add(JudgeWorkload(workload, nodes, facts.now));
  }
  Append(std::move(requests_progress), lines.progressing);
  return lines;
}

std::string Join(std::vector<std::string> lines, const std::vector<std::string>& notes) {
  Append(notes, lines);
  return absl::StrJoin(lines, "\n");
}

Decision Available(const Facts& facts, const std::vector<std::string>& notes) {
  std::vector<std::string> parts = {std::string(kAllAvailable)};
  if (!facts.versions.empty()) parts.push_back(facts.versions);
  Append(notes, parts);
  const std::string message = absl::StrJoin(parts, "; ");
  Decision decision;
  for (const std::string_view type : {api::kDegraded, api::kProgressing, api::kAvailable}) {
    decision.conditions.push_back(Make(type, type == api::kAvailable,
                                       api::kReasonAllObjectsAvailable, message, facts.generation));
  }
  return decision;
}

}  // namespace

bool Decision::is_available() const {
  const api::Condition* const available = api::FindCondition(conditions, api::kAvailable);
  return available != nullptr && available->IsTrue();
}

Decision Decide(const Facts& facts) {
  Lines lines = Look(facts);
  lines.progressing.insert(lines.progressing.begin(), facts.waits.begin(), facts.waits.end());
  const bool failing = facts.obstacle.has_value() || !lines.failing.empty();
  const bool progressing = !lines.progressing.empty() && lines.failing.empty();
  std::vector<std::string> notes = facts.notes;
  Append(std::move(lines.notes), notes);
  Decision decision;
  if (facts.has_workloads && !failing && !progressing) {
    decision = Available(facts, notes);
    decision.recheck_at = lines.recheck_at;
    return decision;
  }
  std::string reason(api::kReasonUnknown);
  std::vector<std::string> degraded;
  if (!facts.change.empty()) {
    if (progressing) lines.progressing.insert(lines.progressing.begin(), facts.change);
    if (failing) notes.insert(notes.begin(), facts.change);
  }
  if (failing) {
    reason =
        lines.certificates_failing.empty() ? api::kReasonPodFailure : api::kReasonCertificateError;
    if (facts.obstacle.has_value()) {
      reason = facts.obstacle->reason;
      degraded.push_back(facts.obstacle->message);
    }
    Append(std::move(lines.failing), degraded);
  }
  decision.conditions.push_back(Make(api::kDegraded, failing, reason,
                                     failing ? Join(std::move(degraded), notes) : "",
                                     facts.generation));
  decision.conditions.push_back(
      Make(api::kProgressing, progressing,
           progressing ? api::kReasonResourceNotReady : api::kReasonUnknown,
           progressing ? Join(std::move(lines.progressing), notes) : "", facts.generation));
  decision.conditions.push_back(
      Make(api::kAvailable, false, api::kReasonUnknown, "", facts.generation));
  decision.recheck_at = lines.recheck_at;
  return decision;
}

std::vector<api::Condition> WithTransitionTimes(const std::vector<api::Condition>& current,
                                                std::vector<api::Condition> decided,
                                                absl::Time now) {
  for (api::Condition& condition : decided) {
    const api::Condition* const before = api::FindCondition(current, condition.type);
    const bool same = before != nullptr && before->status == condition.status &&
                      before->last_transition_time.has_value();
    // The API keeps whole seconds.
    condition.last_transition_time =
        same ? *before->last_transition_time : absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  }
  return decided;
}

}  // namespace calico::status
