#include "pkg/kube/event/recorder.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"
#include "pkg/codec/json.h"
#include "pkg/codec/time.h"
#include "pkg/kube/event/correlator.h"

namespace calico::kube {
namespace {

constexpr size_t kMaxMessage = 1024;

// One event to be written.
struct Pending {
  EventSubject subject;
  EventType type;
  std::string reason;
  CorrelatedEvent event;

  // Events about cluster-scoped objects are kept in `default`: the API server demands it.
  std::string Namespace() const { return subject.key.ns.empty() ? "default" : subject.key.ns; }
};

std::string_view TypeName(EventType type) {
  return type == EventType::kNormal ? "Normal" : "Warning";
}

// At most kMaxMessage bytes, and no part of a UTF-8 sequence at the end.
std::string_view Cut(std::string_view message) {
  if (message.size() <= kMaxMessage) return message;
  size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
  return message.substr(0, end);
}

json::object Encode(const Pending& pending, const std::string& component) {
  const EventSubject& subject = pending.subject;
  json::object involved = {{"apiVersion", subject.resource->ApiVersion()},
                           {"kind", subject.resource->kind},
                           {"name", subject.key.name}};
  if (!subject.key.ns.empty()) involved["namespace"] = subject.key.ns;
  if (!subject.uid.empty()) involved["uid"] = subject.uid;
  if (!subject.resource_version.empty()) involved["resourceVersion"] = subject.resource_version;
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"name", pending.event.name}, {"namespace", pending.Namespace()}}},
          {"involvedObject", std::move(involved)},
          {"type", TypeName(pending.type)},
          {"reason", pending.reason},
          {"message", pending.event.message},
          {"count", pending.event.count},
          {"firstTimestamp", codec::EncodeTime(pending.event.first)},
          {"lastTimestamp", codec::EncodeTime(pending.event.last)},
          {"source", {{"component", component}}},
          {"reportingComponent", component},
          {"reportingInstance", ""}};
}

bool IsOutage(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsUnauthenticated(status);
}

}  // namespace

struct EventRecorder::Impl {
  Impl(Client& cl, std::string co, const base::Clock& c, const base::Logger& l, aio::Executor e,
       EventRecorderOptions o)
      : client(cl),
        component(std::move(co)),
        clock(c),
        logger(l),
        options(o),
        added(std::move(e)) {}

  void Enqueue(Pending pending);
  aio::Task<void> Write(Pending pending);
  aio::Task<absl::Status> TryWrite(const Pending& pending);

  Client& client;
  const std::string component;
  const base::Clock& clock;
  const base::Logger& logger;
  const EventRecorderOptions options;
  EventCorrelator correlator;
  std::deque<Pending> queue;
  bool dropping = false;
  aio::Notifier added;
};

EventRecorder::EventRecorder(Client& client, std::string component, const base::Clock& clock,
                             const base::Logger& logger, aio::Executor executor,
                             EventRecorderOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(component), clock, logger, std::move(executor),
                                   options)) {}

EventRecorder::~EventRecorder() = default;

size_t EventRecorder::queued() const { return impl_->queue.size(); }

void EventRecorder::Record(const EventSubject& subject, EventType type, std::string_view reason,
                           std::string_view message) {
  const std::string id =
      fmt::format("{} {} {}", subject.resource->kind, subject.key.ToString(), subject.uid);
  CorrelatedEvent event =
      impl_->correlator.Add(id, subject.key.name, TypeName(type), reason, Cut(message),
                            {impl_->clock.Now(), impl_->clock.SteadyNow()});
  if (event.kind == CorrelatedEvent::Kind::kDrop) return;
  event.message = Cut(event.message);
  impl_->Enqueue({subject, type, std::string(reason), std::move(event)});
}

aio::Task<void> EventRecorder::Run() {
  while (!co_await aio::IsCancelled()) {
    if (impl_->queue.empty()) {
      (co_await impl_->added.Wait()).IgnoreError();
      continue;
    }
    Pending next = std::move(impl_->queue.front());
    impl_->queue.pop_front();
    co_await impl_->Write(std::move(next));
  }
}

void EventRecorder::Impl::Enqueue(Pending pending) {
  // One that has not been written yet takes up the new count.
  for (Pending& queued : queue) {
    if (queued.event.name != pending.event.name || queued.Namespace() != pending.Namespace()) {
      continue;
    }
    const CorrelatedEvent::Kind kind = queued.event.kind;
    queued.event = std::move(pending.event);
    queued.event.kind = kind;
    return;
  }
  if (queue.size() >= options.max_queued) {
    if (!std::exchange(dropping, true)) logger.Warning("event queue is full, events are dropped");
    return;
  }
  dropping = false;
  queue.push_back(std::move(pending));
  added.Notify();
}

aio::Task<void> EventRecorder::Impl::Write(Pending pending) {
  absl::Status status = co_await TryWrite(pending);
  for (int i = 1; i < options.tries && IsOutage(status); ++i) {
    const double part = i == 1 ? base::RandomUnit() : 1.0;
    if (!(co_await aio::Sleep(options.retry_interval * part)).ok()) co_return;
    status = co_await TryWrite(pending);
  }
  if (status.ok() || co_await aio::IsCancelled()) co_return;
  logger.Warning("event dropped", {{"namespace", pending.Namespace()},
                                   {"name", pending.event.name},
                                   {"reason", pending.reason},
                                   {"error", status}});
}

aio::Task<absl::Status> EventRecorder::Impl::TryWrite(const Pending& pending) {
  if (pending.event.kind == CorrelatedEvent::Kind::kUpdate) {
    json::object patch = {{"count", pending.event.count},
                          {"lastTimestamp", codec::EncodeTime(pending.event.last)},
                          {"message", pending.event.message}};
    const absl::Status patched =
        (co_await client.Patch(api::kEvents, {pending.Namespace(), pending.event.name},
                               std::move(patch)))
            .status();
    // The API server forgets events after an hour.
    if (!absl::IsNotFound(patched)) co_return patched;
  }
  const absl::Status created =
      (co_await client.Create(api::kEvents, Encode(pending, component))).status();
  // An earlier try has arrived, only its answer was lost.
  co_return absl::IsAlreadyExists(created) ? absl::OkStatus() : created;
}

}  // namespace calico::kube
