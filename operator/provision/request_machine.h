// RequestMachine: what to do next about our CertificateSigningRequest, without any I/O.
//
//   create -> (exists: look at it) -> watch our own name until issued, rejected or out of time
//
// It survives closed watches, expired resource versions, outages, refusals while an API server
// still fills its RBAC caches, and a request deleted under its feet. What goes wrong again right
// away, in whatever way, is tried again with growing waits and never beyond the time limit.
//
// A request that an earlier run of the pod made with the same key is taken up as it is: pending,
// approved or issued. What else has our name is deleted and ours created in its place: a request of
// this pod with another key, one that was rejected some time ago, and, three times, somebody
// else's.
#ifndef CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_
#define CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/provision/exit_code.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/backoff.h"

namespace calico::provision {

// Who we are and what we have asked for.
struct RequestIdentity {
  std::string server;  // URL, for messages
  std::string request_name;
  std::string request_pem;  // as submitted; equal bytes mean equal key
  std::string signer_name;
  std::string pod_namespace;
  std::string pod_name;
  std::string pod_uid;
  bool resumed = false;  // an earlier run has asked with these bytes, perhaps
  // Rejections of an earlier run's request that are older than this are asked about again, so that
  // a denial stands for a while, whoever restarts the container. Wall clock; of a rejection that is
  // lastTransitionTime, which the API server sets, where there is one: `kubectl certificate deny`
  // sets lastUpdateTime from the clock of the machine that it runs on.
  absl::Time rejections_before = absl::InfinitePast();
};

struct RequestStep {
  enum class Kind {
    kCreate,   // POST the request
    kInspect,  // list our own name
    kWatch,    // watch our own name from `resource_version`
    kReplace,  // delete the request with `uid`, then create; `why` tells the log
    kIssued,   // `certificate_pem` is there, approved
    kFinish,   // end with `outcome`
  };
  Kind kind = Kind::kCreate;
  absl::Duration wait = absl::ZeroDuration();  // before the step
  std::string resource_version;
  std::string uid;
  std::string why;
  std::string certificate_pem;
  Outcome outcome;
};

// Each On... takes the result of the step before and returns the next one. Times are of a steady
// clock: only their differences count. Not thread-safe.
class RequestMachine {
 public:
  // `timeout` runs from `now`, the time of submission.
  RequestMachine(RequestIdentity identity, absl::Time now, absl::Duration timeout);

  RequestStep Start() const;
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
  void NoteSuccess() {
    refused_since_ = absl::InfiniteFuture();
    reached_ = true;
  }
  RequestStep ServerFailed(const absl::Status& cause) const;
  RequestStep TimedOut(const absl::Status& cause) const;
  bool MadeByThisPod(const api::CertificateSigningRequest& csr) const;
  // Made by this pod with the bytes and for the signer that we want now.
  bool IsOurs(const api::CertificateSigningRequest& csr) const;
  // Whether it is this run that made the request with `uid`.
  bool MadeNow(const std::string& uid) const { return !uid.empty() && uid == created_uid_; }
  RequestStep ClearName(const api::CertificateSigningRequest& csr);
  RequestStep Rejected(const api::CertificateSigningRequest& csr, std::string_view verb,
                       const api::Condition& condition) const;

  RequestIdentity identity_;
  absl::Duration timeout_;
  absl::Time deadline_;
  base::Backoff backoff_;
  absl::Time watch_began_ = absl::InfinitePast();
  absl::Time refused_since_ = absl::InfiniteFuture();  // the first of 403s without a success since
  std::string created_uid_;                            // of the request that this run made last
  absl::Status not_deleted_;                           // why the last deletion failed
  int foreign_deletions_ = 0;                          // of somebody else's requests, tried
  bool reached_ = false;                               // the server has done something for us
  bool approved_ = false;  // as last seen, for the message when time runs out
};

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_REQUEST_MACHINE_H_
