// One cluster for the time of one command: client, namespace, and the way errors are told.
//
//   return RunInCluster(flags, terminal, [](Cluster& cluster) { return Approve(cluster, ...); });
#ifndef CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_H_
#define CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_H_

#include <functional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/terminal.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::calicert {

// Lifetime: what it refers to outlives it, and it outlives the command's coroutine.
struct Cluster {
  kube::Client& client;
  Terminal& terminal;
  std::string ns;          // of the flag or the context
  absl::Duration timeout;  // of one request
  // Set by a command that waits for something: an API server that cannot be reached for a while is
  // then no reason to give up. Otherwise the command ends at once and says what to do about it.
  bool is_patient = false;

  absl::Time Now() const { return terminal.clock.Now(); }
};

// The exit code of a command, or what went wrong.
using ClusterWork = std::function<aio::Task<absl::StatusOr<int>>(Cluster& cluster)>;

// Reads the kubeconfig and runs `work` on an event loop of its own. Blocks until it is done.
// Errors: of the kubeconfig, of `work`; Unavailable when the API server cannot be reached.
absl::StatusOr<int> WithCluster(const ClusterFlags& flags, Terminal& terminal,
                                const ClusterWork& work);
// The same for a whole command: errors are printed.
int RunInCluster(const ClusterFlags& flags, Terminal& terminal, const ClusterWork& work);

// "Error from server (Forbidden): ..." as kubectl words it where the server has answered, so that
// scripts match it; for a refusal by RBAC it names the right that is missing. A kind that the
// cluster does not know is told as that.
std::string ErrorText(const absl::Status& status);

// NotFound because the cluster does not know the kind, and not because there is no such object.
bool IsUnknownKind(const absl::Status& status);

// Whether the API server has said nothing at all: another attempt may bring an answer. Everything
// else is one.
bool IsNoAnswer(const absl::Status& status);

// "name=value" for a field selector, in which a name may hold ',', '=' and '\\'.
std::string FieldSelector(std::string_view field, std::string_view value);

// Reads the object, changes it with `change` and writes it back (of a subresource if given); begins
// anew when somebody else was faster. `change` returns false where nothing is to be written.
// Errors: of the client; of `change`; Aborted after ten conflicts.
using ObjectChange = std::function<absl::StatusOr<bool>(json::object& object)>;
aio::Task<absl::StatusOr<json::object>> ChangeObject(Cluster& cluster,
                                                     const api::Resource& resource,
                                                     api::ObjectKey key, std::string subresource,
                                                     ObjectChange change);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_H_
