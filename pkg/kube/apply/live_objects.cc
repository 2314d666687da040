#include "pkg/kube/apply/live_objects.h"

#include <algorithm>
#include <utility>

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
  json::object copy = object;
  copy["metadata"].as_object().erase("managedFields");
  live.text = codec::Serialize(copy);
  return live;
}

json::object LiveObject::Parse() const {
  absl::StatusOr<json::object> object = codec::ParseJsonObject(text);
  CALICO_CHECK(object.ok());  // Serialize wrote it
  return *std::move(object);
}

struct LiveObjects::Entry {
  Entry(LiveKind the_kind, Client& client, std::string label_selector, std::string field_manager,
        const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
      : kind(std::move(the_kind)),
        informer(
            client, *kind.resource,
            {.ns = kind.ns, .label_selector = std::move(label_selector), .field_selector = ""},
            [manager = std::move(field_manager)](
                const json::object& object) -> absl::StatusOr<std::optional<LiveObject>> {
              CALICO_ASSIGN_OR_RETURN(LiveObject live, LiveObject::Decode(object, manager));
              return std::optional<LiveObject>(std::move(live));
            },
            clock, logger, executor),
        discovered(executor) {}

  const LiveKind kind;
  Informer<LiveObject> informer;
  aio::Notifier discovered;
  std::optional<bool> served;
};

LiveObjects::LiveObjects(Client& client, std::vector<LiveKind> kinds, std::string label_selector,
                         std::string field_manager, const base::Clock& clock,
                         const base::Logger& logger, aio::Executor executor)
    : client_(client), logger_(logger), group_(executor), forever_(executor) {
  for (LiveKind& kind : kinds) {
    entries_.push_back(std::make_unique<Entry>(std::move(kind), client, label_selector,
                                               field_manager, clock, logger, executor));
    Entry& entry = *entries_.back();
    if (entry.kind.when != LiveKind::When::kIfServed) entry.served = true;
    entry.informer.AddObserver([this, &entry](const api::ObjectKey& key) {
      for (const Observer& observer : observers_) observer(*entry.kind.resource, key);
    });
  }
}

LiveObjects::~LiveObjects() = default;

LiveObjects::Entry* LiveObjects::Find(const api::Resource& resource) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (*entry->kind.resource == resource) return entry.get();
  }
  return nullptr;
}

aio::Task<void> LiveObjects::Discover(Entry& entry) {
  base::Backoff backoff;
  while (!entry.served.has_value()) {
    const absl::StatusOr<bool> served = co_await client_.Serves(*entry.kind.resource);
    if (served.ok()) {
      entry.served = *served;
      break;
    }
    if (absl::IsCancelled(served.status())) co_return;
    logger_.Warning("cannot discover a kind",
                    {{"kind", entry.kind.resource->kind}, {"error", served.status()}});
    if (!(co_await aio::Sleep(backoff.Next(base::RandomUnit()))).ok()) co_return;
  }
  entry.discovered.Notify();
}

aio::Task<void> LiveObjects::RunEntry(Entry& entry) {
  co_await Discover(entry);
  if (entry.served.value_or(false)) co_await entry.informer.Run();
}

aio::Task<void> LiveObjects::Run() {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->kind.when != LiveKind::When::kLater) group_.Spawn(RunEntry(*entry));
  }
  absl::Status ignored = co_await forever_.Wait();
  co_await group_.Stop();
}

void LiveObjects::StartLater() {
  if (std::exchange(later_started_, true)) return;
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->kind.when == LiveKind::When::kLater) group_.Spawn(RunEntry(*entry));
  }
}

aio::Task<absl::Status> LiveObjects::WaitForKind(const api::Resource& resource,
                                                 absl::Duration timeout) {
  Entry* const entry = Find(resource);
  CALICO_CHECK(entry != nullptr);
  if (!entry->served.has_value()) {
    CALICO_CO_RETURN_IF_ERROR(co_await entry->discovered.Wait(timeout));
    entry->discovered.Notify();
  }
  if (!*entry->served) co_return absl::OkStatus();
  co_return co_await entry->informer.WaitForSync(timeout);
}

aio::Task<absl::Status> LiveObjects::WaitForSync(absl::Duration timeout) {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry->kind.when == LiveKind::When::kLater) continue;
    CALICO_CO_RETURN_IF_ERROR(co_await WaitForKind(*entry->kind.resource, timeout));
  }
  co_return absl::OkStatus();
}

bool LiveObjects::IsServed(const api::Resource& resource) const {
  const Entry* const entry = Find(resource);
  return entry != nullptr && entry->served.value_or(false);
}

bool LiveObjects::HasSynced(const api::Resource& resource) const {
  const Entry* const entry = Find(resource);
  return entry != nullptr && entry->informer.HasSynced();
}

std::shared_ptr<const LiveObject> LiveObjects::Get(const api::Resource& resource,
                                                   const api::ObjectKey& key) const {
  const Entry* const entry = Find(resource);
  return entry == nullptr ? nullptr : entry->informer.store().Get(key);
}

void LiveObjects::ForEach(
    const std::function<void(const api::Resource&, const LiveObject&)>& visit) const {
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (!entry->informer.HasSynced()) continue;
    for (const auto& object : entry->informer.store().List()) {
      visit(*entry->kind.resource, *object);
    }
  }
}

}  // namespace calico::kube
