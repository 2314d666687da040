#include "pkg/kube/apply/live_objects.h"

#include <algorithm>
#include <utility>

#include "pkg/aio/cancellation.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/base/backoff.h"
#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/apply/take_over.h"

namespace calico::kube {
namespace {

// Whether `manager` is among those that applied (not updated) the object.
bool HasApplied(const json::object& object, std::string_view manager) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const managed =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  return managed != nullptr &&
         std::any_of(managed->begin(), managed->end(),
                     [&](const json::value& entry) { return IsAppliedBy(entry, manager); });
}

// More than that is nobody's ordinary change.
constexpr size_t kMostOthersFields = 64 << 10;

// See LiveObject::others_fields.
std::string OthersFields(const json::object& object, std::string_view manager) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const managed =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  if (managed == nullptr) return "";
  json::array others;
  for (const json::value& entry : *managed) {
    if (!entry.is_object() || IsAppliedBy(entry, manager)) continue;
    if (codec::TextAt(entry.get_object(), "subresource") != "status") others.push_back(entry);
  }
  if (others.empty()) return "";
  std::string text = codec::Serialize(others);
  return text.size() > kMostOthersFields ? "" : text;
}

}  // namespace

absl::StatusOr<LiveObject> LiveObject::Decode(const json::object& object,
                                              std::string_view field_manager) {
  codec::Decoder decoder("object");
  const api::ObjectMeta meta =
      api::ReadObjectMeta(decoder.Read(object), {.owner_references = true});
  CALICO_RETURN_IF_ERROR(decoder.status());
  LiveObject live;
  live.key = meta.Key();
  live.uid = meta.uid;
  live.resource_version = meta.resource_version;
  live.generation = meta.generation;
  if (const api::OwnerReference* owner = meta.Controller()) live.controller_uid = owner->uid;
  live.deleting = meta.deletion_timestamp.has_value();
  live.applied_by_us = HasApplied(object, field_manager);
  live.others_fields = OthersFields(object, field_manager);
  json::object copy = object;
  copy["metadata"].as_object().erase("managedFields");
  live.text = codec::Serialize(copy);
  return live;
}

json::object LiveObject::Parse() const {
  // As large as it may be: it was read, and numbers may be longer when written again.
  absl::StatusOr<json::object> object = codec::ParseJsonObject(text, {.max_bytes = text.size()});
  CALICO_CHECK(object.ok());  // Serialize wrote it
  return *std::move(object);
}

// The kinds of one API group version that are not always served. They are one answer of discovery,
// and come and go together: what is made of one refers to another.
struct LiveObjects::Version {
  explicit Version(aio::Executor executor) : discovered(std::move(executor)) {}

  std::vector<Entry*> entries;
  aio::Notifier discovered;
  std::optional<bool> served;                      // all of them
  absl::Time started_at = absl::InfiniteFuture();  // steady clock
  std::optional<CacheTrouble> discovery;           // why that is not known
};

struct LiveObjects::Entry {
  Entry(LiveKind the_kind, Client& client, std::string label_selector, std::string field_manager,
        const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
      : kind(std::move(the_kind)),
        informer(
            client, *kind.resource,
            {.ns = kind.ns,
             .label_selector = std::move(label_selector),
             .field_selector = kind.field_selector},
            [manager = std::move(field_manager)](
                const json::object& object) -> absl::StatusOr<std::optional<LiveObject>> {
              CALICO_ASSIGN_OR_RETURN(LiveObject live, LiveObject::Decode(object, manager));
              return std::optional<LiveObject>(std::move(live));
            },
            clock, logger, std::move(executor)) {}

  bool waits_to_start() const {
    return kind.when != LiveKind::When::kAlways && kind.when != LiveKind::When::kIfServed;
  }
  std::optional<bool> served() const { return version == nullptr ? true : version->served; }

  const LiveKind kind;
  Informer<LiveObject> informer;
  Version* version = nullptr;  // null for what is always served
  bool is_running = false;     // of what waits to start
};

LiveObjects::LiveObjects(Client& client, std::vector<LiveKind> kinds, std::string label_selector,
                         std::string field_manager, const base::Clock& clock,
                         const base::Logger& logger, aio::Executor executor,
                         absl::Duration discovery_interval)
    : client_(client),
      clock_(clock),
      logger_(logger),
      executor_(executor),
      discovery_interval_(discovery_interval),
      group_(executor),
      forever_(executor) {
  for (LiveKind& kind : kinds) {
    entries_.push_back(std::make_unique<Entry>(std::move(kind), client, label_selector,
                                               field_manager, clock, logger, executor));
    Entry& entry = *entries_.back();
    if (entry.kind.when == LiveKind::When::kIfServed) {
      entry.version = &VersionOf(*entry.kind.resource);
      entry.version->entries.push_back(&entry);
    }
    entry.informer.AddObserver([this, &entry](const api::ObjectKey& key) {
      for (const Observer& observer : observers_) observer(*entry.kind.resource, key);
    });
    entry.informer.AddHealthObserver([this] { NotifyHealth(); });
  }
}

LiveObjects::~LiveObjects() = default;

LiveObjects::Entry* LiveObjects::Find(const api::Resource& resource) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (*entry->kind.resource == resource) return entry.get();
  }
  return nullptr;
}

LiveObjects::Entry* LiveObjects::Find(const api::Resource& resource, std::string_view ns) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (*entry->kind.resource != resource) continue;
    if (entry->kind.ns.empty() || entry->kind.ns == ns) return entry.get();
  }
  return nullptr;
}

bool LiveObjects::IsDue(const Entry& entry) const {
  switch (entry.kind.when) {
    case LiveKind::When::kAlways:
    case LiveKind::When::kIfServed:
      return true;
    case LiveKind::When::kLater:
      return later_started_;
    case LiveKind::When::kInNamespace:
      return started_namespaces_.contains(entry.kind.ns);
    case LiveKind::When::kLaterInNamespace:
      return later_started_ && started_namespaces_.contains(entry.kind.ns);
  }
  return false;
}

LiveObjects::Version& LiveObjects::VersionOf(const api::Resource& resource) {
  for (const std::unique_ptr<Version>& version : versions_) {
    const api::Resource& known = *version->entries.front()->kind.resource;
    if (known.ApiVersion() == resource.ApiVersion()) return *version;
  }
  return *versions_.emplace_back(std::make_unique<Version>(executor_));
}

// Whether all kinds are served.
aio::Task<absl::StatusOr<bool>> LiveObjects::Serves(const Version& version) {
  for (const Entry* const entry : version.entries) {
    CALICO_CO_ASSIGN_OR_RETURN(const bool served, co_await client_.Serves(*entry->kind.resource));
    if (!served) co_return false;
  }
  co_return true;
}

// As Serves, until there is an answer; nullopt when cancelled.
aio::Task<std::optional<bool>> LiveObjects::Discover(Version& version) {
  const api::Resource& first = *version.entries.front()->kind.resource;
  base::Backoff backoff;
  for (;;) {
    const absl::StatusOr<bool> served = co_await Serves(version);
    if (served.ok()) {
      version.discovery.reset();
      co_return *served;
    }
    if (absl::IsCancelled(served.status())) co_return std::nullopt;
    version.discovery = NextTrouble(version.discovery, first, served.status(), clock_.SteadyNow());
    NotifyHealth();
    logger_.Warning("cannot discover a kind", {{"kind", first.kind}, {"error", served.status()}});
    if (!(co_await aio::Sleep(backoff.Next(base::RandomUnit()))).ok()) co_return std::nullopt;
  }
}

void LiveObjects::SetServed(Version& version, bool served) {
  const bool is_first = !version.served.has_value();
  if (std::exchange(version.served, served) == served) return;
  version.discovered.Notify();
  NotifyHealth();
  if (is_first) return;
  for (const Entry* const entry : version.entries) {
    const api::Resource& resource = *entry->kind.resource;
    logger_.Info(
        served ? "the API server serves a kind now" : "the API server serves a kind no more",
        {{"kind", resource.kind}});
    for (const Observer& observer : observers_) observer(resource, {});
  }
}

aio::Task<absl::Status> LiveObjects::WaitForLists(const Version& version, absl::Duration timeout) {
  for (Entry* const entry : version.entries) {
    CALICO_CO_RETURN_IF_ERROR(co_await entry->informer.WaitForSync(timeout));
  }
  co_return absl::OkStatus();
}

// Ends when the API server does not serve all kinds any more.
aio::Task<void> LiveObjects::WhileServed(Version& version) {
  for (;;) {
    if (version.served.value_or(false)) {
      (co_await aio::Sleep(discovery_interval_)).IgnoreError();
    } else if ((co_await WaitForLists(version, discovery_interval_)).ok()) {
      SetServed(version, true);
    }
    if (co_await aio::IsCancelled()) co_return;
    const absl::StatusOr<bool> served = co_await Serves(version);
    if (served.ok() && !*served) co_return;
  }
}

aio::Task<void> LiveObjects::RunInformers(Version& version) {
  aio::TaskGroup running(executor_);
  for (Entry* const entry : version.entries) running.Spawn(entry->informer.Run());
  co_await running.Join();
  co_await running.Stop();
}

aio::Task<void> LiveObjects::RunVersion(Version& version) {
  version.started_at = clock_.SteadyNow();
  while (!co_await aio::IsCancelled()) {
    const std::optional<bool> served = co_await Discover(version);
    if (!served.has_value()) co_return;
    // At the start, waiting for it to be complete is WaitForKind's.
    if (!*served || !version.served.has_value()) SetServed(version, *served);
    if (!*served) {
      (co_await aio::Sleep(discovery_interval_)).IgnoreError();
      continue;
    }
    co_await aio::Race(RunInformers(version), WhileServed(version));
    if (co_await aio::IsCancelled()) co_return;
    // Gone, if only for one answer: what was known says nothing about what is there next time.
    SetServed(version, false);
    for (Entry* const entry : version.entries) entry->informer.Reset();
  }
}

aio::Task<void> LiveObjects::Run() {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->kind.when == LiveKind::When::kAlways) group_.Spawn(entry->informer.Run());
  }
  for (const std::unique_ptr<Version>& version : versions_) group_.Spawn(RunVersion(*version));
  absl::Status ignored = co_await forever_.Wait();
  co_await group_.Stop();
}

void LiveObjects::StartLater() {
  if (std::exchange(later_started_, true)) return;
  StartDue();
}

// What waited for something else than Run.
void LiveObjects::StartDue() {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (!entry->waits_to_start() || !IsDue(*entry)) continue;
    if (!std::exchange(entry->is_running, true)) group_.Spawn(entry->informer.Run());
  }
}

aio::Task<absl::Status> LiveObjects::StartNamespace(std::string ns, absl::Duration timeout) {
  if (started_namespaces_.insert(ns).second) StartDue();
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->kind.when != LiveKind::When::kInNamespace || entry->kind.ns != ns) continue;
    CALICO_CO_RETURN_IF_ERROR(co_await entry->informer.WaitForSync(timeout));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> LiveObjects::WaitForKind(const api::Resource& resource,
                                                 absl::Duration timeout) {
  Entry* const entry = Find(resource);
  CALICO_CHECK(entry != nullptr);
  if (!entry->served().has_value()) {
    CALICO_CO_RETURN_IF_ERROR(co_await entry->version->discovered.Wait(timeout));
    entry->version->discovered.Notify();
  }
  if (!*entry->served()) co_return absl::OkStatus();
  co_return co_await entry->informer.WaitForSync(timeout);
}

aio::Task<absl::Status> LiveObjects::WaitForSync(absl::Duration timeout) {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->waits_to_start()) continue;
    CALICO_CO_RETURN_IF_ERROR(co_await WaitForKind(*entry->kind.resource, timeout));
  }
  co_return absl::OkStatus();
}

bool LiveObjects::IsServed(const api::Resource& resource) const {
  const Entry* const entry = Find(resource);
  return entry != nullptr && entry->served().value_or(false);
}

bool LiveObjects::HasSynced(const api::Resource& resource) const {
  const Entry* const entry = Find(resource);
  return entry != nullptr && entry->informer.HasSynced();
}

bool LiveObjects::IsCurrent(const api::Resource& resource) const {
  const Entry* const entry = Find(resource);
  if (entry == nullptr || !entry->informer.HasSynced()) return false;
  const std::optional<CacheTrouble>& trouble = entry->informer.trouble();
  return !trouble.has_value() ||
         !(absl::IsPermissionDenied(trouble->error) || absl::IsNotFound(trouble->error));
}

std::vector<CacheTrouble> LiveObjects::Troubles() const {
  std::vector<CacheTrouble> troubles;
  for (const std::unique_ptr<Version>& version : versions_) {
    if (version->discovery.has_value()) troubles.push_back(*version->discovery);
  }
  for (const std::unique_ptr<Entry>& entry : entries_) {
    // What is not served needs no list.
    if (!entry->served().value_or(true)) continue;
    if (entry->informer.trouble().has_value()) troubles.push_back(*entry->informer.trouble());
  }
  return troubles;
}

void LiveObjects::ForEachUnsynced(
    absl::FunctionRef<void(const api::Resource&, absl::Time since)> visit) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (!IsDue(*entry)) continue;
    if (!entry->served().value_or(true) || entry->informer.HasSynced()) continue;
    const absl::Time since =
        entry->version == nullptr ? entry->informer.started_at() : entry->version->started_at;
    visit(*entry->kind.resource, since);
  }
}

std::shared_ptr<const LiveObject> LiveObjects::Get(const api::Resource& resource,
                                                   const api::ObjectKey& key) const {
  if (IsCovered(resource, key)) return covered_->Get(resource, key);
  const Entry* const entry = Find(resource, key.ns);
  if (entry == nullptr || !entry->served().value_or(false)) return nullptr;
  return entry->informer.store().Get(key);
}

void LiveObjects::ForEach(
    const std::function<void(const api::Resource&, const LiveObject&)>& visit) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (!entry->informer.HasSynced() || !entry->served().value_or(false)) continue;
    for (const auto& object : entry->informer.store().List()) {
      if (!IsCovered(*entry->kind.resource, object->key)) visit(*entry->kind.resource, *object);
    }
  }
}

}  // namespace calico::kube
