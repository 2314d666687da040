#include "operator/calicert/requests/waiting.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <absl/cleanup/cleanup.h>
#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

constexpr absl::Duration kLookAgain = absl::Seconds(1);
constexpr absl::Duration kLongestWatch = absl::Minutes(8);
// An API server that starts refuses everybody until it has read its roles.
constexpr int kMostRefusals = 5;

// One watch of one name, from where the object was read.
class NameWatch {
 public:
  NameWatch(Cluster& cluster, WaitFor what, Waited& waited)
      : cluster_(cluster), what_(what), waited_(waited) {}

  // OK when it ended without a result.
  aio::Task<absl::Status> Run(absl::Duration remaining) {
    kube::WatchOptions options;
    options.field_selector = FieldSelector("metadata.name", waited_.csr.meta.name);
    options.resource_version = waited_.csr.meta.resource_version;
    options.duration =
        std::clamp(absl::Ceil(remaining, absl::Seconds(1)), absl::Seconds(1), kLongestWatch);
    options.idle_limit = std::min(remaining, options.idle_limit);
    const absl::Status ended = co_await cluster_.client.Watch(
        api::kCertificateSigningRequests, options,
        [this](const kube::WatchEvent& event) { return Take(event); });
    co_return ended;
  }
  bool is_done() const { return done_; }

 private:
  absl::Status Take(const kube::WatchEvent& event) {
    if (event.type == kube::WatchEventType::kBookmark) return absl::OkStatus();
    if (event.type == kube::WatchEventType::kDeleted) {
      waited_.end = WaitEnd::kDeleted;
    } else {
      CALICO_ASSIGN_OR_RETURN(waited_.csr, Csr::Decode(event.object));
      waited_.end = Judge(waited_.csr, what_);
    }
    done_ = waited_.end != WaitEnd::kTimeout;
    // An error ends the watch; `done_` tells that it is none.
    return done_ ? absl::CancelledError("enough seen") : absl::OkStatus();
  }

  Cluster& cluster_;
  const WaitFor what_;
  Waited& waited_;
  bool done_ = false;
};

std::string WithReason(std::string_view did, const std::string& name, const api::Condition* why) {
  std::string text = fmt::format("certificate signing request {:?} {}", name, did);
  if (why != nullptr) text += fmt::format(" ({}: {})", why->reason, why->message);
  return text;
}

}  // namespace

WaitEnd Judge(const Csr& csr, WaitFor what) {
  if (csr.IsDenied()) return WaitEnd::kDenied;
  if (csr.IsFailed()) return WaitEnd::kFailed;
  if (!csr.IsApproved()) return WaitEnd::kTimeout;
  return what == WaitFor::kApproved || csr.IsIssued() ? WaitEnd::kReached : WaitEnd::kTimeout;
}

std::string Describe(const Waited& waited, const std::string& name, WaitFor what,
                     absl::Duration timeout) {
  switch (waited.end) {
    case WaitEnd::kReached:
      return WithReason(what == WaitFor::kIssued ? "is issued" : "is approved", name, nullptr);
    case WaitEnd::kDenied:
      return WithReason("was denied", name, waited.csr.Denied());
    case WaitEnd::kFailed:
      return WithReason("has failed", name, waited.csr.Failed());
    case WaitEnd::kDeleted:
      return WithReason("was deleted", name, nullptr);
    case WaitEnd::kTimeout:
      break;
  }
  const std::string_view missing =
      waited.csr.IsApproved() ? "is approved, and nobody has signed it" : "has not been approved";
  return WithReason(fmt::format("{} within {}: is a signer for {} running (calicert check "
                                "--signer-name {})?",
                                missing, absl::FormatDuration(timeout), waited.csr.signer_name,
                                waited.csr.signer_name),
                    name, nullptr);
}

aio::Task<absl::StatusOr<Waited>> WaitInCluster(Cluster& cluster, std::string name, WaitFor what,
                                                absl::Duration timeout) {
  const absl::Time end = cluster.terminal.clock.SteadyNow() + timeout;
  const absl::Cleanup impatient = [&cluster] { cluster.is_patient = false; };
  Waited waited;
  int refusals = 0;  // in a row
  for (bool seen = false;;) {
    const absl::StatusOr<json::object> object =
        co_await cluster.client.Get(api::kCertificateSigningRequests, {"", name}, cluster.timeout);
    const absl::Duration remaining = end - cluster.terminal.clock.SteadyNow();
    if (absl::IsNotFound(object.status()) && seen) {
      waited.end = WaitEnd::kDeleted;
      co_return waited;
    }
    if (!object.ok()) {
      const bool is_refusal =
          absl::IsPermissionDenied(object.status()) || absl::IsUnauthenticated(object.status());
      const bool may_change = is_refusal ? ++refusals < kMostRefusals : IsNoAnswer(object.status());
      if (!seen || !may_change || remaining <= absl::ZeroDuration()) co_return object.status();
      const absl::Status slept = co_await aio::Sleep(std::min(kLookAgain, remaining));
      if (!slept.ok()) co_return slept;
      continue;
    }
    seen = true;
    refusals = 0;
    cluster.is_patient = true;
    CALICO_CO_ASSIGN_OR_RETURN(waited.csr, Csr::Decode(*object));
    waited.end = Judge(waited.csr, what);
    if (waited.end != WaitEnd::kTimeout || remaining <= absl::ZeroDuration()) co_return waited;
    NameWatch watch(cluster, what, waited);
    const absl::Status ended = co_await aio::WithDeadline(watch.Run(remaining), remaining);
    if (watch.is_done()) co_return waited;
    // What went wrong with the watch is no reason to give up; looking may still be possible.
    if (!ended.ok() && !absl::IsDeadlineExceeded(ended)) {
      const absl::Status slept = co_await aio::Sleep(std::min(kLookAgain, remaining));
      if (!slept.ok()) co_return slept;
    }
  }
}

}  // namespace calico::calicert::requests
