// Waiting for what others do with a request.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_WAITING_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_WAITING_H_

#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster.h"
#include "pkg/aio/task.h"
#include "pkg/api/certificates/certificate_signing_request.h"

namespace calico::calicert::requests {

enum class WaitFor { kIssued, kApproved };
enum class WaitEnd {
  kReached,
  kDenied,
  kFailed,
  kDeleted,
  kTimeout,
};

struct Waited {
  WaitEnd end = WaitEnd::kTimeout;
  api::CertificateSigningRequest csr;  // as it was seen last
};

// What a look at the request tells; kTimeout: nothing yet. Issued is what has a certificate and is
// approved, in whatever order that came.
WaitEnd Judge(const api::CertificateSigningRequest& csr, WaitFor what);

// "certificate signing request \"a\" was denied (Reason: message)" and the like.
std::string Describe(const Waited& waited, const std::string& name, WaitFor what,
                     absl::Duration timeout);

// Watches the request, and looks again every second where it may not be watched, or while the API
// server does not answer. Errors: of the client: at the beginning all of them, NotFound as well;
// later refusals that come again and again, and the lack of an answer when the time is over.
aio::Task<absl::StatusOr<Waited>> WaitInCluster(Cluster& cluster, std::string name, WaitFor what,
                                                absl::Duration timeout);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_WAITING_H_
