// The rules of the signers that every cluster has (kubernetes.io/*), for those who sign in their
// place.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_BUILTIN_SIGNERS_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_BUILTIN_SIGNERS_H_

#include <absl/status/status.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::requests {

// OK for a signer of another domain, and for a request that its built-in signer would sign.
// Errors: InvalidArgument in kube-controller-manager's words; also for other kubernetes.io names,
// which nobody serves.
absl::Status CheckBuiltinSigner(const api::CertificateSigningRequest& csr,
                                const pki::CertificateRequest& request);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_BUILTIN_SIGNERS_H_
