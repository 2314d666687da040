// kubectl's flags about the cluster, for the commands that talk to one.
//
// They mean what they mean for kubectl; the environment (KUBECONFIG, HOME, a pod's service account)
// is read as it reads it. Flags of kubectl that are not supported are known, so that they are
// refused with the reason and not as a misspelling.
#ifndef CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_FLAGS_H_
#define CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_FLAGS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/config/flags.h"
#include "pkg/kube/auth/overrides.h"
#include "pkg/kube/auth/rest_config.h"

namespace calico::calicert {

struct ClusterFlags {
  kube::LoadOptions load;
  kube::KubeconfigOverrides overrides;
  // How long one request may take. kubectl waits for ever unless it is told; here it is a minute.
  absl::Duration request_timeout = absl::Minutes(1);

  // As they were typed, until Check has read them.
  std::string token;
  std::string timeout_text;
  std::map<std::string, std::string> unsupported;
};

// Whether there is kubectl's --user; a command may have one of its own.
enum class UserFlag { kAdd, kLeaveOut };

// Adds --kubeconfig, --context, -n/--namespace and the others. `target` outlives `flags`.
void AddClusterFlags(config::Flags& flags, ClusterFlags* target, UserFlag user = UserFlag::kAdd);

// --request-timeout: "30" is seconds, "1m30s" as Go writes it, "0" a day, which is without end.
// Errors: InvalidArgument.
absl::StatusOr<absl::Duration> ParseRequestTimeout(std::string_view text);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CLUSTER_CLUSTER_FLAGS_H_
