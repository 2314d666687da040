// CertificateSigningRequests in the formats of -o.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_CSR_PRINTING_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_CSR_PRINTING_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/command/output.h"
#include "pkg/codec/json.h"

namespace calico::calicert::requests {

// One object alone is printed as itself, several (or `is_list`) as a List, without managedFields.
// kPem is the certificates of those that have one, one after the other.
// Errors: FailedPrecondition: kPem of a request without a certificate; of decoding.
absl::StatusOr<std::string> PrintCsrs(const std::vector<json::object>& objects, bool is_list,
                                      OutputFormat format, absl::Time now);

// "certificatesigningrequest.certificates.k8s.io/NAME".
std::string CsrName(std::string_view name);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_CSR_PRINTING_H_
