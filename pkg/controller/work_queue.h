// WorkQueue: keys waiting to be reconciled, each at most once; client-go's rules.
#ifndef CALICO_PKG_CONTROLLER_WORK_QUEUE_H_
#define CALICO_PKG_CONTROLLER_WORK_QUEUE_H_

#include <cstddef>
#include <memory>
#include <optional>

#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/base/clock.h"
#include "pkg/controller/key_schedule.h"
#include "pkg/controller/metrics.h"
#include "pkg/controller/rate_limiter.h"

namespace calico::controller {

// Threading: event loop thread only. Lifetime: outlives the tasks that use it.
class WorkQueue {
 public:
  // `metrics` may be null. With `flow_of` the flows of keys take turns (see KeySchedule).
  // `clock`, `metrics` and what `flow_of` refers to outlive the queue: `flow_of` is called by Add
  // and Done.
  WorkQueue(aio::Executor executor, const base::Clock& clock, RateLimit limit = {},
            ControllerMetrics* metrics = nullptr, FlowOf flow_of = nullptr);
  ~WorkQueue();

  // A key that is waiting is not added twice; one that is being processed is queued again by Done.
  void Add(const api::ObjectKey& key);
  // The earliest due time wins when a key is added more than once.
  void AddAfter(const api::ObjectKey& key, absl::Duration delay);
  // After a failure: base * 2^failures; later when too many keys fail. At most cap. Returns the
  // wait.
  absl::Duration AddRateLimited(const api::ObjectKey& key);
  // Success: the key's failures are forgotten.
  void Forget(const api::ObjectKey& key);
  int Failures(const api::ObjectKey& key) const;

  // The next key, fair by flow, which is then being processed until Done. nullopt after ShutDown or
  // cancellation.
  aio::Task<std::optional<api::ObjectKey>> Get();
  void Done(const api::ObjectKey& key);

  // Get returns nullopt from now on; what waits is dropped.
  void ShutDown();
  // Keys ready to be taken.
  size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_WORK_QUEUE_H_
