// Plan: what has to be sent so that the API server holds a set of objects, and no more of ours.
//
// Pure: compares, decides, sends nothing.
#ifndef CALICO_PKG_KUBE_APPLY_PLAN_H_
#define CALICO_PKG_KUBE_APPLY_PLAN_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/ending.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/client/options.h"

namespace calico::kube {

// An object that shall be there. `object` carries `hash` in an annotation, so that a field that is
// no longer sent makes a difference too, although what is live still holds everything else.
struct DesiredObject {
  const api::Resource* resource = nullptr;  // static
  api::ObjectKey key;
  json::object object;
  std::string hash;  // of the object without owners and precondition
  // With a UID: what it was made from. It is written in place of that version only, and never
  // deleted to be made anew: whatever else is there, somebody has put there.
  Preconditions made_from;
  bool has_precondition() const { return !made_from.uid.empty(); }
};

// Whether `live` must be deleted before `desired` can be there, because the API server refuses to
// change one of its fields (see ImmutableDifference).
// Errors: kFailedPrecondition when that would do harm: a workload with pods, which would all end at
// once (the message says what somebody has to do), a namespace, a definition or a Service.
absl::StatusOr<bool> NeedsNewObject(const DesiredObject& desired, const json::object& live);

// Hashes `object`, writes the annotation, and says of a workload's pods that they have no account
// of their own where nothing is said. metadata.uid and resourceVersion, where they are there, are
// the precondition. Errors: kInvalidArgument for a kind that pkg/api does not know, or an object
// without a name.
absl::StatusOr<DesiredObject> MakeDesired(json::object object, std::string_view hash_annotation);

// Objects are sent in waves; each begins when the one before is done. Only pods that run are worth
// the wait for ClusterRoleBindings: workloads that are made anew are sent beside them, since a new
// pod that is refused tries again.
enum class Wave {
  kNamespacesAndRoles,  // a binding is refused while its role is not there
  kConfiguration,       // what workloads refer to
  kSecrets,             // apart, so that it can be told when they alone are refused
  kWorkloads,
};
Wave WaveOf(const api::Resource& resource);
// Whether the waves that follow make sense without an object of this kind: nothing refers to a
// budget or an admission policy.
bool IsNeededByLaterWaves(const api::Resource& resource);

struct ApplyStep {
  size_t index = 0;        // of the desired objects
  std::string difference;  // a path; empty: the object is not there
  std::string delete_uid;  // the object with this UID must be deleted first
  absl::Status obstacle;   // not OK: nothing can be sent, and why
};

// An object that is being deleted: nothing is sent for it.
struct EndingStep {
  size_t index = 0;  // of the desired objects
  Ending ending;
};

struct DeleteStep {
  const api::Resource* resource = nullptr;
  api::ObjectKey key;
  std::string uid;
};

struct ApplyPlan {
  std::vector<ApplyStep> applies;
  std::vector<EndingStep> endings;
  // Of the desired objects: those that are as they shall be.
  std::vector<size_t> in_place;
  // Of the desired objects: those that are not what they were made from any more.
  std::vector<size_t> superseded;
  std::vector<DeleteStep> deletes;
  bool empty() const { return applies.empty() && deletes.empty(); }
};

struct PlanInput {
  const std::vector<DesiredObject>* desired = nullptr;
  const LiveSource* live = nullptr;
  // Objects with this owner that we applied and that are no longer desired are deleted.
  std::string owner_uid;
  bool removes_ownerless = false;  // as ApplierOptions
  // True for an object that was sent as it is a moment ago: what is known of it is older.
  std::function<bool(const DesiredObject&, const LiveObject* live)> just_sent;
  // True where we have written that version ourselves: a precondition counts as kept.
  std::function<bool(const DesiredObject&, const LiveObject& live)> is_own_version;
};

ApplyPlan MakePlan(const PlanInput& input);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_PLAN_H_
