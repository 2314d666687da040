#include "pkg/base/backoff.h"

#include <algorithm>
#include <random>

namespace calico::base {

absl::Duration Backoff::Next(double random) {
  absl::Duration base = options_.initial;
  for (int i = 0; i < steps_ && base < options_.cap; ++i) base *= options_.factor;
  ++steps_;
  return std::min(base, options_.cap) * (1.0 + options_.jitter * random);
}

double RandomUnit() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace calico::base
