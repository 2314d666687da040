#include "pkg/kube/lease/leader_elector.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/coordination/lease.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"
#include "pkg/kube/lease/election_machine.h"
#include "pkg/kube/lease/watchdog.h"

namespace calico::kube {
namespace {

using Kind = ElectionStep::Kind;
using Lead = std::function<aio::Task<absl::Status>()>;
using Observed = std::function<void(const std::string& identity)>;

// Giving up the lease must not hold up the end of the process.
constexpr absl::Duration kReleaseTimeout = absl::Seconds(2);
constexpr int kReleaseTries = 3;
// One call at a time; the watch of a follower has its own besides.
constexpr int kConnections = 1;

// Never returns. Not even a log that takes nothing may hold it up: then SIGALRM ends the process.
void EndProcess(const base::Logger& logger, const std::string& lease, const absl::Status& reason) {
  alarm(1);
  logger.Error("ending the process: another one may lead soon",
               {{"lease", lease}, {"reason", reason}});
  std::_Exit(EXIT_FAILURE);
}

absl::StatusOr<api::Lease> DecodeLease(const absl::StatusOr<json::object>& object) {
  if (!object.ok()) return object.status();
  return api::Lease::Decode(*object);
}

// One election; lives in RunAsLeader's frame.
class Elector {
 public:
  Elector(Client& client, LeaderElectionOptions options, Observed observed,
          const base::Clock& clock, const base::Logger& logger, const aio::Executor& executor)
      : client_(client),
        options_(options),
        observed_(std::move(observed)),
        clock_(clock),
        logger_(logger),
        machine_(std::move(options)),
        executor_(executor),
        ended_(executor) {}

  aio::Task<absl::Status> Run(Lead lead);

 private:
  ElectionTime Now() const { return {clock_.SteadyNow(), clock_.Now()}; }
  aio::Task<ElectionStep> Perform(ElectionStep step);
  aio::Task<absl::StatusOr<api::Lease>> Write(ElectionStep step, absl::Duration timeout);
  aio::Task<void> Follow(const api::Lease& lease, absl::Duration wait);
  aio::Task<void> Renew(ElectionStep step);
  aio::Task<void> RunLead(const Lead& lead);
  void StartWatchdog();
  void ArmWatchdog(absl::Duration most = absl::InfiniteDuration());
  void End(absl::Status outcome);
  aio::Task<absl::Status> Release();
  void LogProblem(std::string_view message, const absl::Status& status) const;
  void TellLeader();

  Client& client_;
  const LeaderElectionOptions options_;
  const Observed observed_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  ElectionMachine machine_;
  const aio::Executor executor_;
  aio::Notifier ended_;               // `lead` has ended or the lease is lost
  std::optional<Watchdog> watchdog_;  // while `lead` runs
  std::optional<absl::Status> outcome_;
  bool may_watch_ = true;
  std::string told_;  // the leader that `observed_` was told last
};

aio::Task<absl::Status> Elector::Run(Lead lead) {
  ElectionStep step = machine_.Start();
  while (!machine_.leading() && !co_await aio::IsCancelled()) step = co_await Perform(step);
  if (machine_.leading()) {
    logger_.Info("became leader",
                 {{"lease", options_.lease.ToString()}, {"identity", options_.identity}});
    aio::TaskGroup renewing(executor_);
    aio::TaskGroup leading(executor_);
    StartWatchdog();
    renewing.Spawn(Renew(std::move(step)));
    leading.Spawn(RunLead(lead));
    (co_await ended_.Wait()).IgnoreError();
    // Renewing goes on until nothing of ours is at work that needs the lease.
    co_await leading.Stop();
    watchdog_.reset();
    co_await renewing.Stop();
  }
  if (machine_.may_hold()) {
    const absl::Status released =
        co_await aio::Shield(aio::WithDeadline(Release(), kReleaseTimeout));
    if (!released.ok()) LogProblem("lease not given up", released);
  }
  co_return outcome_.value_or(absl::CancelledError("leader election cancelled"));
}

aio::Task<ElectionStep> Elector::Perform(ElectionStep step) {
  const ElectionTime began = Now();
  const absl::Duration timeout = machine_.CallTimeout(began.steady);
  ElectionStep next;
  switch (step.kind) {
    case Kind::kRead: {
      const absl::StatusOr<api::Lease> lease =
          DecodeLease(co_await client_.Get(api::kLeases, options_.lease, timeout));
      if (!lease.ok() && !absl::IsNotFound(lease.status())) {
        LogProblem("lease not read", lease.status());
      }
      next = machine_.AfterRead(lease, Now(), base::RandomUnit());
      break;
    }
    case Kind::kCreate:
    case Kind::kUpdate: {
      const absl::StatusOr<api::Lease> lease = co_await Write(std::move(step), timeout);
      if (!lease.ok()) LogProblem("lease not written", lease.status());
      next = machine_.AfterWrite(lease, began, Now(), base::RandomUnit());
      break;
    }
    case Kind::kFollow:
      TellLeader();
      co_await Follow(step.lease, step.wait);
      next = machine_.AfterWait(Now());
      break;
    case Kind::kWait:
      (co_await aio::Sleep(step.wait)).IgnoreError();
      next = machine_.AfterWait(Now());
      break;
    case Kind::kLost:
      next = std::move(step);
      break;
  }
  TellLeader();
  co_return next;
}

aio::Task<absl::StatusOr<api::Lease>> Elector::Write(ElectionStep step, absl::Duration timeout) {
  json::object object = step.lease.Encode();
  if (step.kind == Kind::kCreate) {
    co_return DecodeLease(co_await client_.Create(api::kLeases, std::move(object), timeout));
  }
  co_return DecodeLease(co_await client_.Update(api::kLeases, std::move(object), "", timeout));
}

// Returns when the lease may be free, when `wait` is over, or after a retry period when the lease
// cannot be watched.
aio::Task<void> Elector::Follow(const api::Lease& lease, absl::Duration wait) {
  const absl::Time end = clock_.SteadyNow() + wait;
  absl::Duration pause = std::min(wait, machine_.RetryWait(base::RandomUnit()));
  if (may_watch_) {
    bool is_free = false;
    const absl::Status status = co_await aio::WithDeadline(
        client_.Watch(api::kLeases,
                      {.ns = options_.lease.ns,
                       .field_selector = fmt::format("metadata.name={}", options_.lease.name),
                       .resource_version = lease.meta.resource_version,
                       .duration = wait + absl::Seconds(1)},
                      [this, &is_free](const WatchEvent& event) {
                        if (event.type == WatchEventType::kBookmark) return absl::OkStatus();
                        const absl::StatusOr<api::Lease> seen = api::Lease::Decode(event.object);
                        is_free = event.type == WatchEventType::kDeleted || !seen.ok() ||
                                  machine_.Observe(*seen, clock_.SteadyNow());
                        TellLeader();
                        return is_free ? absl::AbortedError("lease may be free") : absl::OkStatus();
                      }),
        wait);
    if (is_free || absl::IsDeadlineExceeded(status)) co_return;
    if (absl::IsPermissionDenied(status)) {
      may_watch_ = false;
      LogProblem("lease cannot be watched and is read now and then", status);
    }
    pause = std::min(pause, end - clock_.SteadyNow());
  }
  (co_await aio::Sleep(pause)).IgnoreError();
}

aio::Task<void> Elector::Renew(ElectionStep step) {
  while (step.kind != Kind::kLost) {
    step = co_await Perform(std::move(step));
    if (co_await aio::IsCancelled()) co_return;
    ArmWatchdog();
  }
  ArmWatchdog(options_.StopLimit());
  logger_.Error("lost the lease", {{"lease", options_.lease.ToString()},
                                   {"identity", options_.identity},
                                   {"holder", machine_.holder()}});
  End(absl::AbortedError(fmt::format("lead with Lease {}: lease lost", options_.lease.ToString())));
}

aio::Task<void> Elector::RunLead(const Lead& lead) {
  const absl::Status status = co_await lead();
  if (co_await aio::IsCancelled()) co_return;
  End(status);
}

void Elector::StartWatchdog() {
  watchdog_.emplace([&logger = logger_, lease = options_.lease.ToString(),
                     stop_timed_out = options_.stop_timed_out](const absl::Status& reason) {
    stop_timed_out ? stop_timed_out() : EndProcess(logger, lease, reason);
  });
  ArmWatchdog();
}

void Elector::ArmWatchdog(absl::Duration most) {
  if (!watchdog_.has_value()) return;
  watchdog_->Arm(std::min(most, machine_.ActingTime(clock_.SteadyNow())));
}

void Elector::End(absl::Status outcome) {
  if (!outcome_.has_value()) outcome_ = std::move(outcome);
  ended_.Notify();
}

aio::Task<absl::Status> Elector::Release() {
  absl::Status status;
  for (int i = 0; i < kReleaseTries; ++i) {
    const absl::StatusOr<api::Lease> lease =
        DecodeLease(co_await client_.Get(api::kLeases, options_.lease, kReleaseTimeout));
    if (absl::IsNotFound(lease.status())) co_return absl::OkStatus();
    if (!lease.ok()) co_return lease.status();
    machine_.Observe(*lease, clock_.SteadyNow());
    const std::optional<api::Lease> released = machine_.Released(Now());
    if (!released.has_value()) co_return absl::OkStatus();
    status =
        (co_await client_.Update(api::kLeases, released->Encode(), "", kReleaseTimeout)).status();
    if (!absl::IsAborted(status)) break;
  }
  if (status.ok()) logger_.Info("gave up the lease", {{"lease", options_.lease.ToString()}});
  co_return status;
}

void Elector::LogProblem(std::string_view message, const absl::Status& status) const {
  const base::Logger::Fields fields = {{"lease", options_.lease.ToString()}, {"error", status}};
  // Somebody else was faster: no problem, the next step takes it into account.
  if (absl::IsAborted(status) || absl::IsAlreadyExists(status) || absl::IsCancelled(status)) {
    logger_.Debug(message, fields);
  } else {
    logger_.Warning(message, fields);
  }
}

void Elector::TellLeader() {
  const std::string& holder = machine_.holder();
  if (holder.empty() || holder == told_) return;
  told_ = holder;
  if (observed_) observed_(told_);
}

}  // namespace

std::string NewLeaderIdentity() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  std::random_device random;
  const auto word = [&random] { return static_cast<unsigned>(random()); };
  const unsigned a = word(), b = word(), c = word(), d = word();
  // A version 4 UUID.
  return fmt::format("{}_{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", host, a, b >> 16, b & 0xFFF,
                     (c >> 16 & 0x3FFF) | 0x8000, c & 0xFFFF, d);
}

aio::Task<absl::Status> RunAsLeader(Client& client, LeaderElectionOptions options, Lead lead,
                                    Observed observed, const base::Clock& clock,
                                    const base::Logger& logger) {
  const std::unique_ptr<Client> own = client.WithOwnConnections(kConnections);
  Elector elector(*own, std::move(options), std::move(observed), clock, logger,
                  co_await aio::CurrentExecutor());
  co_return co_await elector.Run(std::move(lead));
}

}  // namespace calico::kube
