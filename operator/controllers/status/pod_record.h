// PodRecord: a pod as the cache keeps it. In a large cluster nearly all pods run, are ready and
// have nothing to tell: of these only what they are counted by is kept, so that thousands of nodes
// cost little memory.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_POD_RECORD_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_POD_RECORD_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/api/core/pod.h"
#include "pkg/base/clock.h"
#include "pkg/base/memory/long_lived.h"
#include "pkg/codec/json.h"

namespace calico::status {

// Whose pod it is, by what its own metadata says. Equal for all pods of one revision of a workload,
// which share it.
struct PodOrigin {
  std::string app;         // the label k8s-app
  std::string owner_kind;  // of the owner with `controller: true`; empty: none
  std::string owner_name;
  std::string owner_uid;
  std::string controller_revision_hash;  // the label, as pods of a DaemonSet have it
  std::string pod_template_hash;         // the label, as pods of a Deployment have it

  friend bool operator==(const PodOrigin&, const PodOrigin&) = default;
};

PodOrigin OriginOf(const api::Pod& pod);

struct PodRecord {
  std::shared_ptr<const PodOrigin> origin;  // never null
  // Null: the pod is quiet. Otherwise all of it.
  std::shared_ptr<const api::Pod> pod;
  base::LongLivedString node_name;  // of a quiet one

  bool is_quiet() const { return pod == nullptr; }
};

// Runs and is ready, does not end, and nothing that JudgePod or JudgeCrashLoops looks at says
// anything, now or later, whatever its node does. It has its certificate: its init containers have
// done their part.
bool IsQuiet(const api::Pod& pod, absl::Time now);

// Makes records of Pods, and lets those of one origin share it. Threading: one thread. Lifetime:
// `clock` outlives it.
class PodRecordDecoder {
 public:
  explicit PodRecordDecoder(const base::Clock& clock) : clock_(clock) {}

  // Errors: as api::Pod::Decode.
  absl::StatusOr<std::optional<PodRecord>> Decode(const json::object& object);

 private:
  std::shared_ptr<const PodOrigin> Share(PodOrigin origin);

  const base::Clock& clock_;
  std::vector<std::weak_ptr<const PodOrigin>> origins_;  // a few for each workload
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_POD_RECORD_H_
