#include "operator/controllers/status/pod_trouble.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>

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

PodTrouble Crash(const std::string& pod, const api::ContainerStatus& container) {
  PodTrouble trouble{.type = TroubleType::kCrash};
  std::string ending;
  if (container.last_terminated.has_value()) {
    trouble.reason = container.last_terminated->reason;
    trouble.exit_code = container.last_terminated->exit_code;
    ending = Ending(*container.last_terminated);
  }
  trouble.text = fmt::format("{} has crash looping container: {}{}", pod, container.name, ending);
  return trouble;
}

std::optional<PodTrouble> ContainerTrouble(const std::string& pod,
                                           const api::ContainerStatus& container) {
  if (container.waiting.has_value()) {
    const api::ContainerWaiting& waiting = *container.waiting;
    if (waiting.reason == "CrashLoopBackOff") return Crash(pod, container);
    if (IsImageProblem(waiting.reason)) {
      return PodTrouble{
          .type = TroubleType::kImage,
          .text = fmt::format("{} failed to pull container image \"{}\" for "
                              "container {}{}",
                              pod, container.image, container.name, Colon(waiting.message))};
    }
    if (IsConfigProblem(waiting.reason)) {
      return PodTrouble{
          .type = TroubleType::kConfig,
          .reason = waiting.reason,
          .text = fmt::format("{} cannot start container {}: {}{}", pod, container.name,
                              waiting.reason, Colon(waiting.message))};
    }
  }
  if (container.terminated.has_value() && container.terminated->exit_code != 0) {
    return PodTrouble{.type = TroubleType::kTerminated,
                      .reason = container.terminated->reason,
                      .exit_code = container.terminated->exit_code,
                      .text = fmt::format("{} has terminated container: {}{}", pod, container.name,
                                          Ending(*container.terminated))};
  }
  return std::nullopt;
}

std::optional<PodTrouble> FirstContainerTrouble(const std::string& name, const api::Pod& pod) {
  for (const std::vector<api::ContainerStatus>* list : {&pod.init_containers, &pod.containers}) {
    for (const api::ContainerStatus& container : *list) {
      if (std::optional<PodTrouble> trouble = ContainerTrouble(name, container)) return trouble;
    }
  }
  return std::nullopt;
}

PodJudgement JudgeReadiness(const std::string& name, const api::Pod& pod, absl::Time now) {
  const api::Condition* const ready = api::FindCondition(pod.conditions, "ContainersReady");
  if (ready == nullptr || ready->status != api::kConditionFalse ||
      !ready->last_transition_time.has_value()) {
    return {};
  }
  const absl::Time late_at = *ready->last_transition_time + kReadyGrace;
  if (now < late_at) return {.recheck_at = late_at};
  return {.trouble = PodTrouble{
              .type = TroubleType::kNotReady,
              .text = fmt::format("{} is running but not ready{}", name, Colon(ready->message))}};
}

}  // namespace

PodJudgement JudgePod(const api::Pod& pod, absl::Time now) {
  const std::string name = fmt::format("Pod {}/{}", pod.meta.ns, pod.meta.name);
  if (pod.phase == "Failed") {
    return {.trouble = PodTrouble{.type = TroubleType::kFailed,
                                  .reason = pod.reason,
                                  .text = fmt::format("{} has failed{}{}", name, Colon(pod.reason),
                                                      Colon(pod.message))}};
  }
  if (std::optional<PodTrouble> trouble = FirstContainerTrouble(name, pod)) {
    return {.trouble = std::move(trouble)};
  }
  if (pod.phase == "Running") return JudgeReadiness(name, pod, now);
  const api::Condition* const scheduled = api::FindCondition(pod.conditions, "PodScheduled");
  if (pod.phase == "Pending" && scheduled != nullptr && scheduled->status == api::kConditionFalse) {
    return {.trouble = PodTrouble{
                .text = fmt::format("{} is pending{}", name, Colon(scheduled->message))}};
  }
  return {};
}

}  // namespace calico::status
