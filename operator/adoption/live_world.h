// The cluster as rendering needs to know it, read once: what the running operator gathers from its
// watches.
#ifndef CALICO_OPERATOR_ADOPTION_LIVE_WORLD_H_
#define CALICO_OPERATOR_ADOPTION_LIVE_WORLD_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/offline/world.h"
#include "operator/render/inputs.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/kube/client/client.h"

namespace calico::adoption {

// The kinds of group operator.tigera.io and Calico's own, Nodes, Secrets and ConfigMaps of the
// namespaces that the operator looks at, the operator's Deployment, and what shows whose Kubernetes
// it is. Kinds that the API server does not serve have no objects.
// Errors: as kube::Client; what must not be read is an error too, since it may matter.
aio::Task<absl::StatusOr<offline::World>> ReadWorld(kube::Client& client,
                                                    api::ObjectKey operator_key);

// Where pods reach the API server, as the kubelet tells the operator's own pod: by the Service
// `kubernetes`. nullopt: there is none in `world`.
std::optional<render::ApiEndpoint> ServiceEndpoint(const offline::World& world);

// "v3.32" of an Installation whose status says that it runs v3.32.1; empty: it does not say.
std::string ReleaseInStatus(const offline::World& world);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_LIVE_WORLD_H_
