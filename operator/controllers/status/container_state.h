// How a container has lived so far: whether its ends are a loop.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_CONTAINER_STATE_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_CONTAINER_STATE_H_

#include <string_view>

#include <absl/time/time.h>

#include "pkg/api/core/pod.h"

namespace calico::status {

// The kubelet's reason while it waits before it restarts a container.
inline constexpr std::string_view kCrashLoopBackOff = "CrashLoopBackOff";

enum class ContainerKind { kInit, kMain };

struct Ends {
  enum class Verdict {
    kNone,  // it runs, or has never ended in a way that counts
    kOnce,  // ended, and not shortly after another end
    kLoop,  // ended again and again: one state, whether it runs for the moment or not
  };
  Verdict verdict = Verdict::kNone;
  const api::ContainerTerminated* last = nullptr;  // set unless kNone; lives as the status does
  // When a container that runs has run for long enough to be believed; else never.
  absl::Time over_at = absl::InfiniteFuture();
};

// The kubelet restarts a container at once the first time, then after 10 s, 20 s and so on, and
// starts anew after ten minutes: an end after a run of that length is a first one again. What runs
// is believed when it has run for longer than the last time, and for a minute. Of an init
// container exit code 0 is its aim; a main container that ends has failed, whatever its code.
Ends JudgeEnds(const api::ContainerStatus& container, ContainerKind kind, absl::Time now);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_CONTAINER_STATE_H_
