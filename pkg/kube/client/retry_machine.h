// RetryMachine decides what follows an attempt of one API call: no I/O, no clock.
//
//   RetryMachine machine(Repeat::kSafe);
//   for (;;) {
//     ... attempt within machine.AttemptTimeout(remaining) ...
//     const RetryStep step = machine.Next(outcome, remaining, base::RandomUnit());
//     if (step.kind == RetryStep::Kind::kReturn) return the outcome;
//   }
#ifndef CALICO_PKG_KUBE_CLIENT_RETRY_MACHINE_H_
#define CALICO_PKG_KUBE_CLIENT_RETRY_MACHINE_H_

#include <optional>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/base/backoff.h"

namespace calico::kube {

// Whether a request may reach the server more than once.
enum class Repeat {
  kNever,   // the caller has its own loop (watch): only credentials are refreshed
  kUnsafe,  // create, update, merge patch: only after answers that say nothing was done
  kSafe,    // get, list, apply, delete with preconditions
};

// What one attempt came to.
struct AttemptOutcome {
  // OK: a complete response; otherwise the error of http::Client.
  absl::Status transport;
  // The request cannot have reached the server (refused, name lookup, TLS handshake).
  bool not_sent = false;
  int http_status = 0;  // with a response
  std::optional<absl::Duration> retry_after;
};

struct RetryStep {
  enum class Kind {
    kReturn,              // the outcome is final
    kRetry,               // sleep `wait`, then attempt again
    kRefreshCredentials,  // forget cached credentials; attempt again if that may help, else return
  };
  Kind kind = Kind::kReturn;
  absl::Duration wait = absl::ZeroDuration();
};

class RetryMachine {
 public:
  static constexpr int kMaxAttempts = 12;

  // Default waits: 100 ms, doubled to 5 s, jittered up to twice that.
  explicit RetryMachine(Repeat repeat,
                        base::BackoffOptions backoff = {.initial = absl::Milliseconds(100),
                                                        .cap = absl::Seconds(5)});

  // How long the next attempt may take. The first one of a call that may be repeated gets half of
  // what remains: a connection to a server that fell silent must not use up the whole deadline.
  absl::Duration AttemptTimeout(absl::Duration remaining) const;

  // A wait that does not fit into `remaining` is not begun: the caller gets the cause, not a
  // deadline error. `random` in [0, 1) places backoff within its jitter.
  RetryStep Next(const AttemptOutcome& outcome, absl::Duration remaining, double random);

  int attempts() const { return attempts_; }

 private:
  bool MayRepeat(const AttemptOutcome& outcome) const;

  Repeat repeat_;
  base::Backoff backoff_;
  int attempts_ = 0;
  bool refreshed_ = false;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_RETRY_MACHINE_H_
