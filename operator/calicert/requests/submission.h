// Asking for a certificate: a CertificateSigningRequest that is there as it was wanted, or a reason
// why not.
//
// The API server never changes the request of an existing object, and says so to nobody: an update
// with another request is answered OK and changes nothing. So what is there is compared.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_SUBMISSION_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_SUBMISSION_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/calicert/cluster/cluster.h"
#include "pkg/aio/task.h"
#include "pkg/api/certificates/certificate_signing_request.h"

namespace calico::calicert::requests {

// How messages and `-o name` call requests.
inline constexpr std::string_view kCsrPlural = "certificatesigningrequest.certificates.k8s.io";

// What is wrong with a request that is to be created, as the API server would see it and as no
// signer could mend: name, signer name, usages, duration. Empty: nothing.
std::vector<std::string> ObjectProblems(const api::CertificateSigningRequest& wanted);
// These, and those of the PKCS#10 request in it.
std::vector<std::string> RequestProblems(const api::CertificateSigningRequest& wanted);

// In what the request that is there differs from the one that is wanted: key, subject, names,
// signer, usages, duration. Empty: it asks for the same with the same key, however it is encoded.
std::vector<std::string> Differences(const api::CertificateSigningRequest& existing,
                                     const api::CertificateSigningRequest& wanted);

enum class Submission { kCreated, kUnchanged, kReplaced };
// "created", "unchanged", "replaced".
std::string_view ToString(Submission submission);

struct Submitted {
  Submission how = Submission::kCreated;
  api::CertificateSigningRequest csr;  // as the API server has it
};

enum class IfDifferent {
  kFail,
  kReplace,     // delete it and create it anew; the same one too if it is denied or has failed
  kReplaceOwn,  // the same if it has all the labels of the wanted one, and any at all
};

// Creates the object. Errors: AlreadyExists with every difference and what to do; InvalidArgument
// of RequestProblems; of the client.
aio::Task<absl::StatusOr<Submitted>> Submit(Cluster& cluster, api::CertificateSigningRequest wanted,
                                            IfDifferent if_different);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_SUBMISSION_H_
