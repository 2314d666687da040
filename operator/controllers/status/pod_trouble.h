// What is wrong with one pod: the first thing that stands in its way.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <absl/time/time.h>

#include "operator/controllers/status/node_facts.h"
#include "pkg/api/core/pod.h"

namespace calico::status {

// In the order in which they are told.
enum class TroubleType {
  kCrash,       // a container that ends again and again
  kImage,       // its image cannot be had
  kConfig,      // it cannot be made
  kTerminated,  // a container has ended once
  kFailed,      // the pod has failed
  kNodeDown,    // its node does not answer
  kStuck,       // something takes for ever
  kNotReady,    // runs and is not ready
  kPending,     // not scheduled
};

struct PodTrouble {
  TroubleType type = TroubleType::kPending;
  bool is_failure = true;  // else it may be over by itself
  std::string reason;      // of the container's end, if it ended
  std::int32_t exit_code = 0;
  std::string text;  // "Pod calico-system/calico-node-5ckvq has ..."

  // Pods with equal keys are told about once, with their number.
  auto Key() const { return std::tuple(!is_failure, type, std::string_view(reason), exit_code); }
};

struct PodJudgement {
  std::optional<PodTrouble> trouble;
  absl::Time recheck_at = absl::InfiniteFuture();
};

// What is around the pod.
struct PodContext {
  const NodeFacts* node = nullptr;  // the pod's; null: not known
  // The init container that waits for a certificate: how long it may is judged by its request.
  std::string_view provisioner;
  // When the last pod of the workload that is being deleted should be gone: until then its place
  // is taken.
  absl::Time places_free_at = absl::InfinitePast();
  absl::Time now;
};

PodJudgement JudgePod(const api::Pod& pod, const PodContext& context);

// The same for a pod of a workload whose numbers are right: only a container that was restarted
// again and again counts, since it is ready for the moment.
PodJudgement JudgeCrashLoops(const api::Pod& pod, const PodContext& context);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_POD_TROUBLE_H_
