#include "operator/provision/request_machine.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pkg/kube/client/errors.h"

namespace calico::provision {
namespace {

using Kind = RequestStep::Kind;

// An API server that starts answers 403 until its RBAC caches are filled, and at a first install
// the roles may come a moment after the pods.
constexpr absl::Duration kRefusalLimit = absl::Seconds(30);
// A watch that lived for this long was in order; what follows it is not a repeated failure.
constexpr absl::Duration kLasting = absl::Seconds(5);
// Who makes a request of our name again each time will not stop.
constexpr int kMostForeignDeletions = 3;

RequestStep Finish(ExitCode code, std::string message) {
  RequestStep step;
  step.kind = Kind::kFinish;
  step.outcome = {code, std::move(message)};
  return step;
}

RequestStep Step(Kind kind) {
  RequestStep step;
  step.kind = kind;
  return step;
}

RequestStep Replace(std::string uid, std::string why) {
  RequestStep step = Step(Kind::kReplace);
  step.uid = std::move(uid);
  step.why = std::move(why);
  return step;
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

RequestMachine::RequestMachine(RequestIdentity identity, absl::Time now, absl::Duration timeout)
    : identity_(std::move(identity)),
      timeout_(timeout),
      deadline_(now + timeout),
      backoff_({.initial = absl::Milliseconds(250), .cap = absl::Seconds(5), .jitter = 0.5}) {}

RequestStep RequestMachine::Start() const {
  return Step(identity_.resumed ? Kind::kInspect : Kind::kCreate);
}

RequestStep RequestMachine::OnCreated(const absl::StatusOr<api::CertificateSigningRequest>& created,
                                      absl::Time now, double random) {
  if (created.ok()) {
    created_uid_ = created->meta.uid;
    return BeginWatch(created->meta.resource_version, now);
  }
  // Whatever comes of the look, no way from there back to here is without waits.
  if (absl::IsAlreadyExists(created.status())) return Step(Kind::kInspect);
  return Retry(Kind::kCreate, created.status(), now, random);
}

RequestStep RequestMachine::OnInspected(
    const absl::StatusOr<std::optional<api::CertificateSigningRequest>>& found,
    const std::string& resource_version, absl::Time now, double random) {
  if (!found.ok()) return Retry(Kind::kInspect, found.status(), now, random);
  NoteSuccess();
  if (!found->has_value()) return Retry(Kind::kCreate, absl::OkStatus(), now, random);
  if (std::optional<RequestStep> step = Judge(**found)) return *std::move(step);
  if (now >= deadline_) return TimedOut(absl::OkStatus());
  return BeginWatch(resource_version, now);
}

std::optional<RequestStep> RequestMachine::OnChanged(const api::CertificateSigningRequest& csr) {
  return Judge(csr);
}

RequestStep RequestMachine::OnDeleted(absl::Time now, double random) {
  if (now - watch_began_ >= kLasting) backoff_.Reset();
  return Promptly(Kind::kCreate, absl::OkStatus(), now, random);
}

RequestStep RequestMachine::OnWatchEnded(const absl::Status& status, absl::Time now,
                                         double random) {
  // After a closed or expired watch the list tells what was missed.
  if (now - watch_began_ >= kLasting) backoff_.Reset();
  if (status.ok() || absl::IsOutOfRange(status)) {
    return Promptly(Kind::kInspect, status, now, random);
  }
  return Retry(Kind::kInspect, status, now, random);
}

RequestStep RequestMachine::OnReplaced(const absl::Status& deleted, absl::Time now, double random) {
  not_deleted_ = absl::OkStatus();
  if (deleted.ok() || absl::IsNotFound(deleted)) {
    return Promptly(Kind::kCreate, absl::OkStatus(), now, random);
  }
  // Another object has the name by now.
  if (absl::IsAborted(deleted)) return Promptly(Kind::kInspect, deleted, now, random);
  not_deleted_ = deleted;
  return Retry(Kind::kInspect, deleted, now, random);
}

RequestStep RequestMachine::BeginWatch(std::string resource_version, absl::Time now) {
  NoteSuccess();
  watch_began_ = now;
  RequestStep step = Step(Kind::kWatch);
  step.resource_version = std::move(resource_version);
  return step;
}

std::optional<RequestStep> RequestMachine::Judge(const api::CertificateSigningRequest& csr) {
  reached_ = true;
  if (!IsOurs(csr)) return ClearName(csr);
  approved_ = csr.IsApproved();
  if (const api::Condition* denied = csr.Denied()) return Rejected(csr, "was denied", *denied);
  if (const api::Condition* failed = csr.Failed()) return Rejected(csr, "has failed", *failed);
  if (!csr.IsApproved() || !csr.IsIssued()) return std::nullopt;
  RequestStep issued = Step(Kind::kIssued);
  issued.certificate_pem = csr.certificate_pem;
  return issued;
}

RequestStep RequestMachine::Rejected(const api::CertificateSigningRequest& csr,
                                     std::string_view verb, const api::Condition& condition) const {
  const absl::Time since = condition.last_transition_time.value_or(
      condition.last_update_time.value_or(absl::InfinitePast()));
  std::string message =
      fmt::format("CertificateSigningRequest {} {}: {}: {}", identity_.request_name, verb,
                  condition.reason, condition.message);
  if (!MadeNow(csr.meta.uid) && since < identity_.rejections_before) {
    return Replace(csr.meta.uid, std::move(message));
  }
  message += fmt::format(
      "; once the cause is mended the pod asks again by itself within minutes, or at its next "
      "start "
      "when the request is deleted: kubectl delete csr {}",
      identity_.request_name);
  return Finish(ExitCode::kRejected, std::move(message));
}

RequestStep RequestMachine::ClearName(const api::CertificateSigningRequest& csr) {
  if (MadeByThisPod(csr)) return Replace(csr.meta.uid, "an earlier run asked for something else");
  const std::string holder = fmt::format("made by '{}' (pod uid '{}'), not by this pod",
                                         csr.username, csr.SingleExtra(api::kExtraPodUid));
  if (foreign_deletions_ < kMostForeignDeletions) {
    ++foreign_deletions_;
    return Replace(csr.meta.uid, holder);
  }
  const std::string outcome =
      not_deleted_.ok() ? fmt::format("is there again after {} deletions", kMostForeignDeletions)
                        : fmt::format("cannot be deleted: {}", MessageOf(not_deleted_));
  return Finish(ExitCode::kNameHeld,
                fmt::format("CertificateSigningRequest {}, {}, {}; find out who holds this name, "
                            "then delete the request",
                            identity_.request_name, holder, outcome));
}

bool RequestMachine::IsOurs(const api::CertificateSigningRequest& csr) const {
  return csr.request_pem == identity_.request_pem && csr.signer_name == identity_.signer_name &&
         (MadeNow(csr.meta.uid) || MadeByThisPod(csr));
}

// A pod has one service account for life and the server vouches for the uid, so an equal uid in
// our namespace is the same requester.
bool RequestMachine::MadeByThisPod(const api::CertificateSigningRequest& csr) const {
  const std::string prefix = fmt::format("system:serviceaccount:{}:", identity_.pod_namespace);
  return csr.username.starts_with(prefix) &&
         csr.SingleExtra(api::kExtraPodName) == identity_.pod_name &&
         csr.SingleExtra(api::kExtraPodUid) == identity_.pod_uid;
}

RequestStep RequestMachine::Retry(Kind kind, const absl::Status& cause, absl::Time now,
                                  double random) {
  if (absl::IsInvalidArgument(cause)) return ServerFailed(cause);
  if (absl::IsPermissionDenied(cause)) {
    refused_since_ = std::min(refused_since_, now);
    if (now - refused_since_ >= kRefusalLimit) return ServerFailed(cause);
  }
  if (now >= deadline_) return TimedOut(cause);
  RequestStep step = Step(kind);
  step.wait = backoff_.Next(random);
  // A server that cannot take all watches at once says when to come back; the jitter stays, so that
  // those who were told the same second do not come together.
  if (const std::optional<kube::ApiError> error = kube::FindApiError(cause)) {
    step.wait += error->retry_after.value_or(absl::ZeroDuration());
  }
  step.wait = std::min(step.wait, deadline_ - now);
  return step;
}

RequestStep RequestMachine::Promptly(Kind kind, const absl::Status& cause, absl::Time now,
                                     double random) {
  if (backoff_.steps() > 0) return Retry(kind, cause, now, random);
  if (now >= deadline_) return TimedOut(cause);
  (void)backoff_.Next(random);  // not at once the next time
  return Step(kind);
}

RequestStep RequestMachine::ServerFailed(const absl::Status& cause) const {
  return Finish(ExitCode::kApiError,
                fmt::format("API server {}: {}", identity_.server, MessageOf(cause)));
}

RequestStep RequestMachine::TimedOut(const absl::Status& cause) const {
  if (!reached_ && !cause.ok()) return ServerFailed(cause);
  const std::string what =
      approved_
          ? fmt::format("approved, but signer {} issued no certificate", identity_.signer_name)
          : fmt::format("nobody approved it; is an approver for signer {} running?",
                        identity_.signer_name);
  std::string message = fmt::format("CertificateSigningRequest {}: no certificate within {}: {}",
                                    identity_.request_name, absl::FormatDuration(timeout_), what);
  if (!cause.ok()) message += fmt::format(" (last error: {})", MessageOf(cause));
  return Finish(ExitCode::kTimeout, std::move(message));
}

}  // namespace calico::provision
