// StatusMemory: what the objects of this moment do not tell, though the status should: since when
// a rollout has stood still, and why a pod was refused before it asked again.
//
// A restarted operator knows less, and is never more content for it: what it lacks here only says
// for how long, and why; whether all is well is judged from the objects. What the status itself
// said before is read back where that saves a failure from looking like progress once more.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_MEMORY_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "operator/controllers/status/conditions.h"
#include "pkg/api/meta/condition.h"

namespace calico::status {

// Holds an entry for each waiting pod, and one for each workload.
class StatusMemory {
 public:
  // Adds to `facts` what earlier calls have shown, and keeps what these show. `told`: the
  // conditions as they are written now. `steady_now`: how long a rollout stands still is measured
  // on the steady clock.
  void Recall(const std::vector<api::Condition>& told, absl::Time steady_now, Facts& facts);

 private:
  using Numbers = std::vector<std::int64_t>;
  struct Rollout {
    Numbers numbers;
    absl::Time moved_at;  // steady clock
  };
  struct Waiting {
    std::optional<Refusal> refused;
    absl::Time since = absl::InfiniteFuture();
  };

  absl::Duration StillFor(Rollout& rollout, Numbers numbers, bool stood_still,
                          absl::Time steady_now);
  void RecallWaiting(std::vector<WaitingPod>& pods);

  absl::flat_hash_map<std::string, Rollout> rollouts_;  // by kind and name
  absl::flat_hash_map<std::string, Waiting> waiting_;   // by the pod's UID
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_MEMORY_H_
