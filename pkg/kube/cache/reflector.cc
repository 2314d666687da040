#include "pkg/kube/cache/reflector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/kube/client/errors.h"

namespace calico::kube {
namespace {

using Kind = ReflectorStep::Kind;

constexpr absl::Duration kShort = absl::Seconds(1);
// A watch that breaks after so long did work, also without an event.
constexpr absl::Duration kLasting = absl::Seconds(10);
constexpr absl::Duration kHealthy = absl::Minutes(2);
constexpr absl::Duration kLongestRetryAfter = absl::Minutes(1);
// What changes from the start of the list on, until the watch is open, is a replay in that watch;
// within this time that is little.
constexpr absl::Duration kQuickList = absl::Seconds(10);
// Names of undecodable objects that are remembered, so that each is logged once.
constexpr size_t kMaxRemembered = 1024;

// The server can be reached again without anything being lost: the watch goes on where it was.
bool IsOutage(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return true;
    case absl::StatusCode::kResourceExhausted:
      // Throttled by the server. Without its word it is an event that is too large for us: it would
      // come again for ever, also after its object has shrunk. Only a list passes it by.
      return FindApiError(status).has_value();
    default:
      return false;
  }
}

// One reflector at work; lives in RunReflector's frame.
class Reflector {
 public:
  Reflector(Client& client, const api::Resource& resource, ReflectorOptions options,
            ReflectorHandlers handlers, const base::Clock& clock, const base::Logger& logger)
      : client_(client),
        resource_(resource),
        options_(std::move(options)),
        handlers_(std::move(handlers)),
        clock_(clock),
        logger_(logger) {}

  aio::Task<void> Run();

 private:
  aio::Task<ReflectorStep> List();
  aio::Task<ReflectorStep> Watch();
  // One watch to its end; its status goes to `status`.
  aio::Task<void> RunWatch(absl::Status& status);
  // Until `current` is overdue.
  aio::Task<void> WaitForSilence();
  // Until then; nothing is left when `current` is overdue.
  absl::Duration UntilSilence() const {
    return told_current_at_ + options_.longest_silence - clock_.SteadyNow();
  }
  void TellCurrent(absl::Time at);
  absl::Status Handle(WatchEvent event);
  void Set(json::object object);
  void LogSkipped(const api::ObjectKey& key, std::string_view resource_version,
                  const absl::Status& status);
  void TellHealth(const absl::Status& status, const ReflectorStep& next);
  void LogFailure(std::string_view message, const absl::Status& status, const ReflectorStep& next);

  Client& client_;
  const api::Resource& resource_;
  const ReflectorOptions options_;
  const ReflectorHandlers handlers_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  ReflectorMachine machine_;
  std::string resource_version_;                              // of the list or of the last event
  int events_ = 0;                                            // of the current watch
  bool caught_up_ = false;                                    // so has the current watch
  absl::Time listed_at_ = absl::InfinitePast();               // when the last list began
  absl::Time opened_at_ = absl::InfiniteFuture();             // the current watch, steady clock
  absl::Time told_current_at_ = absl::InfinitePast();         // when `current` was called last
  absl::flat_hash_map<api::ObjectKey, std::string> skipped_;  // with the resourceVersion logged
};

aio::Task<void> Reflector::Run() {
  ReflectorStep step = machine_.Start();
  while (!co_await aio::IsCancelled()) {
    switch (step.kind) {
      case Kind::kList:
        step = co_await List();
        break;
      case Kind::kWatch:
        step = co_await Watch();
        break;
      case Kind::kSleepThenList:
      case Kind::kSleepThenWatch:
        (co_await aio::Sleep(step.wait)).IgnoreError();
        step = {step.kind == Kind::kSleepThenList ? Kind::kList : Kind::kWatch,
                absl::ZeroDuration()};
        break;
    }
  }
}

aio::Task<ReflectorStep> Reflector::List() {
  if (handlers_.list_started) handlers_.list_started();
  const absl::Time start = clock_.SteadyNow();
  absl::StatusOr<std::string> resource_version = co_await client_.List(
      resource_,
      {.ns = options_.ns,
       .label_selector = options_.label_selector,
       .field_selector = options_.field_selector},
      [this](json::object object) {
        Set(std::move(object));
        return absl::OkStatus();
      },
      [this] {
        if (handlers_.list_started) handlers_.list_started();
      });
  if (co_await aio::IsCancelled()) co_return ReflectorStep{};
  const ReflectorStep next = machine_.AfterList(resource_version.status(), base::RandomUnit());
  if (!resource_version.ok()) {
    LogFailure("list failed", resource_version.status(), next);
    TellHealth(resource_version.status(), next);
    co_return next;
  }
  resource_version_ = *std::move(resource_version);
  if (handlers_.synced) handlers_.synced();
  TellCurrent(start);
  listed_at_ = start;
  caught_up_ = true;
  co_return next;
}

aio::Task<ReflectorStep> Reflector::Watch() {
  if (UntilSilence() <= absl::ZeroDuration()) co_return ReflectorStep{Kind::kList};
  events_ = 0;
  opened_at_ = absl::InfiniteFuture();
  absl::Status status = absl::CancelledError("not begun");
  if (options_.longest_silence == absl::InfiniteDuration()) {
    co_await RunWatch(status);
  } else {
    co_await aio::Race(RunWatch(status), WaitForSilence());
  }
  caught_up_ = false;
  if (co_await aio::IsCancelled()) co_return ReflectorStep{};
  const absl::Duration lasted = std::max(clock_.SteadyNow() - opened_at_, absl::ZeroDuration());
  if (absl::IsCancelled(status)) co_return ReflectorStep{Kind::kList};  // nothing was heard of it
  const ReflectorStep next = machine_.AfterWatch(status, events_, lasted, base::RandomUnit());
  if (!status.ok()) {
    LogFailure("watch ended", status, next);
    TellHealth(status, next);
  }
  co_return next;
}

aio::Task<void> Reflector::RunWatch(absl::Status& status) {
  status = co_await client_.Watch(
      resource_,
      {.ns = options_.ns,
       .label_selector = options_.label_selector,
       .field_selector = options_.field_selector,
       .resource_version = resource_version_,
       // Random, so that the watches of many processes do not end at the same time.
       .duration = absl::Minutes(5) * (1 + base::RandomUnit()),
       .opened =
           [this] {
             opened_at_ = clock_.SteadyNow();
             // Changes since the list are few only if little time has gone by until now.
             caught_up_ = caught_up_ && opened_at_ - listed_at_ <= kQuickList;
             if (handlers_.health) handlers_.health(absl::OkStatus());
           }},
      [this](WatchEvent event) { return Handle(std::move(event)); });
}

aio::Task<void> Reflector::WaitForSilence() {
  while (UntilSilence() > absl::ZeroDuration() && (co_await aio::Sleep(UntilSilence())).ok()) {
  }
}

void Reflector::TellCurrent(absl::Time at) {
  told_current_at_ = clock_.SteadyNow();
  if (handlers_.current) handlers_.current(at);
}

absl::Status Reflector::Handle(WatchEvent event) {
  ++events_;
  const api::ObjectMeta meta = api::ObjectMetaOf(event.object);
  if (!meta.resource_version.empty()) resource_version_ = meta.resource_version;
  switch (event.type) {
    case WatchEventType::kBookmark:
      caught_up_ = true;
      break;
    case WatchEventType::kDeleted:
      skipped_.erase(meta.Key());
      if (handlers_.deleted) handlers_.deleted(event.object);
      break;
    case WatchEventType::kAdded:
    case WatchEventType::kModified:
      Set(std::move(event.object));
      break;
  }
  if (caught_up_) TellCurrent(clock_.SteadyNow());
  return absl::OkStatus();
}

void Reflector::Set(json::object object) {
  const api::ObjectMeta meta = api::ObjectMetaOf(object);
  const absl::Status status = handlers_.set(std::move(object));
  if (status.ok()) {
    if (!skipped_.empty()) skipped_.erase(meta.Key());
  } else {
    LogSkipped(meta.Key(), meta.resource_version, status);
  }
}

void Reflector::LogSkipped(const api::ObjectKey& key, std::string_view resource_version,
                           const absl::Status& status) {
  if (skipped_.size() >= kMaxRemembered) skipped_.clear();
  std::string& logged = skipped_[key];
  if (logged == resource_version && !logged.empty()) return;
  logged = resource_version;
  logger_.Error(
      "object skipped",
      {{"kind", resource_.kind}, {"namespace", key.ns}, {"name", key.name}, {"error", status}});
}

// A cut or expired watch that goes on at once is no trouble.
void Reflector::TellHealth(const absl::Status& status, const ReflectorStep& next) {
  if (handlers_.health && next.wait > absl::ZeroDuration()) handlers_.health(status);
}

void Reflector::LogFailure(std::string_view message, const absl::Status& status,
                           const ReflectorStep& next) {
  const base::Logger::Fields fields = {
      {"kind", resource_.kind}, {"error", status}, {"retry_after", next.wait}};
  // A cut or expired watch that goes on at once is everyday weather.
  if (next.wait == absl::ZeroDuration()) {
    logger_.Debug(message, fields);
  } else {
    logger_.Warning(message, fields);
  }
}

}  // namespace

ReflectorMachine::ReflectorMachine(base::BackoffOptions backoff) : backoff_(backoff) {}

ReflectorStep ReflectorMachine::AfterList(const absl::Status& status, double random) {
  if (!status.ok()) return Sleep(Kind::kSleepThenList, status, random);
  return {Kind::kWatch, absl::ZeroDuration()};
}

ReflectorStep ReflectorMachine::AfterWatch(const absl::Status& status, int events,
                                           absl::Duration lasted, double random) {
  const bool is_short = lasted < kShort;
  if (status.ok()) {
    if (is_short && events == 0) return Sleep(Kind::kSleepThenWatch, status, random);
    Healthy(lasted);
    return {Kind::kWatch, absl::ZeroDuration()};
  }
  if (absl::IsOutOfRange(status)) {
    // Expired again right after a list: that list was too old, or the server is in trouble.
    if (std::exchange(expired_, true) && is_short) {
      return Sleep(Kind::kSleepThenList, status, random);
    }
    return {Kind::kList, absl::ZeroDuration()};
  }
  if (!IsOutage(status)) return Sleep(Kind::kSleepThenList, status, random);
  // What broke after it had worked is tried again at once; what cannot be opened has to wait.
  if (events > 0 || lasted >= kLasting) Healthy(lasted);
  if (is_short || std::exchange(broken_, true)) {
    return Sleep(Kind::kSleepThenWatch, status, random);
  }
  return {Kind::kWatch, absl::ZeroDuration()};
}

ReflectorStep ReflectorMachine::Sleep(Kind kind, const absl::Status& status, double random) {
  healthy_ = absl::ZeroDuration();
  absl::Duration wait = backoff_.Next(random);
  const std::optional<ApiError> error = FindApiError(status);
  if (error.has_value() && error->retry_after.has_value()) {
    wait += std::min(*error->retry_after, kLongestRetryAfter);
  }
  return {kind, wait};
}

void ReflectorMachine::Healthy(absl::Duration lasted) {
  expired_ = false;
  broken_ = false;
  healthy_ += lasted;
  if (healthy_ >= kHealthy) backoff_.Reset();
}

aio::Task<void> RunReflector(Client& client, const api::Resource& resource,
                             ReflectorOptions options, ReflectorHandlers handlers,
                             const base::Clock& clock, const base::Logger& logger) {
  Reflector reflector(client, resource, std::move(options), std::move(handlers), clock, logger);
  co_await reflector.Run();
}

}  // namespace calico::kube
