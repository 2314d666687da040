// Controller: takes keys from a queue and reconciles them, some at a time.
//
// Reconcile takes a name, never an event: it reads everything again, decides and applies, and is
// safe to run twice.
#ifndef CALICO_PKG_CONTROLLER_CONTROLLER_H_
#define CALICO_PKG_CONTROLLER_CONTROLLER_H_

#include <functional>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/base/log.h"
#include "pkg/controller/metrics.h"
#include "pkg/controller/work_queue.h"

namespace calico::controller {

// What Reconcile asks for when all went well.
struct Result {
  absl::Duration requeue_after = absl::InfiniteDuration();
};

// A bad status requeues the key with backoff, whatever its code: codes come from the API server,
// whose mind may change. What only a change of the object can mend is reported (a condition, an
// Event), and then all went well: `Result{}` waits for that change.
using Reconcile = std::function<aio::Task<absl::StatusOr<Result>>(api::ObjectKey key)>;

struct ControllerOptions {
  std::string name;                      // for logs
  int workers = 1;                       // keys in work at the same time
  ControllerMetrics* metrics = nullptr;  // outlives the task
};

// What becomes of a key, and how loudly, after Reconcile has returned.
struct Disposition {
  enum class Next {
    kForget,      // nothing until the object changes
    kAfter,       // again after `wait`
    kRateLimited  // failed: again with backoff
  };
  Next next = Next::kForget;
  absl::Duration wait = absl::ZeroDuration();
  // Races with other writers and with our own cache end by trying again: not worth an error line.
  base::LogLevel level = base::LogLevel::kDebug;
};
Disposition DispositionOf(const absl::StatusOr<Result>& result);

// Runs until cancelled or the queue is shut down; work in progress is cancelled and awaited.
// Lifetime: `queue` and `logger` outlive the task.
aio::Task<void> RunController(ControllerOptions options, WorkQueue& queue, Reconcile reconcile,
                              const base::Logger& logger);

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_CONTROLLER_H_
