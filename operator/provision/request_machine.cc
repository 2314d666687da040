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

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

RequestMachine::RequestMachine(RequestIdentity identity, absl::Time now, absl::Duration timeout)
    : identity_(std::move(identity)),
      timeout_(timeout),
      deadline_(now + timeout),
      backoff_({.initial = absl::Milliseconds(250), .cap = absl::Seconds(5), .jitter = 0.5}) {}

RequestStep RequestMachine::OnCreated(const absl::StatusOr<api::CertificateSigningRequest>& created,
                                      absl::Time now, double random) {
  if (created.ok()) return BeginWatch(created->meta.resource_version, now);
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
  if (deleted.ok() || absl::IsNotFound(deleted)) {
    return Promptly(Kind::kCreate, absl::OkStatus(), now, random);
  }
  // Another object has the name by now.
  if (absl::IsAborted(deleted)) return Promptly(Kind::kInspect, deleted, now, random);
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
  const auto rejected = [this](std::string_view verb, const api::Condition& condition) {
    return Finish(ExitCode::kRejected,
                  fmt::format("CertificateSigningRequest {} {}: {}: {}", identity_.request_name,
                              verb, condition.reason, condition.message));
  };
  if (csr.request_pem != identity_.request_pem) {
    if (!MadeByThisPod(csr)) {
      return Finish(
          ExitCode::kNameHeld,
          fmt::format("CertificateSigningRequest {} exists already and was made by '{}' (pod uid "
                      "'{}'), not by this pod; look at it, then delete it",
                      identity_.request_name, csr.username, csr.SingleExtra(api::kExtraPodUid)));
    }
    RequestStep replace = Step(Kind::kReplace);
    replace.uid = csr.meta.uid;
    return replace;
  }
  approved_ = csr.IsApproved();
  if (const api::Condition* denied = csr.Denied()) return rejected("was denied", *denied);
  if (const api::Condition* failed = csr.Failed()) return rejected("has failed", *failed);
  if (!csr.IsApproved() || !csr.IsIssued()) return std::nullopt;
  RequestStep issued = Step(Kind::kIssued);
  issued.certificate_pem = csr.certificate_pem;
  return issued;
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
  if (absl::IsInvalidArgument(cause)) return Finish(ExitCode::kApiError, MessageOf(cause));
  if (absl::IsPermissionDenied(cause)) {
    refused_since_ = std::min(refused_since_, now);
    if (now - refused_since_ >= kRefusalLimit) return Finish(ExitCode::kApiError, MessageOf(cause));
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

RequestStep RequestMachine::TimedOut(const absl::Status& cause) const {
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
