// Removal: leaves a cluster, stage by stage, each one waited for. What has gone already is passed
// over, so that a removal that was interrupted, or whose operator is gone, goes on where it was.
#ifndef CALICO_OPERATOR_REMOVAL_REMOVAL_H_
#define CALICO_OPERATOR_REMOVAL_REMOVAL_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/removal/removal_plan.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::removal {

struct RemovalLimits {
  absl::Duration timeout = absl::Minutes(5);  // of each stage
  absl::Duration interval = absl::Milliseconds(500);
  // A definition that hangs is written anew that often (see Removal).
  absl::Duration rewrite_interval = absl::Seconds(5);
};

// Kubernetes 1.37 tries only once to list the objects of a definition that is deleted. Where the
// storage is not ready at that moment the definition stays, with the condition
// InstanceDeletionFailed, until it is written again. So its objects are listed before, and one that
// hangs all the same is given an annotation.
//
// Threading: event loop thread only. All references outlive it.
class Removal {
 public:
  // `tell` gets a line for each thing that happens. With `remove_finalizers`, those that only
  // Tigera's operator takes off are removed; without, an object that waits for one is an error.
  // Other finalizers are never touched.
  Removal(kube::Client& client, const base::Clock& clock, RemovalLimits limits,
          bool remove_finalizers, std::function<void(const std::string&)> tell);

  // Requires: `plan` has no problems.
  // Errors: kDeadlineExceeded naming what is still there and what it waits for; kFailedPrecondition
  // for a finalizer; as kube::Client. What was removed stays so.
  aio::Task<absl::Status> Run(const RemovalPlan& plan);

 private:
  aio::Task<absl::Status> RunStage(Stage stage, const std::vector<Doomed>& doomed);
  aio::Task<absl::Status> DeleteOne(const Doomed& doomed);
  aio::Task<absl::Status> ReleaseOne(const Doomed& doomed, const json::object& object);
  aio::Task<absl::Status> WaitForObjects(const std::vector<Doomed>& doomed, absl::Time end);
  aio::Task<absl::StatusOr<std::optional<json::object>>> Look(const Doomed& doomed);
  aio::Task<absl::Status> Push(const Doomed& doomed, const json::object& object);
  aio::Task<absl::Status> WaitForPods(Stage stage, const std::vector<Doomed>& doomed,
                                      absl::Time end);
  aio::Task<absl::StatusOr<std::vector<std::string>>> PodsOf(Stage stage, const std::string& ns);
  aio::Task<absl::Status> ListObjectsOf(const json::object& definition);

  kube::Client& client_;
  const base::Clock& clock_;
  const RemovalLimits limits_;
  const bool remove_finalizers_;
  const std::function<void(const std::string&)> tell_;
  absl::Time rewritten_at_ = absl::InfinitePast();  // steady clock
};

}  // namespace calico::removal

#endif  // CALICO_OPERATOR_REMOVAL_REMOVAL_H_
