// Applies the CustomResourceDefinitions inside this binary.
#ifndef CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_MANAGER_H_
#define CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_MANAGER_H_

#include <functional>
#include <vector>

#include <absl/status/status.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::definitions {

// The kinds that they define.
std::vector<const api::Resource*> OwnKinds();

// Which of them are applied. Only the leader updates those that are there: during an update the
// replica that waits may be the older one.
enum class Crds { kMissing, kAll };

// Makes the API server hold them and waits until it serves their kinds. What is there already and
// equal is not written. They have no owner: they outlive every Installation. One that is refused
// does not keep the others from being applied: a role from before may not know it yet. While all
// kinds are served, none is missing, and none is read for kMissing.
// Errors: as kube::Client, naming the definition; the first one. Cancellation: total.
aio::Task<absl::Status> ApplyCrds(kube::Client& client, Crds which, const base::Logger& logger);

// ApplyCrds until it succeeds. `tell` is called with the result of each attempt. Errors:
// kCancelled.
aio::Task<absl::Status> ManageCrds(kube::Client& client, Crds which, const base::Logger& logger,
                                   std::function<void(const absl::Status&)> tell = nullptr);

}  // namespace calico::definitions

#endif  // CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_MANAGER_H_
