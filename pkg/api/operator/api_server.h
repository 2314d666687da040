// operator.tigera.io/v1 APIServer: asks for Calico's API server (projectcalico.org/v3).
#ifndef CALICO_PKG_API_OPERATOR_API_SERVER_H_
#define CALICO_PKG_API_OPERATOR_API_SERVER_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::api {

// The names that an APIServer can have; the second one is from before there was the first.
inline constexpr std::string_view kApiServerName = "default";
inline constexpr std::string_view kLegacyApiServerName = "tigera-secure";

struct ApiServer {
  ObjectMeta meta;  // No labels, annotations, owner references.

  // spec
  // logging.apiServer.logSeverity: "Fatal", "Error", "Warn", "Info", "Debug", "Trace"; empty: not
  // set, same as Info.
  std::string log_severity;
  json::object spec;  // As it was read, with the overrides in apiServerDeployment.
  // Paths of what the user set and this operator does not act on, sorted; see Installation.
  std::vector<std::string> ignored_fields;

  // status
  std::vector<Condition> conditions;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<ApiServer> Decode(const json::object& object);
};

// Which one counts; null when there is none.
// Errors: FailedPrecondition when there are both names: they may ask for different things.
// Lifetime: of `api_servers`.
absl::StatusOr<const ApiServer*> FindApiServer(absl::Span<const ApiServer> api_servers);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_API_SERVER_H_
