#include "pkg/controller/controller.h"

#include <optional>
#include <utility>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"

namespace calico::controller {
namespace {

// What the workers of one controller share; lives on RunController's stack.
struct Shared {
  const ControllerOptions options;
  WorkQueue& queue;
  const Reconcile reconcile;
  const base::Logger& logger;
};

void Count(const Shared& shared, const Disposition& disposition) {
  ControllerMetrics* const metrics = shared.options.metrics;
  if (metrics == nullptr) return;
  switch (disposition.next) {
    case Disposition::Next::kForget:
      return metrics->succeeded.Increment();
    case Disposition::Next::kAfter:
      return metrics->requeued.Increment();
    case Disposition::Next::kRateLimited:
      return metrics->failed.Increment();
  }
}

void LogFailure(const Shared& shared, const api::ObjectKey& key, const Disposition& disposition,
                const absl::Status& status, int attempt, absl::Duration wait) {
  const base::Logger::Fields fields = {{"controller", shared.options.name},
                                       {"namespace", key.ns},
                                       {"name", key.name},
                                       {"attempt", attempt},
                                       {"retry_after", wait},
                                       {"error", status}};
  if (disposition.level == base::LogLevel::kError) {
    shared.logger.Error("reconcile failed", fields);
  } else {
    shared.logger.Debug("reconcile will be tried again", fields);
  }
}

void Settle(const Shared& shared, const api::ObjectKey& key, const absl::StatusOr<Result>& result) {
  const Disposition disposition = DispositionOf(result);
  Count(shared, disposition);
  if (disposition.next == Disposition::Next::kRateLimited) {
    const absl::Duration wait = shared.queue.AddRateLimited(key);
    LogFailure(shared, key, disposition, result.status(), shared.queue.Failures(key), wait);
    return;
  }
  shared.queue.Forget(key);
  if (disposition.next == Disposition::Next::kAfter) shared.queue.AddAfter(key, disposition.wait);
}

aio::Task<void> Work(const Shared& shared) {
  while (std::optional<api::ObjectKey> key = co_await shared.queue.Get()) {
    const absl::StatusOr<Result> result = co_await shared.reconcile(*key);
    const bool cancelled = co_await aio::IsCancelled();
    if (!cancelled) Settle(shared, *key, result);
    shared.queue.Done(*key);
    if (cancelled) co_return;
  }
}

}  // namespace

Disposition DispositionOf(const absl::StatusOr<Result>& result) {
  using Next = Disposition::Next;
  using base::LogLevel;
  if (result.ok()) {
    if (result->requeue_after == absl::InfiniteDuration()) return {Next::kForget};
    return {Next::kAfter, result->requeue_after};
  }
  switch (result.status().code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kCancelled:
      return {.next = Next::kRateLimited, .level = LogLevel::kDebug};
    default:
      return {.next = Next::kRateLimited, .level = LogLevel::kError};
  }
}

aio::Task<void> RunController(ControllerOptions options, WorkQueue& queue, Reconcile reconcile,
                              const base::Logger& logger) {
  const Shared shared{std::move(options), queue, std::move(reconcile), logger};
  aio::TaskGroup workers(co_await aio::CurrentExecutor());
  for (int i = 0; i < shared.options.workers; ++i) workers.Spawn(Work(shared));
  co_await workers.Join();
  co_await workers.Stop();
}

}  // namespace calico::controller
