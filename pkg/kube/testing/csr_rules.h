// The API server's rules for CertificateSigningRequests: what it checks at creation, and what each
// endpoint lets through. Pure.
//
// Not checked: the PKCS#10 request beyond its PEM label, X.509 syntax of certificates, and rights.
#ifndef CALICO_PKG_KUBE_TESTING_CSR_RULES_H_
#define CALICO_PKG_KUBE_TESTING_CSR_RULES_H_

#include <optional>
#include <string_view>

#include "pkg/codec/json.h"
#include "pkg/kube/testing/api_request.h"

namespace calico::kube {

// One entry of an Invalid (422) answer, such as {"spec.usages", "Required value"}.
struct FieldProblem {
  std::string field;
  std::string type;  // "FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden"
  std::string message;
};

// The 422 answer for `problems`, worded as Kubernetes does.
ApiReply Invalid(std::string_view kind, std::string_view group, std::string_view name,
                 const std::vector<FieldProblem>& problems);

// Fills in who asks, drops a status, and checks the spec.
std::optional<ApiReply> PrepareCsrCreate(json::object& csr, const Identity& identity);

// Takes from `next` what the endpoint (empty, `status`, `approval`) may change, the rest from
// `live`, and checks the change. `now`: RFC 3339, for the conditions' times.
std::optional<ApiReply> PrepareCsrUpdate(const json::object& live, json::object& next,
                                         std::string_view subresource, std::string_view now);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_CSR_RULES_H_
