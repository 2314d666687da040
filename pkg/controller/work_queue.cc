#include "pkg/controller/work_queue.h"

#include <utility>

#include <absl/container/flat_hash_map.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/timer.h"

namespace calico::controller {

struct WorkQueue::Impl {
  Impl(aio::Executor executor, const base::Clock& c, RateLimit limit, ControllerMetrics* m,
       FlowOf flow_of)
      : clock(c),
        metrics(m),
        limiter(limit),
        schedule(std::move(flow_of)),
        changed(std::move(executor)) {}

  absl::Time Now() const { return clock.SteadyNow(); }
  void Changed() {
    if (metrics != nullptr) metrics->depth.Set(static_cast<double>(schedule.ready()));
    changed.Notify();
  }
  void BeginWork(const KeySchedule::Taken& taken) {
    if (metrics == nullptr) return;
    const absl::Time now = Now();
    metrics->depth.Set(static_cast<double>(schedule.ready()));
    metrics->queue_seconds.Observe(absl::ToDoubleSeconds(now - taken.ready_since));
    metrics->active_workers.Add(1);
    began[taken.key] = now;
  }
  void EndWork(const api::ObjectKey& key) {
    const auto start = began.find(key);
    if (start == began.end()) return;
    metrics->reconcile_seconds.Observe(absl::ToDoubleSeconds(Now() - start->second));
    metrics->active_workers.Add(-1);
    began.erase(start);
  }

  const base::Clock& clock;
  ControllerMetrics* const metrics;
  RateLimiter limiter;
  KeySchedule schedule;
  aio::Notifier changed;  // a key was added, a worker left, or the queue was shut down
  bool shut_down = false;
  absl::flat_hash_map<api::ObjectKey, absl::Time> began;
};

WorkQueue::WorkQueue(aio::Executor executor, const base::Clock& clock, RateLimit limit,
                     ControllerMetrics* metrics, FlowOf flow_of)
    : impl_(
          std::make_unique<Impl>(std::move(executor), clock, limit, metrics, std::move(flow_of))) {}

WorkQueue::~WorkQueue() = default;

void WorkQueue::Add(const api::ObjectKey& key) {
  if (impl_->shut_down) return;
  if (impl_->metrics != nullptr) impl_->metrics->adds.Increment();
  impl_->schedule.Add(key, impl_->Now());
  impl_->Changed();
}

void WorkQueue::AddAfter(const api::ObjectKey& key, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) return Add(key);
  if (impl_->shut_down || delay == absl::InfiniteDuration()) return;
  if (impl_->metrics != nullptr) impl_->metrics->adds.Increment();
  impl_->schedule.AddAt(key, impl_->Now() + delay);
  impl_->Changed();
}

absl::Duration WorkQueue::AddRateLimited(const api::ObjectKey& key) {
  const absl::Duration wait = impl_->limiter.Failed(key, impl_->Now());
  if (impl_->metrics != nullptr) impl_->metrics->retries.Increment();
  AddAfter(key, wait);
  return wait;
}

void WorkQueue::Forget(const api::ObjectKey& key) { impl_->limiter.Forget(key); }

int WorkQueue::Failures(const api::ObjectKey& key) const { return impl_->limiter.failures(key); }

aio::Task<std::optional<api::ObjectKey>> WorkQueue::Get() {
  while (!impl_->shut_down) {
    if (co_await aio::IsCancelled()) co_return std::nullopt;
    const absl::Time now = impl_->Now();
    std::optional<KeySchedule::Taken> taken = impl_->schedule.Take(now);
    if (taken.has_value()) {
      impl_->BeginWork(*taken);
      // The other waiters may be waiting for a later time than what is next now.
      impl_->changed.Notify();
      co_return std::move(taken->key);
    }
    // Woken, in time for what is due, or cancelled: the next turn tells.
    (co_await impl_->changed.Wait(impl_->schedule.NextDue() - now)).IgnoreError();
  }
  impl_->changed.Notify();  // the other waiters end too
  co_return std::nullopt;
}

void WorkQueue::Done(const api::ObjectKey& key) {
  impl_->EndWork(key);
  impl_->schedule.Done(key, impl_->Now());
  impl_->Changed();
}

void WorkQueue::ShutDown() {
  impl_->shut_down = true;
  impl_->schedule.Clear();
  impl_->Changed();
}

size_t WorkQueue::size() const { return impl_->schedule.ready(); }

}  // namespace calico::controller
