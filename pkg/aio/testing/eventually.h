// Waiting in tests for what other tasks bring about.
#ifndef CALICO_PKG_AIO_TESTING_EVENTUALLY_H_
#define CALICO_PKG_AIO_TESTING_EVENTUALLY_H_

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/aio/timer.h"

namespace calico::aio {

// True as soon as `condition()` is, false when it still is not after `limit`, which is long enough
// for a sanitizer build on a busy machine.
template <class Condition>
Task<bool> Eventually(Condition condition, absl::Duration limit = absl::Seconds(30)) {
  const absl::Time end = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > end || !(co_await Sleep(absl::Milliseconds(1))).ok()) co_return condition();
  }
  co_return true;
}

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_TESTING_EVENTUALLY_H_
