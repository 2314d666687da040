// Keeps Calico's CustomResourceDefinitions in the cluster.
#ifndef CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CALICO_CRDS_H_
#define CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CALICO_CRDS_H_

#include <functional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/controllers/definitions/crd_decision.h"
#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::definitions {

// One pass: makes those that are missing, changes those that Decide says, and waits until the API
// server serves the kinds of those that it made. Definitions are sent one after the other, so that
// other requests have the server to themselves; those that come first in `wanted` are served first.
// Never deletes one. Returns what the status has to tell. Errors: as kube::Client. Cancellation:
// total.
aio::Task<absl::StatusOr<std::vector<std::string>>> ApplyCalicoCrds(
    kube::Client& client, const std::vector<WantedCrd>& wanted, const base::Logger& logger);

// Passes until cancelled: again after errors, after ten minutes, and within a minute when a kind is
// no longer served. `tell` is called with the result of each pass.
aio::Task<void> ManageCalicoCrds(
    kube::Client& client, std::vector<WantedCrd> wanted, const base::Logger& logger,
    std::function<void(absl::StatusOr<std::vector<std::string>>)> tell);

}  // namespace calico::definitions

#endif  // CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CALICO_CRDS_H_
