// What is wrong with one pod: the first thing that stands in its way.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include <absl/time/time.h>

#include "pkg/api/core/pod.h"

namespace calico::status {

// In the order in which they are told.
enum class TroubleType { kCrash, kImage, kConfig, kTerminated, kFailed, kNotReady, kPending };

struct PodTrouble {
  TroubleType type = TroubleType::kPending;
  std::string reason;  // of the container's end, if it ended
  std::int32_t exit_code = 0;
  std::string text;  // "Pod calico-system/calico-node-5ckvq has ..."

  // Pods with equal keys are told about once, with their number.
  auto Key() const { return std::tie(type, reason, exit_code); }
  bool is_failure() const { return type != TroubleType::kPending; }
};

struct PodJudgement {
  std::optional<PodTrouble> trouble;
  absl::Time recheck_at = absl::InfiniteFuture();
};

PodJudgement JudgePod(const api::Pod& pod, absl::Time now);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_
