// CertificateSigningRequests as kubectl shows them: the columns of `kubectl get csr`, the layout of
// `kubectl describe csr`.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_CSR_TEXT_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_CSR_TEXT_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "pkg/api/certificates/certificate_signing_request.h"

namespace calico::calicert::requests {

// Kubernetes' way to say how long something is: "45s", "10m", "5h30m", "12d", "2y34d".
std::string HumanDuration(absl::Duration duration);
// The shorter one, of one unit: "364d", "23h", "9y". What is over is "<invalid>".
std::string ShortHumanDuration(absl::Duration duration);

// "Pending", "Approved,Issued", "Denied", "Approved,Failed", ...
std::string ConditionText(const api::CertificateSigningRequest& csr);

// NAME AGE SIGNERNAME REQUESTOR REQUESTEDDURATION CONDITION, and wide: SUBJECT NAMES EXPIRES.
std::vector<std::string> CsrHeader(bool wide);
std::vector<std::string> CsrRow(const api::CertificateSigningRequest& csr, absl::Time now,
                                bool wide);

// Several lines for one request.
std::string CsrDescription(const api::CertificateSigningRequest& csr);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_CSR_TEXT_H_
