#include "operator/controllers/status/apply_outcome.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/render/names.h"
#include "pkg/api/operator/tigera_status.h"

namespace calico::status {
namespace {

// Pods that end take that long, and so does the namespace that they are in.
constexpr absl::Duration kEndingPatience = absl::Seconds(30);
constexpr size_t kMostErrors = 3;
// The watch that shows what has changed is faster.
constexpr absl::Duration kSupersededInterval = absl::Seconds(1);

std::string Describe(const std::vector<absl::Status>& errors) {
  std::set<std::string> messages;
  for (const absl::Status& error : errors) messages.insert(std::string(error.message()));
  std::vector<std::string> first(messages.begin(), messages.end());
  if (first.size() > kMostErrors) {
    const size_t more = first.size() - kMostErrors;
    first.resize(kMostErrors);
    first.push_back(fmt::format("and {} more", more));
  }
  return absl::StrJoin(first, "; ");
}

// The right to write copies of pull secrets is bound in calico-system, and goes with that namespace
// when the Installation is deleted.
std::string NextStepOf(const kube::ApplyReport& report, bool copies_pull_secrets,
                       std::string_view ns) {
  std::string next_step = NextStep(report.errors);
  if (next_step.empty() || report.stopped_at != kube::Wave::kSecrets || !copies_pull_secrets) {
    return next_step;
  }
  if (ns != render::kCalicoNamespace) {
    return fmt::format(
        ": run `kubectl create rolebinding tigera-operator-secrets --namespace={} "
        "--clusterrole=tigera-operator-secrets --serviceaccount=tigera-operator:tigera-operator`, "
        "which gives the operator the right to the Secrets of that namespace",
        ns);
  }
  return fmt::format(
      ": run `kubectl apply --server-side -f image-pull-secrets.yaml`, which gives the operator "
      "the right to the Secrets of namespace {} again",
      render::kCalicoNamespace);
}

void Stop(std::string message, ApplyOutcome& outcome) {
  if (outcome.obstacle.has_value()) return;
  outcome.obstacle = Obstacle{std::string(api::kReasonResourceUpdateError), std::move(message)};
}

// What goes in a moment is waited for; what does not needs somebody.
void TellEndings(const std::vector<kube::Ending>& endings, absl::Time now, ApplyOutcome& outcome) {
  std::vector<std::string> stuck;
  for (const kube::Ending& ending : endings) {
    const absl::Time late = ending.since + kEndingPatience;
    if (now < late) {
      outcome.waits.push_back(ending.message);
      outcome.again_at = std::min(outcome.again_at, late);
    } else {
      stuck.push_back(ending.message);
    }
  }
  if (!stuck.empty()) Stop(absl::StrJoin(stuck, "\n"), outcome);
}

}  // namespace

std::string NextStep(const std::vector<absl::Status>& errors) {
  if (std::none_of(errors.begin(), errors.end(), absl::IsPermissionDenied)) return "";
  return ": if the operator lacks a right, apply the operator.yaml of this version";
}

ApplyOutcome OutcomeOf(const kube::ApplyReport& report, absl::Time now, bool copies_pull_secrets,
                       std::string_view ns) {
  ApplyOutcome outcome{.notes = report.notes};
  if (report.recheck_after != absl::InfiniteDuration()) {
    outcome.again_at = now + report.recheck_after;
  }
  TellEndings(report.endings, now, outcome);
  if (!report.ok()) {
    outcome.error = report.errors.front();
    std::vector<std::string> messages = report.contested;
    messages.push_back(Describe(report.errors) + NextStepOf(report, copies_pull_secrets, ns));
    Stop(absl::StrJoin(messages, "\n"), outcome);
    return outcome;
  }
  if (!report.contested.empty()) Stop(absl::StrJoin(report.contested, "\n"), outcome);
  outcome.is_superseded = !report.superseded.empty();
  for (const std::string& name : report.superseded) {
    outcome.waits.push_back(
        fmt::format("{} is being changed by somebody else, and is looked at again", name));
    outcome.again_at = std::min(outcome.again_at, now + kSupersededInterval);
  }
  outcome.is_applied = !report.namespace_ending && !outcome.is_superseded;
  return outcome;
}

}  // namespace calico::status
