// Approving and denying by hand, as `kubectl certificate approve|deny` does it.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_APPROVAL_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_APPROVAL_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster.h"
#include "pkg/aio/task.h"
#include "pkg/codec/json.h"

namespace calico::calicert::requests {

enum class Verdict { kApprove, kDeny };
// "approved", "denied".
std::string_view Done(Verdict verdict);

struct Ruling {
  Verdict verdict = Verdict::kApprove;
  std::string reason;   // CamelCase; empty: CalicertApprove or CalicertDeny
  std::string message;  // empty: a sentence that says who
  bool force = false;   // write it even if it stands there already
  std::string uid;      // only of this object; empty: of whatever has the name
};

// FailedPrecondition when the object of this name is another one than that with `uid`: whoever made
// a request rules on and signs that one, and not what somebody has put in its place.
absl::Status CheckNotReplaced(std::string_view uid, std::string_view uid_there,
                              std::string_view name);

// Adds the condition to a CertificateSigningRequest. False: it is there already, nothing changes.
// Errors: FailedPrecondition: the opposite condition is there, and neither is ever taken back; it
// is another object.
absl::StatusOr<bool> AddRuling(const Ruling& ruling, absl::Time now, json::object& csr);

// The same in the cluster. The object as it is then.
aio::Task<absl::StatusOr<json::object>> Rule(Cluster& cluster, std::string name, Ruling ruling);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_APPROVAL_H_
