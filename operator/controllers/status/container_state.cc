#include "operator/controllers/status/container_state.h"

#include <algorithm>
#include <optional>

namespace calico::status {
namespace {

using Verdict = Ends::Verdict;

constexpr absl::Duration kLongRun = absl::Minutes(10);
constexpr absl::Duration kShortestTrust = absl::Minutes(1);
constexpr absl::Duration kTrustMargin = absl::Seconds(30);

std::optional<absl::Duration> RunOf(const api::ContainerTerminated& ended) {
  if (!ended.started_at.has_value() || !ended.finished_at.has_value()) return std::nullopt;
  return *ended.finished_at - *ended.started_at;
}

// How long it must run to be believed.
absl::Duration TrustAfter(const api::ContainerTerminated& ended) {
  const absl::Duration run = RunOf(ended).value_or(kShortestTrust);
  return std::clamp(run + kTrustMargin, kShortestTrust, kLongRun);
}

}  // namespace

Ends JudgeEnds(const api::ContainerStatus& container, ContainerKind kind, absl::Time now) {
  const auto counts = [kind](const api::ContainerTerminated& ended) {
    return kind == ContainerKind::kMain || ended.exit_code != 0;
  };
  Ends ends;
  std::int32_t number = container.restart_count;
  if (container.terminated.has_value()) {
    if (!counts(*container.terminated)) return ends;
    ends.last = &*container.terminated;
    ++number;
  } else if (container.last_terminated.has_value() && counts(*container.last_terminated)) {
    // One that waits for something else than its turn is being set up anew, with its pod.
    if (container.waiting.has_value() && container.waiting->reason != kCrashLoopBackOff)
      return ends;
    ends.last = &*container.last_terminated;
    if (container.waiting.has_value()) ++number;
  }
  if (ends.last == nullptr) return ends;
  if (container.running_since.has_value()) {
    const absl::Time over_at = *container.running_since + TrustAfter(*ends.last);
    if (now >= over_at) return {};
    ends.over_at = over_at;
  }
  const bool is_first = number < 2 || RunOf(*ends.last).value_or(absl::ZeroDuration()) >= kLongRun;
  ends.verdict = is_first ? Verdict::kOnce : Verdict::kLoop;
  return ends;
}

}  // namespace calico::status
