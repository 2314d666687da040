// Can the completed spec of an Installation work with this release? Every rule but those of
// certificateManagement, from the spec alone.
//
// Every problem is found at once, with the path of the field, the cause, and what to write. Fields
// of Windows are left alone: nothing is rendered for them, and the note on fields without effect
// says so.
#ifndef CALICO_OPERATOR_VALIDATION_SPEC_RULES_H_
#define CALICO_OPERATOR_VALIDATION_SPEC_RULES_H_

#include <string>
#include <string_view>
#include <vector>

#include "operator/validation/findings.h"
#include "pkg/codec/json.h"

namespace calico::validation {

struct SpecContext {
  std::string_view release;  // "v3.33"; one that is not known is judged like the newest before it
  // The ConfigMap kubernetes-services-endpoint names the API server.
  bool has_api_endpoint = false;
};

// `spec` as defaults::CompleteSpec gives it.
std::vector<Problem> CheckSpec(const json::object& spec, const SpecContext& context);

// What works and is hardly meant, "spec.a: text".
std::vector<std::string> WarningsOf(const json::object& spec);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_SPEC_RULES_H_
