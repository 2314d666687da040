// What leaving takes: everything that the operator and its manifests have brought, in the order in
// which it may go.
#ifndef CALICO_OPERATOR_REMOVAL_REMOVAL_PLAN_H_
#define CALICO_OPERATOR_REMOVAL_REMOVAL_PLAN_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/kube/client/client.h"

namespace calico::removal {

struct RemovalOptions {
  api::ObjectKey operator_key;  // of the operator's Deployment
  bool keep_crds = false;  // the definitions of group operator.tigera.io, with what users gave them
  // Also Calico's own definitions, with every pool, policy and setting in them, and what users have
  // put into the operator's namespace.
  bool remove_user_data = false;
};

// The order. Each stage has ended, its pods too, before the next one begins.
enum class Stage {
  kOperator,     // or it makes everything anew
  kApiService,   // while nothing answers for its group no namespace can end
  kPodNetwork,   // pods whose network the CNI plugin takes down, for which it needs its role
  kHostNetwork,  // calico-node and typha
  kOthers,       // roles, bindings, policies and the like
  kNamespaces,
  kAsked,      // Installation, APIServer and the other kinds
  kManifests,  // what operator.yaml has brought
  kDefinitions,
};
inline constexpr Stage kStages[] = {Stage::kOperator,    Stage::kApiService, Stage::kPodNetwork,
                                    Stage::kHostNetwork, Stage::kOthers,     Stage::kNamespaces,
                                    Stage::kAsked,       Stage::kManifests,  Stage::kDefinitions};
// "the operator", for people.
std::string_view ToString(Stage stage);

struct Doomed {
  Stage stage = Stage::kOthers;
  const api::Resource* resource = nullptr;  // static
  api::ObjectKey key;
  std::vector<std::string> former_finalizers;  // those that only Tigera's operator takes off
};

struct RemovalPlan {
  std::vector<Doomed> doomed;         // by stage
  std::vector<std::string> left;      // "IPPool objects: user data", what stays and why
  std::vector<std::string> problems;  // why nothing may be removed
  bool empty() const { return doomed.empty(); }
};

// Errors: as kube::Client.
aio::Task<absl::StatusOr<RemovalPlan>> MakeRemovalPlan(kube::Client& client,
                                                       RemovalOptions options);

}  // namespace calico::removal

#endif  // CALICO_OPERATOR_REMOVAL_REMOVAL_PLAN_H_
