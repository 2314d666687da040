#include "pkg/controller/manager.h"

#include <cstdlib>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/check.h"

namespace calico::controller {
namespace {

constexpr absl::Duration kSyncReminder = absl::Seconds(30);

struct Part {
  std::string kind;
  std::string name;
  std::function<aio::Task<void>()> run;
  std::function<aio::Task<absl::Status>(absl::Duration)> wait_for_sync;  // caches only
  bool running = false;
};

metrics::Gauge* AddMasterStatus(const ManagerOptions& options) {
  if (options.metrics == nullptr) return nullptr;
  const std::string lease =
      options.leader_election.has_value() ? options.leader_election->lease.name : "";
  return &options.metrics->AddGauge("leader_election_master_status",
                                    "1 if this process leads, otherwise 0.", {{"name", lease}});
}

}  // namespace

struct Manager::Impl {
  Impl(aio::Executor e, kube::Client& cl, ManagerOptions o, const base::Clock& c,
       const base::Logger& l)
      : executor(std::move(e)),
        client(cl),
        options(std::move(o)),
        clock(c),
        logger(l),
        watchers(executor),
        servers(executor),
        caches(executor),
        leadership(executor),
        ended(executor),
        synced(executor),
        master_status(AddMasterStatus(options)) {}

  aio::Task<absl::Status> Run(aio::Task<void> stop);
  aio::Task<void> WaitForStop(aio::Task<void> stop);
  aio::Task<void> RunPart(Part& part);
  aio::Task<void> WaitForSync(Part& cache);
  aio::Task<void> RunLeadership();
  aio::Task<absl::Status> Lead();
  aio::Task<void> StopAll();
  aio::Task<void> LimitStop();
  void Start(std::deque<Part>& parts, aio::TaskGroup& group);
  void End(absl::Status status);
  void StopTimedOut() const;
  void SetLeading(bool value);

  const aio::Executor executor;
  kube::Client& client;
  const ManagerOptions options;
  const base::Clock& clock;
  const base::Logger& logger;

  std::deque<Part> server_parts;
  std::deque<Part> cache_parts;
  std::deque<Part> controller_parts;

  aio::TaskGroup watchers;  // what waits for the stop signal
  aio::TaskGroup servers;
  aio::TaskGroup caches;
  aio::TaskGroup leadership;
  aio::Notifier ended;
  aio::Notifier synced;
  size_t unsynced = 0;
  bool started = false;
  bool leading = false;
  metrics::Gauge* const master_status;  // may be null
  std::optional<absl::Status> outcome;  // why everything ends; the first reason counts
};

aio::Task<absl::Status> Manager::Impl::Run(aio::Task<void> stop) {
  CALICO_CHECK(!std::exchange(started, true));
  watchers.Spawn(WaitForStop(std::move(stop)));
  Start(server_parts, servers);
  unsynced = cache_parts.size();
  Start(cache_parts, caches);
  for (Part& cache : cache_parts) caches.Spawn(WaitForSync(cache));
  leadership.Spawn(RunLeadership());
  (co_await ended.Wait()).IgnoreError();
  End(absl::CancelledError("manager cancelled"));
  co_await StopAll();
  co_return *outcome;
}

aio::Task<void> Manager::Impl::WaitForStop(aio::Task<void> stop) {
  co_await std::move(stop);
  if (!co_await aio::IsCancelled()) End(absl::OkStatus());
}

void Manager::Impl::Start(std::deque<Part>& parts, aio::TaskGroup& group) {
  for (Part& part : parts) group.Spawn(RunPart(part));
}

aio::Task<void> Manager::Impl::RunPart(Part& part) {
  part.running = true;
  co_await part.run();
  part.running = false;
  if (co_await aio::IsCancelled()) co_return;
  End(absl::InternalError(fmt::format("run {} {}: ended by itself", part.kind, part.name)));
}

aio::Task<void> Manager::Impl::WaitForSync(Part& cache) {
  absl::Status status = co_await cache.wait_for_sync(kSyncReminder);
  while (absl::IsDeadlineExceeded(status)) {
    logger.Warning("cache is not in sync yet", {{"cache", cache.name}});
    status = co_await cache.wait_for_sync(kSyncReminder);
  }
  if (co_await aio::IsCancelled()) co_return;
  if (!status.ok()) {
    logger.Error("cache cannot get in sync", {{"cache", cache.name}, {"error", status}});
    End(status);
    co_return;
  }
  if (--unsynced == 0) synced.Notify();
}

aio::Task<void> Manager::Impl::RunLeadership() {
  absl::Status status;
  if (options.leader_election.has_value()) {
    status = co_await kube::RunAsLeader(
        client, *options.leader_election, [this] { return Lead(); }, nullptr, clock, logger);
  } else {
    status = co_await Lead();
  }
  if (!co_await aio::IsCancelled()) End(status);
}

// Runs until cancelled, which comes from the loss of the lease or from StopAll.
aio::Task<absl::Status> Manager::Impl::Lead() {
  SetLeading(true);
  aio::TaskGroup controllers(executor);
  if (unsynced > 0) (co_await synced.Wait()).IgnoreError();
  if (!co_await aio::IsCancelled()) {
    Start(controller_parts, controllers);
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
  }
  co_await controllers.Stop();
  SetLeading(false);
  co_return absl::CancelledError("leading was ended");
}

aio::Task<void> Manager::Impl::StopAll() {
  logger.Info("stopping", {{"reason", *outcome}});
  aio::TaskGroup watchdog(executor);
  watchdog.Spawn(LimitStop());
  co_await watchers.Stop();
  co_await leadership.Stop();
  co_await caches.Stop();
  co_await servers.Stop();
  co_await watchdog.Stop();
}

aio::Task<void> Manager::Impl::LimitStop() {
  if (!(co_await aio::Sleep(options.stop_timeout)).ok()) co_return;
  StopTimedOut();
}

void Manager::Impl::StopTimedOut() const {
  for (const std::deque<Part>* parts : {&controller_parts, &cache_parts, &server_parts}) {
    for (const Part& part : *parts) {
      if (part.running) logger.Error("did not stop in time", {{part.kind, part.name}});
    }
  }
  if (options.stop_timed_out) return options.stop_timed_out();
  std::_Exit(EXIT_FAILURE);
}

void Manager::Impl::SetLeading(bool value) {
  leading = value;
  if (master_status != nullptr) master_status->Set(value ? 1 : 0);
}

void Manager::Impl::End(absl::Status status) {
  if (!outcome.has_value()) outcome = std::move(status);
  ended.Notify();
}

Manager::Manager(aio::Executor executor, kube::Client& client, ManagerOptions options,
                 const base::Clock& clock, const base::Logger& logger)
    : impl_(
          std::make_unique<Impl>(std::move(executor), client, std::move(options), clock, logger)) {}

Manager::~Manager() = default;

void Manager::AddServer(std::string name, std::function<aio::Task<void>()> run) {
  CALICO_CHECK(!impl_->started);
  impl_->server_parts.push_back({"server", std::move(name), std::move(run), nullptr});
}

void Manager::AddCache(std::string name, std::function<aio::Task<void>()> run,
                       std::function<aio::Task<absl::Status>(absl::Duration)> wait_for_sync) {
  CALICO_CHECK(!impl_->started);
  impl_->cache_parts.push_back(
      {"cache", std::move(name), std::move(run), std::move(wait_for_sync)});
}

void Manager::AddController(std::string name, std::function<aio::Task<void>()> run) {
  CALICO_CHECK(!impl_->started);
  impl_->controller_parts.push_back({"controller", std::move(name), std::move(run), nullptr});
}

aio::Task<absl::Status> Manager::Run(aio::Task<void> stop) { return impl_->Run(std::move(stop)); }

bool Manager::Ready() const { return impl_->started && impl_->unsynced == 0; }
bool Manager::Leading() const { return impl_->leading; }

}  // namespace calico::controller
