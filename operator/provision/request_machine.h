// RequestMachine: what to do next about our CertificateSigningRequest, without any I/O.
//
//   create -> (exists: look at it) -> watch our own name until issued, rejected or out of time
//
// It survives closed watches, expired resource versions, outages, refusals while an API server
// still fills its RBAC caches, and a request deleted under its feet; it replaces a request of its
// name only when the same pod made it with another key. What goes wrong again right away, in
// whatever way, is tried again with growing waits and never beyond the time limit.
#ifndef CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_
#define CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_

#include <optional>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/provision/exit_code.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/backoff.h"

namespace calico::provision {

// Who we are and what we have asked for.
struct RequestIdentity {
  std::string request_name;
  std::string request_pem;  // as submitted; equal bytes mean equal key
  std::string signer_name;
  std::string pod_namespace;
  std::string pod_name;
  std::string pod_uid;
};

struct RequestStep {
  enum class Kind {
    kCreate,   // POST the request
    kInspect,  // list our own name
    kWatch,    // watch our own name from `resource_version`
    kReplace,  // delete the request with `uid`, then create
    kIssued,   // `certificate_pem` is there, approved
    kFinish,   // end with `outcome`
  };
  Kind kind = Kind::kCreate;
  absl::Duration wait = absl::ZeroDuration();  // before the step
  std::string resource_version;
  std::string uid;
  std::string certificate_pem;
  Outcome outcome;
};

// Each On... takes the result of the step before and returns the next one. Times are of a steady
// clock: only their differences count. Not thread-safe.
class RequestMachine {
 public:
  // `timeout` runs from `now`, the time of submission.
  RequestMachine(RequestIdentity identity, absl::Time now, absl::Duration timeout);

  RequestStep Start() const { return {}; }
  RequestStep OnCreated(const absl::StatusOr<api::CertificateSigningRequest>& created,
                        absl::Time now, double random);
  // `found`: our name's object, or nullopt; `resource_version`: the list's.
  RequestStep OnInspected(
      const absl::StatusOr<std::optional<api::CertificateSigningRequest>>& found,
      const std::string& resource_version, absl::Time now, double random);
  // An added or modified object during a watch; nullopt = go on watching.
  std::optional<RequestStep> OnChanged(const api::CertificateSigningRequest& csr);
  // Our object was deleted during a watch.
  RequestStep OnDeleted(absl::Time now, double random);
  RequestStep OnWatchEnded(const absl::Status& status, absl::Time now, double random);
  RequestStep OnReplaced(const absl::Status& deleted, absl::Time now, double random);

  absl::Duration Remaining(absl::Time now) const { return deadline_ - now; }

 private:
  // The step for the object as it is; nullopt = nothing to do but wait.
  std::optional<RequestStep> Judge(const api::CertificateSigningRequest& csr);
  RequestStep BeginWatch(std::string resource_version, absl::Time now);
  // `kind` after a backoff and what the server asks for on top, or the end when time is up.
  RequestStep Retry(RequestStep::Kind kind, const absl::Status& cause, absl::Time now,
                    double random);
  // `kind` at once when nothing went wrong since a watch that lasted, else as Retry.
  RequestStep Promptly(RequestStep::Kind kind, const absl::Status& cause, absl::Time now,
                       double random);
  // The server has done what we asked.
  void NoteSuccess() { refused_since_ = absl::InfiniteFuture(); }
  RequestStep TimedOut(const absl::Status& cause) const;
  bool MadeByThisPod(const api::CertificateSigningRequest& csr) const;

  RequestIdentity identity_;
  absl::Duration timeout_;
  absl::Time deadline_;
  base::Backoff backoff_;
  absl::Time watch_began_ = absl::InfinitePast();
  absl::Time refused_since_ = absl::InfiniteFuture();  // the first of 403s without a success since
  bool approved_ = false;  // as last seen, for the message when time runs out
};

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_
