#include "operator/controllers/status/status_writer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/merge_patch.h"
#include "pkg/codec/object_reader.h"
#include "pkg/kube/schema/compare.h"

namespace calico::status {
namespace {

constexpr absl::Duration kMessageInterval = absl::Seconds(1);

std::string VersionOf(const StatusTarget& target) {
  return target.tigera_status == nullptr ? "" : target.tigera_status->meta.resource_version;
}

// Whether everything but messages is the same.
bool SameButForMessages(const std::vector<api::Condition>& a,
                        const std::vector<api::Condition>& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const api::Condition& condition) {
    const api::Condition* const other = api::FindCondition(b, condition.type);
    return other != nullptr && other->status == condition.status &&
           other->reason == condition.reason &&
           other->observed_generation == condition.observed_generation;
  });
}

struct EventText {
  std::string_view type;
  bool is_true;
  kube::EventType event;
  std::string_view reason;
};
// What is told about a condition that changed. Progressing becomes False together with another most
// of the time, which says it all.
constexpr EventText kEvents[] = {
    {api::kAvailable, true, kube::EventType::kNormal, "Available"},
    {api::kAvailable, false, kube::EventType::kNormal, "NotAvailable"},
    {api::kProgressing, true, kube::EventType::kNormal, "Progressing"},
    {api::kDegraded, true, kube::EventType::kWarning, "Degraded"},
    {api::kDegraded, false, kube::EventType::kNormal, "Recovered"},
};

// The owner's status has the same conditions, so that a TigeraStatus that was deleted by hand goes
// on where it was.
std::vector<api::Condition> ConditionsOf(const json::object& owner_status) {
  codec::Decoder decoder("status");
  std::vector<api::Condition> conditions = api::ReadConditions(decoder.Read(owner_status));
  for (api::Condition& condition : conditions) {
    if (condition.type == api::kReady) condition.type = api::kAvailable;
  }
  return conditions;
}

// The members of `status` that `current` does not have like that; those of others are left alone.
json::object OwnerPatch(const json::object& current, const json::object& status) {
  json::object before;
  for (const json::key_value_pair& member : status) {
    const json::value* const found = current.if_contains(member.key());
    if (found != nullptr) before[member.key()] = *found;
  }
  json::object patch = codec::MergePatch(before, status);
  // The API server writes times in its own way.
  const auto conditions = [](const json::object& object) -> json::object {
    const json::value* const found = object.if_contains("conditions");
    return found == nullptr ? json::object() : json::object{{"conditions", *found}};
  };
  if (!kube::FirstDifference(kube::Schema::Kubernetes(), conditions(before), conditions(status))
           .has_value()) {
    patch.erase("conditions");
  }
  return patch;
}

bool IsTrue(const std::vector<api::Condition>& conditions, std::string_view type) {
  const api::Condition* const condition = api::FindCondition(conditions, type);
  return condition != nullptr && condition->IsTrue();
}

}  // namespace

std::string StatusWriter::EventMessage(const api::Condition& condition) const {
  if (!condition.message.empty()) return condition.message;
  return fmt::format("{} is not {} any more", subject_.name,
                     condition.type == api::kDegraded ? "degraded" : "available");
}

// So that the garbage collector removes the status with its owner, operator or not.
json::array StatusWriter::OwnersOf(const StatusTarget& target) const {
  return {{{"apiVersion", subject_.owner->ApiVersion()},
           {"kind", subject_.owner->kind},
           {"name", subject_.owner_name},
           {"uid", target.owner_uid}}};
}

json::object StatusWriter::WithOwner(json::object object, const StatusTarget& target) const {
  if (!target.owner_uid.empty()) {
    object["metadata"].as_object()["ownerReferences"] = OwnersOf(target);
  }
  return object;
}

// Whether it would outlive its owner.
bool StatusWriter::LacksOwner(const StatusTarget& target) const {
  if (target.tigera_status == nullptr || target.owner_uid.empty()) return false;
  if (target.owner_uid == owned_by_) return false;
  const std::vector<api::OwnerReference>& owners = target.tigera_status->meta.owner_references;
  return std::none_of(owners.begin(), owners.end(), [&](const api::OwnerReference& owner) {
    return owner.uid == target.owner_uid;
  });
}

// Returns the new resourceVersion. A right for it that is missing is no reason to say nothing.
aio::Task<absl::StatusOr<std::string>> StatusWriter::GiveOwner(const StatusTarget& target) {
  const absl::StatusOr<json::object> owned =
      co_await client_.Patch(api::kTigeraStatuses, {"", subject_.name},
                             {{"metadata", {{"ownerReferences", OwnersOf(target)}}}});
  if (!owned.ok() && !absl::IsPermissionDenied(owned.status())) co_return owned.status();
  owned_by_ = target.owner_uid;
  co_return owned.ok() ? api::ObjectMetaOf(*owned).resource_version : VersionOf(target);
}

aio::Task<absl::Status> StatusWriter::WriteTigeraStatus(const StatusTarget& target,
                                                        std::vector<api::Condition> conditions) {
  api::TigeraStatus status;
  status.meta.name = subject_.name;
  std::vector<std::string> versions_before = {VersionOf(target)};
  if (target.tigera_status != nullptr) {
    status.meta.resource_version = target.tigera_status->meta.resource_version;
    if (LacksOwner(target)) {
      CALICO_CO_ASSIGN_OR_RETURN(status.meta.resource_version, co_await GiveOwner(target));
      versions_before.push_back(status.meta.resource_version);
    }
  } else {
    // Creating drops the status, so it takes two requests.
    absl::StatusOr<json::object> created =
        co_await client_.Create(api::kTigeraStatuses, WithOwner(status.Encode(), target));
    if (absl::IsAlreadyExists(created.status())) {
      created = co_await client_.Get(api::kTigeraStatuses, {"", subject_.name});
    }
    CALICO_CO_RETURN_IF_ERROR(created);
    CALICO_CO_ASSIGN_OR_RETURN(const api::TigeraStatus known, api::TigeraStatus::Decode(*created));
    status.meta.resource_version = known.meta.resource_version;
    versions_before.push_back(known.meta.resource_version);
  }
  status.conditions = conditions;
  absl::Status written =
      (co_await client_.Update(api::kTigeraStatuses, status.Encode(), "status")).status();
  if (absl::IsAborted(written)) {
    versions_before.push_back(status.meta.resource_version);
    written = co_await WriteOverLiveStatus(conditions);
  }
  CALICO_CO_RETURN_IF_ERROR(written);
  written_conditions_.Set(std::move(conditions), std::move(versions_before), clock_.SteadyNow());
  co_return absl::OkStatus();
}

// The cache is behind, for good where its watch is refused.
aio::Task<absl::Status> StatusWriter::WriteOverLiveStatus(
    const std::vector<api::Condition>& conditions) {
  CALICO_CO_ASSIGN_OR_RETURN(const json::object live,
                             co_await client_.Get(api::kTigeraStatuses, {"", subject_.name}));
  CALICO_CO_ASSIGN_OR_RETURN(api::TigeraStatus status, api::TigeraStatus::Decode(live));
  if (WithTransitionTimes(status.conditions, conditions, clock_.Now()) == status.conditions) {
    co_return absl::OkStatus();
  }
  status.conditions = conditions;
  co_return (co_await client_.Update(api::kTigeraStatuses, status.Encode(), "status")).status();
}

// Without having seen it: what it says must not go on being said.
aio::Task<absl::Status> StatusWriter::WriteUnknownStatus(std::vector<api::Condition> conditions) {
  api::TigeraStatus status;
  status.meta.name = subject_.name;
  status.conditions = conditions;
  const json::object patch = {{"status", status.Encode()["status"]}};
  absl::Status written =
      (co_await client_.Patch(api::kTigeraStatuses, {"", subject_.name}, patch, "status")).status();
  if (absl::IsNotFound(written)) {
    CALICO_CO_RETURN_IF_ERROR(co_await client_.Create(api::kTigeraStatuses, status.Encode()));
    written = (co_await client_.Patch(api::kTigeraStatuses, {"", subject_.name}, patch, "status"))
                  .status();
  }
  CALICO_CO_RETURN_IF_ERROR(written);
  unseen_conditions_ = std::move(conditions);
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<absl::Time>> StatusWriter::WriteOwner(
    const StatusTarget& target, const std::vector<api::Condition>& conditions, bool is_available) {
  json::object status = is_available ? target.when_available : json::object();
  status["conditions"] =
      api::EncodeConditions(api::InstallationConditions(conditions), api::EmptyText::kKeep);
  const json::object* const written =
      written_owner_status_.Get(target.owner_version, clock_.SteadyNow());
  const json::object& current = written != nullptr ? *written : target.owner_status;
  json::object patch = OwnerPatch(current, status);
  if (patch.empty() || patch == unkept_owner_status_) {
    co_return written != nullptr ? OnTheWall(written_owner_status_.until())
                                 : absl::InfiniteFuture();
  }
  const absl::StatusOr<json::object> patched = co_await client_.Patch(
      *subject_.owner, {"", subject_.owner_name}, {{"status", std::move(patch)}}, "status");
  CALICO_CO_RETURN_IF_ERROR(patched);
  const json::object* const kept = codec::FindObject(*patched, "status");
  unkept_owner_status_ = OwnerPatch(kept == nullptr ? json::object() : *kept, status);
  json::object now = current;
  for (json::key_value_pair& member : status) now[member.key()] = std::move(member.value());
  written_owner_status_.Set(std::move(now), {target.owner_version}, clock_.SteadyNow());
  co_return OnTheWall(written_owner_status_.until());
}

absl::Time StatusWriter::OnTheWall(absl::Time steady) const {
  return clock_.Now() + (steady - clock_.SteadyNow());
}

void StatusWriter::RecordEvents(const StatusTarget& target,
                                const std::vector<api::Condition>& before,
                                const std::vector<api::Condition>& after) {
  const kube::EventSubject subject{.resource = subject_.owner,
                                   .key = {"", subject_.owner_name},
                                   .uid = target.owner_uid,
                                   .resource_version = target.owner_version};
  bool has_told = false;
  for (const EventText& event : kEvents) {
    const api::Condition* const now = api::FindCondition(after, event.type);
    if (now == nullptr || now->IsTrue() != event.is_true) continue;
    if (now->IsTrue() == IsTrue(before, event.type)) continue;
    events_.Record(subject, event.event, event.reason, EventMessage(*now));
    has_told = true;
  }
  if (!has_told && IsTrue(before, api::kProgressing) && !IsTrue(after, api::kProgressing)) {
    events_.Record(subject, kube::EventType::kNormal, "NotProgressing",
                   fmt::format("the rollout of {} has ended", subject_.name));
  }
}

aio::Task<absl::StatusOr<absl::Time>> StatusWriter::Write(StatusTarget target, Decision decision) {
  const bool is_available = decision.is_available();
  const absl::Time now = clock_.SteadyNow();
  std::vector<api::Condition> current;
  bool is_absent = false;
  absl::Time again_at = absl::InfiniteFuture();
  absl::Status refused;
  if (target.is_status_known) unseen_conditions_.reset();
  if (unseen_conditions_.has_value()) {
    current = *unseen_conditions_;
  } else if (const auto* written = written_conditions_.Get(VersionOf(target), now)) {
    current = *written;
    again_at = OnTheWall(written_conditions_.until());
  } else if (target.tigera_status != nullptr) {
    current = target.tigera_status->conditions;
  } else {
    is_absent = true;
    current = ConditionsOf(target.owner_status);
  }
  const std::vector<api::Condition> conditions =
      WithTransitionTimes(current, std::move(decision.conditions), clock_.Now());
  if (is_absent || current != conditions || LacksOwner(target)) {
    if (!is_absent && SameButForMessages(current, conditions) && !LacksOwner(target) &&
        now - last_write_ < kMessageInterval) {
      co_return OnTheWall(last_write_ + kMessageInterval);
    }
    const absl::Status told = target.is_status_known
                                  ? co_await WriteTigeraStatus(target, conditions)
                                  : co_await WriteUnknownStatus(conditions);
    if (!told.ok() && !absl::IsPermissionDenied(told)) co_return told;
    last_write_ = now;
    if (told.ok() && target.is_status_known) again_at = OnTheWall(written_conditions_.until());
    refused = told;
    const std::vector<api::Condition> before =
        told.ok() ? current : ConditionsOf(target.owner_status);
    if (!target.owner_uid.empty()) RecordEvents(target, before, conditions);
  }
  if (subject_.is_mirrored && !target.owner_uid.empty() && target.may_write_owner) {
    // It says the same, and may be written where TigeraStatus may not.
    CALICO_CO_ASSIGN_OR_RETURN(const absl::Time owner_again_at,
                               co_await WriteOwner(target, conditions, is_available));
    again_at = std::min(again_at, owner_again_at);
  }
  CALICO_CO_RETURN_IF_ERROR(refused);
  co_return again_at;
}

aio::Task<absl::Status> StatusWriter::Remove(
    std::shared_ptr<const api::TigeraStatus> tigera_status) {
  written_conditions_.Forget();
  unseen_conditions_.reset();
  written_owner_status_.Forget();
  if (tigera_status == nullptr) co_return absl::OkStatus();
  const absl::Status status = co_await client_.Delete(api::kTigeraStatuses, {"", subject_.name},
                                                      {.uid = tigera_status->meta.uid});
  co_return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace calico::status
