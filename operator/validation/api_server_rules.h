// The spec of an APIServer (operator.tigera.io/v1).
#ifndef CALICO_OPERATOR_VALIDATION_API_SERVER_RULES_H_
#define CALICO_OPERATOR_VALIDATION_API_SERVER_RULES_H_

#include <vector>

#include "operator/validation/findings.h"
#include "pkg/codec/json.h"

namespace calico::validation {

// Every problem of the overrides of Calico's API server and of its webhooks, with paths that begin
// with "spec". The same in every release.
std::vector<Problem> CheckApiServerSpec(const json::object& spec);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_API_SERVER_RULES_H_
