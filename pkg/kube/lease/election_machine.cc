#include "pkg/kube/lease/election_machine.h"

#include <algorithm>
#include <utility>

#include "pkg/base/check.h"

namespace calico::kube {
namespace {

using Kind = ElectionStep::Kind;

constexpr double kJitter = 1.2;

// Whether a holder has written in between. Labels and the like do not count: only a write by the
// holder shows that it lives.
bool SameRecord(const api::Lease& a, const api::Lease& b) {
  return a.holder_identity == b.holder_identity &&
         a.lease_duration_seconds == b.lease_duration_seconds && a.acquire_time == b.acquire_time &&
         a.renew_time == b.renew_time && a.lease_transitions == b.lease_transitions;
}

}  // namespace

ElectionMachine::ElectionMachine(LeaderElectionOptions options) : options_(std::move(options)) {
  CALICO_CHECK(!options_.identity.empty());
  CALICO_CHECK(options_.lease_duration >= absl::Seconds(1));
  CALICO_CHECK(options_.lease_duration > options_.renew_deadline);
  CALICO_CHECK(options_.renew_deadline > options_.retry_period * kJitter);
  CALICO_CHECK(options_.retry_period > absl::ZeroDuration());
}

ElectionStep ElectionMachine::AfterRead(const absl::StatusOr<api::Lease>& lease, ElectionTime now,
                                        double random) {
  if (absl::IsNotFound(lease.status())) {
    observed_.reset();
    return Take(now);
  }
  if (!lease.ok()) return TryLater(now, random);
  Observe(*lease, now.steady);
  if (!HeldByOther(now.steady)) return Take(now);
  if (leading_) return {Kind::kLost};
  return {Kind::kFollow, Expiry() - now.steady, *observed_};
}

ElectionStep ElectionMachine::AfterWrite(const absl::StatusOr<api::Lease>& lease,
                                         ElectionTime began, ElectionTime now, double random) {
  if (lease.ok()) {
    observed_ = *lease;
    observed_at_ = began.steady;
    renewed_at_ = began.steady;
    leading_ = true;
    conflicted_ = false;
    // The period runs from when the write was sent too: slow writes must not use up the deadline.
    const absl::Duration left = std::max(absl::ZeroDuration(), RenewLimit() - now.steady);
    const absl::Duration wait = renewed_at_ + options_.retry_period - now.steady;
    return {Kind::kWait, std::clamp(wait, absl::ZeroDuration(), left)};
  }
  // The next read tells who was faster; a second conflict in a row is left to the next try.
  const bool conflict = absl::IsAborted(lease.status()) || absl::IsAlreadyExists(lease.status()) ||
                        (absl::IsNotFound(lease.status()) && !creating_);
  if (conflict && !std::exchange(conflicted_, true)) return {Kind::kRead};
  return TryLater(now, random);
}

ElectionStep ElectionMachine::AfterWait(ElectionTime now) {
  if (!leading_) return {Kind::kRead};
  if (now.steady >= RenewLimit()) return {Kind::kLost};
  return Renewal(now);
}

bool ElectionMachine::Observe(const api::Lease& lease, absl::Time now) {
  if (!observed_.has_value() || !SameRecord(*observed_, lease)) observed_at_ = now;
  observed_ = lease;
  return !HeldByOther(now);
}

const std::string& ElectionMachine::holder() const {
  static const std::string none;
  return observed_.has_value() ? observed_->holder_identity : none;
}

absl::Duration ElectionMachine::CallTimeout(absl::Time now) const {
  const absl::Duration timeout = std::max(absl::Seconds(1), options_.renew_deadline / 2);
  return leading_ ? std::min(timeout, RenewLimit() - now) : timeout;
}

absl::Duration ElectionMachine::RetryWait(double random) const {
  return options_.retry_period * (1 + kJitter * random);
}

std::optional<api::Lease> ElectionMachine::Released(ElectionTime now) const {
  if (!observed_.has_value() || observed_->holder_identity != options_.identity) {
    return std::nullopt;
  }
  api::Lease lease = *observed_;
  lease.holder_identity.clear();
  lease.lease_duration_seconds = 1;
  lease.acquire_time = now.wall;
  lease.renew_time = now.wall;
  return lease;
}

absl::Time ElectionMachine::Expiry() const {
  const int seconds = observed_->lease_duration_seconds.value_or(0);
  return observed_at_ + (seconds > 0 ? absl::Seconds(seconds) : options_.lease_duration);
}

bool ElectionMachine::HeldByOther(absl::Time now) const {
  if (!observed_.has_value() || observed_->holder_identity.empty()) return false;
  return observed_->holder_identity != options_.identity && now < Expiry();
}

ElectionStep ElectionMachine::Take(ElectionTime now) {
  may_hold_ = true;
  if (observed_.has_value() && observed_->holder_identity == options_.identity) {
    return Renewal(now);
  }
  creating_ = !observed_.has_value();
  ElectionStep step{creating_ ? Kind::kCreate : Kind::kUpdate};
  if (observed_.has_value()) {
    step.lease = *observed_;
    ++step.lease.lease_transitions;
  } else {
    step.lease.meta.ns = options_.lease.ns;
    step.lease.meta.name = options_.lease.name;
  }
  step.lease.holder_identity = options_.identity;
  step.lease.lease_duration_seconds =
      static_cast<int>(absl::ToInt64Seconds(absl::Ceil(options_.lease_duration, absl::Seconds(1))));
  step.lease.acquire_time = now.wall;
  step.lease.renew_time = now.wall;
  return step;
}

ElectionStep ElectionMachine::Renewal(ElectionTime now) {
  creating_ = false;
  ElectionStep step{Kind::kUpdate, absl::ZeroDuration(), *observed_};
  step.lease.renew_time = now.wall;
  return step;
}

ElectionStep ElectionMachine::TryLater(ElectionTime now, double random) {
  conflicted_ = false;
  if (!leading_) return {Kind::kWait, RetryWait(random)};
  const absl::Duration left = RenewLimit() - now.steady;
  if (left <= absl::ZeroDuration()) return {Kind::kLost};
  return {Kind::kWait, std::min(options_.retry_period, left)};
}

}  // namespace calico::kube
