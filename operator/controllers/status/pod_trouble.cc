#include "operator/controllers/status/pod_trouble.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

#include "operator/controllers/status/container_state.h"
#include "operator/controllers/status/report.h"
#include "operator/controllers/status/text.h"
#include "operator/controllers/status/workload_health.h"

namespace calico::status {
namespace {

constexpr std::int32_t kKilled = 137;  // 128 + SIGKILL

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), text) != values.end();
}

bool IsImageProblem(std::string_view reason) {
  return IsOneOf(reason, {"ImagePullBackOff", "ErrImagePull", "InvalidImageName",
                          "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"});
}

bool IsConfigProblem(std::string_view reason) {
  return IsOneOf(reason, {"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
                          "PreCreateHookError", "PostStartHookError", "CreateSandboxError"});
}

std::string Colon(std::string_view text) {
  const std::string line = OneLine(text);
  return line.empty() ? line : ": " + line;
}

// " (Error, exit code 3): the termination message".
std::string Ending(const api::ContainerTerminated& ended) {
  std::string how;
  if (ended.reason == "Error" && ended.exit_code == kKilled) {
    how = fmt::format(" (exit code {}, possible liveness probe failure)", kKilled);
  } else if (!ended.reason.empty()) {
    how = fmt::format(" ({}, exit code {})", ended.reason, ended.exit_code);
  }
  return how + Colon(ended.message);
}

std::string Name(const api::Pod& pod) {
  return fmt::format("Pod {}/{}", pod.meta.ns, pod.meta.name);
}

// "`kubectl -n calico-system describe pod calico-node-5ckvq` tells why": what only Events know.
std::string Describe(const api::Pod& pod) {
  return fmt::format("`kubectl -n {} describe pod {}` tells why", pod.meta.ns, pod.meta.name);
}

std::string OnNode(const api::Pod& pod) {
  return pod.TargetNode().empty() ? "" : " on node " + pod.TargetNode();
}

// Trouble that is told from `late_at` on and until then does not count.
PodJudgement FromThenOn(absl::Time late_at, absl::Time now, PodTrouble trouble) {
  if (now < late_at) return {.recheck_at = late_at};
  return {.trouble = std::move(trouble)};
}

// While it waits for the next attempt, the kubelet puts words of its own before the cause.
std::string_view PullCause(std::string_view message) {
  constexpr std::string_view kCause = ": ErrImagePull: ";
  const size_t at = message.find(kCause);
  return at == message.npos ? message : message.substr(at + kCause.size());
}

std::optional<PodTrouble> ImageOrConfigTrouble(const api::Pod& pod,
                                               const api::ContainerStatus& container) {
  if (!container.waiting.has_value()) return std::nullopt;
  const api::ContainerWaiting& waiting = *container.waiting;
  if (IsImageProblem(waiting.reason)) {
    return PodTrouble{.type = TroubleType::kImage,
                      .text = fmt::format(
                          "{} failed to pull container image \"{}\" for container {}{}", Name(pod),
                          container.image, container.name, Colon(PullCause(waiting.message)))};
  }
  if (IsConfigProblem(waiting.reason)) {
    return PodTrouble{.type = TroubleType::kConfig,
                      .reason = waiting.reason,
                      .text = fmt::format("{} cannot start container {}: {}{}", Name(pod),
                                          container.name, waiting.reason, Colon(waiting.message))};
  }
  return std::nullopt;
}

PodTrouble EndTrouble(const api::Pod& pod, const api::ContainerStatus& container,
                      const api::ContainerTerminated* last, bool is_loop) {
  PodTrouble trouble{.type = is_loop ? TroubleType::kCrash : TroubleType::kTerminated,
                     .is_failure = is_loop};
  std::string ending;
  if (last != nullptr) {
    trouble.reason = last->reason;
    trouble.exit_code = last->exit_code;
    ending = Ending(*last);
  }
  trouble.text = fmt::format("{} has {} container: {}{}", Name(pod),
                             is_loop ? "crash looping" : "terminated", container.name, ending);
  return trouble;
}

PodJudgement JudgeContainerEnds(const api::Pod& pod, const api::ContainerStatus& container,
                                ContainerKind kind, absl::Time now) {
  const Ends ends = JudgeEnds(container, kind, now);
  const bool waits_for_its_turn =
      container.waiting.has_value() && container.waiting->reason == kCrashLoopBackOff;
  const bool is_loop = ends.verdict == Ends::Verdict::kLoop || waits_for_its_turn;
  if (!is_loop && ends.verdict == Ends::Verdict::kNone) return {};
  return {.trouble = EndTrouble(pod, container, ends.last, is_loop), .recheck_at = ends.over_at};
}

// The last thing that is known to have happened to the pod: since then its next container could
// have been started. Where its node was restarted, that is when it stopped being ready.
absl::Time LastStepAt(const api::Pod& pod) {
  absl::Time at = pod.meta.creation_timestamp;
  const auto later = [&at](const std::optional<absl::Time>& time) {
    at = std::max(at, time.value_or(at));
  };
  for (const api::Condition& condition : pod.conditions) later(condition.last_transition_time);
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const api::ContainerStatus& container : *list) {
      later(container.running_since);
      if (container.terminated.has_value()) later(container.terminated->finished_at);
      if (container.last_terminated.has_value()) later(container.last_terminated->finished_at);
    }
  }
  return at;
}

PodJudgement NotStarted(const api::Pod& pod, std::string_view container, std::string_view reason,
                        std::string_view message, absl::Time now) {
  std::string why(reason);
  if (!message.empty()) why += Colon(message);
  return FromThenOn(
      LastStepAt(pod) + kDeadline, now,
      {.type = TroubleType::kStuck,
       .text =
           fmt::format("{} has not started{}{} for more than {}{}: perhaps its image is still "
                       "being pulled, or a volume cannot be mounted; {}",
                       Name(pod), container.empty() ? "" : fmt::format(" container {}", container),
                       OnNode(pod), absl::FormatDuration(kDeadline),
                       why.empty() ? "" : fmt::format(" ({})", why), Describe(pod))});
}

PodJudgement InitDoesNotEnd(const api::Pod& pod, const api::ContainerStatus& container,
                            absl::Time now) {
  return FromThenOn(*container.running_since + kDeadline, now,
                    {.type = TroubleType::kStuck,
                     .text = fmt::format("{} has an init container that runs for more than {} and "
                                         "does not end: {}; `kubectl -n {} logs {} -c {}` may tell "
                                         "why",
                                         Name(pod), absl::FormatDuration(kDeadline), container.name,
                                         pod.meta.ns, pod.meta.name, container.name)});
}

// The first container that has not done its part, if it is that it takes too long.
PodJudgement JudgeDelay(const api::Pod& pod, const PodContext& context) {
  for (const api::ContainerStatus& container : pod.init_containers) {
    if (container.terminated.has_value()) continue;
    if (container.waiting.has_value()) {
      return NotStarted(pod, container.name, container.waiting->reason, container.waiting->message,
                        context.now);
    }
    if (!container.running_since.has_value() || container.name == context.provisioner) return {};
    return InitDoesNotEnd(pod, container, context.now);
  }
  for (const api::ContainerStatus& container : pod.containers) {
    if (container.waiting.has_value()) {
      return NotStarted(pod, container.name, container.waiting->reason, container.waiting->message,
                        context.now);
    }
  }
  if (pod.phase == "Pending" && pod.init_containers.empty() && pod.containers.empty()) {
    return NotStarted(pod, "", "the kubelet has not reported it", "", context.now);
  }
  return {};
}

PodJudgement JudgeContainers(const api::Pod& pod, const PodContext& context) {
  PodJudgement judgement;
  const auto look = [&](const std::vector<api::ContainerStatus>& list, ContainerKind kind) {
    for (const api::ContainerStatus& container : list) {
      PodJudgement found{.trouble = ImageOrConfigTrouble(pod, container)};
      if (!found.trouble.has_value()) found = JudgeContainerEnds(pod, container, kind, context.now);
      if (!found.trouble.has_value()) continue;
      // What fails comes before what may be over by itself.
      if (!judgement.trouble.has_value() || found.trouble->Key() < judgement.trouble->Key()) {
        judgement = std::move(found);
      }
    }
  };
  look(pod.init_containers, ContainerKind::kInit);
  if (!judgement.trouble.has_value()) look(pod.containers, ContainerKind::kMain);
  return judgement;
}

// From the later of: it is not ready, its containers were started.
PodJudgement JudgeReadiness(const api::Pod& pod, absl::Time now) {
  const api::Condition* const ready = api::FindCondition(pod.conditions, "ContainersReady");
  if (ready == nullptr || ready->status != api::kConditionFalse ||
      !ready->last_transition_time.has_value()) {
    return {};
  }
  absl::Time since = *ready->last_transition_time;
  for (const api::ContainerStatus& container : pod.containers) {
    if (!container.ready) since = std::max(since, container.running_since.value_or(since));
  }
  return FromThenOn(
      since + kReadyGrace, now,
      {.type = TroubleType::kNotReady,
       .text = fmt::format("{} is running but not ready{}", Name(pod), Colon(ready->message))});
}

// The states of its containers are the last that the kubelet has told; what counts is the node.
PodJudgement JudgeOnDownNode(const api::Pod& pod, const NodeFacts& node, absl::Time now) {
  const absl::Time late_at = node.down->since + kDeadline;
  return {.trouble = PodTrouble{.type = TroubleType::kNodeDown,
                                .is_failure = now >= late_at,
                                .reason = std::string(node.name),
                                .text = fmt::format("{} cannot run: node {} is not ready{}",
                                                    Name(pod), node.name, Colon(node.down->why))},
          .recheck_at = now >= late_at ? absl::InfiniteFuture() : late_at};
}

PodJudgement JudgeTermination(const api::Pod& pod, const PodContext& context) {
  std::string where = OnNode(pod);
  if (context.node != nullptr && context.node->down.has_value()) where += ", which is not ready";
  return FromThenOn(
      *pod.meta.deletion_timestamp + kDeadline, context.now,
      {.type = TroubleType::kStuck,
       .text = fmt::format("{} is being deleted and should have been gone for more "
                           "than {}{}; {}",
                           Name(pod), absl::FormatDuration(kDeadline), where, Describe(pod))});
}

// Its place may be taken by a pod that ends.
PodJudgement JudgeUnscheduled(const api::Pod& pod, const api::Condition& scheduled,
                              const PodContext& context) {
  const absl::Time since = std::max(
      scheduled.last_transition_time.value_or(pod.meta.creation_timestamp), context.places_free_at);
  const absl::Time late_at = since + kDeadline;
  const bool is_late = context.now >= late_at;
  return {.trouble = PodTrouble{.type = TroubleType::kPending,
                                .is_failure = is_late,
                                .text = fmt::format("{} is pending{}", Name(pod),
                                                    Colon(scheduled.message))},
          .recheck_at = is_late ? absl::InfiniteFuture() : late_at};
}

bool IsReady(const api::Pod& pod) {
  const api::Condition* const ready = api::FindCondition(pod.conditions, "Ready");
  return ready != nullptr && ready->IsTrue();
}

// Its controller makes another one: of a node that is shut down or short of memory that takes as
// long as the node does.
PodJudgement JudgeFailed(const api::Pod& pod, absl::Time now) {
  const api::Condition* const ready = api::FindCondition(pod.conditions, "Ready");
  const absl::Time since =
      ready == nullptr ? LastStepAt(pod) : ready->last_transition_time.value_or(LastStepAt(pod));
  const absl::Time late_at = since + kDeadline;
  const bool is_late = now >= late_at;
  return {.trouble = PodTrouble{.type = TroubleType::kFailed,
                                .is_failure = is_late,
                                .reason = pod.reason,
                                .text = fmt::format("{} has failed{}{}", Name(pod),
                                                    Colon(pod.reason), Colon(pod.message))},
          .recheck_at = is_late ? absl::InfiniteFuture() : late_at};
}

}  // namespace

PodJudgement JudgePod(const api::Pod& pod, const PodContext& context) {
  if (pod.deleting()) return JudgeTermination(pod, context);
  if (pod.phase == "Failed") return JudgeFailed(pod, context.now);
  if (context.node != nullptr && context.node->down.has_value() && !IsReady(pod)) {
    return JudgeOnDownNode(pod, *context.node, context.now);
  }
  const api::Condition* const scheduled = api::FindCondition(pod.conditions, "PodScheduled");
  if (pod.phase == "Pending" && scheduled != nullptr && scheduled->status == api::kConditionFalse) {
    return JudgeUnscheduled(pod, *scheduled, context);
  }
  PodJudgement containers = JudgeContainers(pod, context);
  if (containers.trouble.has_value()) return containers;
  PodJudgement delay = JudgeDelay(pod, context);
  if (delay.trouble.has_value() || pod.phase != "Running") return delay;
  PodJudgement readiness = JudgeReadiness(pod, context.now);
  readiness.recheck_at = std::min(readiness.recheck_at, delay.recheck_at);
  return readiness;
}

PodJudgement JudgeCrashLoops(const api::Pod& pod, const PodContext& context) {
  if (pod.deleting() || pod.finished()) return {};
  for (const api::ContainerStatus& container : pod.containers) {
    if (container.restart_count == 0) continue;
    PodJudgement found = JudgeContainerEnds(pod, container, ContainerKind::kMain, context.now);
    if (found.trouble.has_value() && found.trouble->is_failure) return found;
  }
  return {};
}

}  // namespace calico::status
