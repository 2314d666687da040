// Exponential backoff with jitter, as a value that tests can follow step by step.
//
//   Backoff backoff({.initial = absl::Milliseconds(800), .cap = absl::Seconds(30)});
//   sleep(backoff.Next(rng()));   // rng in [0, 1)
#ifndef CALICO_PKG_BASE_BACKOFF_H_
#define CALICO_PKG_BASE_BACKOFF_H_

#include <absl/time/time.h>

namespace calico::base {

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(800);
  double factor = 2.0;
  absl::Duration cap = absl::Seconds(30);
  // The wait is drawn from [base, base * (1 + jitter)).
  double jitter = 1.0;
};

// Not thread-safe.
class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) : options_(options) {}

  // The next wait; `random` in [0, 1) places it within the jitter. Never above cap * (1 + jitter).
  absl::Duration Next(double random);
  // Starts again from `initial`.
  void Reset() { steps_ = 0; }
  // How often Next was called since the last Reset.
  int steps() const { return steps_; }

 private:
  BackoffOptions options_;
  int steps_ = 0;
};

// A uniformly random number in [0, 1) from the system's generator, not for keys.
double RandomUnit();

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_BACKOFF_H_
