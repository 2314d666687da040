#include "pkg/kube/client/retry_machine.h"

#include <algorithm>

namespace calico::kube {
namespace {

// 501 and 505 will not change by asking again.
bool IsServerTrouble(int http_status) {
  return http_status >= 500 && http_status != 501 && http_status != 505;
}

}  // namespace

RetryMachine::RetryMachine(Repeat repeat, base::BackoffOptions backoff)
    : repeat_(repeat), backoff_(backoff) {}

absl::Duration RetryMachine::AttemptTimeout(absl::Duration remaining) const {
  return repeat_ == Repeat::kSafe && attempts_ == 0 ? remaining / 2 : remaining;
}

bool RetryMachine::MayRepeat(const AttemptOutcome& outcome) const {
  if (repeat_ == Repeat::kNever) return false;
  if (!outcome.transport.ok()) {
    switch (outcome.transport.code()) {
      case absl::StatusCode::kUnavailable:
        return outcome.not_sent || repeat_ == Repeat::kSafe;
      case absl::StatusCode::kDeadlineExceeded:
        return repeat_ == Repeat::kSafe;
      default:
        return false;
    }
  }
  if (outcome.http_status == 429) return true;
  // Overload protection answers 503 with Retry-After before it handles the request.
  if (outcome.http_status == 503 && outcome.retry_after) return true;
  return repeat_ == Repeat::kSafe && IsServerTrouble(outcome.http_status);
}

RetryStep RetryMachine::Next(const AttemptOutcome& outcome, absl::Duration remaining,
                             double random) {
  using Kind = RetryStep::Kind;
  ++attempts_;
  if (outcome.transport.ok() && outcome.http_status == 401 && !refreshed_) {
    refreshed_ = true;
    return {Kind::kRefreshCredentials};
  }
  if (!MayRepeat(outcome) || attempts_ >= kMaxAttempts) return {Kind::kReturn};
  absl::Duration wait = backoff_.Next(random);
  // Jitter on top, so that clients that were told the same second do not return together.
  if (outcome.retry_after) wait = *outcome.retry_after + std::min(wait, absl::Seconds(1)) / 2;
  if (wait >= remaining) return {Kind::kReturn};
  return {Kind::kRetry, wait};
}

}  // namespace calico::kube
