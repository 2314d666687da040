// Whether the API server keeps what an Installation says. One with an older definition drops every
// field that it does not know, without a word: a key algorithm would become another one, and all
// pods would be rolled.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CRD_CHECK_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CRD_CHECK_H_

#include <string>
#include <vector>

#include <absl/status/status.h>

#include "pkg/aio/task.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::installation {

// The paths of what is rendered from an Installation and `definition` (the one of installations, as
// it is served) does not have. Empty: none, or no schema in a form that we know.
std::vector<std::string> PrunedFields(const json::object& definition);

// Reads the definition from the API server. OK also where the operator may not read it.
// Errors: kFailedPrecondition naming the fields and the command that helps; as kube::Client.
// Cancellation: total.
aio::Task<absl::Status> CheckInstallationCrd(kube::Client& client);

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CRD_CHECK_H_
