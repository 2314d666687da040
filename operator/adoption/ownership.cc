#include "operator/adoption/ownership.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "operator/adoption/former_operator.h"
#include "operator/calico_config/calico_config.h"
#include "operator/render/names.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/kube/apply/take_over.h"

namespace calico::adoption {
namespace {

using codec::FindArray;
using codec::FindObject;
using codec::TextAt;

constexpr std::string_view kOwnerGroup = "operator.tigera.io/";

json::object Preconditions(const json::object& live) {
  const api::ObjectMeta meta = api::ObjectMetaOf(live);
  return {{"uid", meta.uid}, {"resourceVersion", meta.resource_version}};
}

const json::object& MetadataOf(const json::object& object) {
  static const auto& none = *new json::object;
  const json::object* const metadata = FindObject(object, "metadata");
  return metadata == nullptr ? none : *metadata;
}

json::array OwnersOf(const json::object& object) {
  const json::array* const owners = FindArray(MetadataOf(object), "ownerReferences");
  return owners == nullptr ? json::array() : *owners;
}

bool IsOfOperator(const json::value& owner) {
  return owner.is_object() && TextAt(owner.get_object(), "apiVersion").starts_with(kOwnerGroup);
}

bool IsSameOwner(const json::value& a, const json::value& b) {
  return a.is_object() && b.is_object() &&
         TextAt(a.get_object(), "kind") == TextAt(b.get_object(), "kind") &&
         TextAt(a.get_object(), "uid") == TextAt(b.get_object(), "uid");
}

// What others own beside it stays. References of an operator to something else than `desired` has,
// which may be of an earlier Installation, would be a second controller.
void TakeOwners(const json::object& live, const json::object& desired, Takeover& takeover) {
  const json::array now = OwnersOf(live);
  const json::array wanted = OwnersOf(desired);
  json::array owners;
  for (const json::value& owner : now) {
    if (!IsOfOperator(owner)) owners.push_back(owner);
  }
  const size_t foreign = owners.size();
  owners.insert(owners.end(), wanted.begin(), wanted.end());
  const bool is_same = now.size() == foreign + wanted.size() &&
                       std::all_of(wanted.begin(), wanted.end(), [&](const json::value& owner) {
                         return std::any_of(now.begin(), now.end(), [&](const json::value& other) {
                           return IsSameOwner(owner, other);
                         });
                       });
  if (is_same) return;
  takeover.changes.push_back({"metadata.ownerReferences", now, owners});
  takeover.patch["ownerReferences"] = std::move(owners);
}

void TakeLabels(const json::object& live, Takeover& takeover) {
  const json::object* const labels = FindObject(MetadataOf(live), "labels");
  json::object wanted;
  for (const auto& [key, value] :
       {std::pair(render::kManagedByLabel, render::kManagedBy),
        std::pair(render::kInstanceLabel, std::string_view("default"))}) {
    const std::string_view now = labels == nullptr ? "" : TextAt(*labels, key);
    if (now == value) continue;
    takeover.changes.push_back({"metadata.labels." + std::string(key),
                                now.empty() ? json::value() : json::value(now),
                                json::value(value)});
    wanted[key] = value;
  }
  if (!wanted.empty()) takeover.patch["labels"] = std::move(wanted);
}

void TakeFields(const json::object& live, Takeover& takeover) {
  std::optional<json::array> managed =
      kube::TransferFields(live, kFormerManager, render::kFieldManager);
  if (!managed.has_value()) return;
  takeover.changes.push_back(
      {"metadata.managedFields", json::value(kFormerManager), json::value(render::kFieldManager)});
  takeover.patch["managedFields"] = *std::move(managed);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser let it be.
void Unite(json::object& into, const json::object& from) {
  for (const json::key_value_pair& member : from) {
    json::value& mine = into[member.key()];
    if (!mine.is_object()) {
      mine = member.value();
    } else if (const json::object* const below = member.value().if_object()) {
      Unite(mine.get_object(), *below);
    }
  }
}

bool IsUpdateBy(const json::value& entry, std::string_view manager) {
  return entry.is_object() && TextAt(entry.get_object(), "manager") == manager &&
         TextAt(entry.get_object(), "operation") == "Update" &&
         TextAt(entry.get_object(), "subresource").empty();
}

// With the updates of Tigera's operator as ours, one entry for each version of the API.
json::array RenamedManagers(const json::array& managed) {
  json::array renamed;
  for (json::value entry : managed) {
    if (IsUpdateBy(entry, kFormerManager)) entry.get_object()["manager"] = render::kFieldManager;
    const auto same = std::find_if(renamed.begin(), renamed.end(), [&](const json::value& other) {
      return IsUpdateBy(entry, render::kFieldManager) && IsUpdateBy(other, render::kFieldManager) &&
             TextAt(other.get_object(), "apiVersion") == TextAt(entry.get_object(), "apiVersion");
    });
    const json::object* const fields =
        same == renamed.end() ? nullptr : FindObject(entry.get_object(), "fieldsV1");
    if (fields == nullptr) {
      renamed.push_back(std::move(entry));
    } else {
      json::value& into = same->get_object()["fieldsV1"];
      if (!into.is_object()) into.emplace_object();
      Unite(into.get_object(), *fields);
    }
  }
  return renamed;
}

void TakeUpdates(const json::object& live, Takeover& takeover) {
  const json::array* const managed = FindArray(MetadataOf(live), "managedFields");
  if (managed == nullptr) return;
  const auto is_former = [](const json::value& entry) { return IsUpdateBy(entry, kFormerManager); };
  if (std::none_of(managed->begin(), managed->end(), is_former)) return;
  takeover.changes.push_back(
      {"metadata.managedFields", json::value(kFormerManager), json::value(render::kFieldManager)});
  takeover.patch["managedFields"] = RenamedManagers(*managed);
}

void TakeFinalizers(const json::object& live, Takeover& takeover) {
  const std::vector<std::string> former = FormerFinalizersOf(live);
  if (former.empty()) return;
  json::array others = OtherFinalizersOf(live);
  takeover.changes.push_back(
      {"metadata.finalizers", *FindArray(MetadataOf(live), "finalizers"), others});
  // An empty list would be kept as one.
  takeover.patch["finalizers"] = others.empty() ? json::value() : json::value(std::move(others));
}

std::optional<Takeover> Finished(const json::object& live, Takeover takeover) {
  if (takeover.patch.empty()) return std::nullopt;
  json::object metadata = Preconditions(live);
  for (const json::key_value_pair& member : takeover.patch) metadata.insert(member);
  takeover.patch = {{"metadata", std::move(metadata)}};
  return takeover;
}

}  // namespace

void SetOwnerUids(json::object& object, const OwnerUids& uids) {
  json::array owners;
  for (json::value& owner : OwnersOf(object)) {
    if (!owner.is_object()) continue;
    const auto found = uids.find(TextAt(owner.get_object(), "kind"));
    if (found == uids.end()) continue;
    owner.get_object()["uid"] = found->second;
    owners.push_back(std::move(owner));
  }
  json::value* const metadata = object.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return;
  if (owners.empty()) {
    metadata->get_object().erase("ownerReferences");
  } else {
    metadata->get_object()["ownerReferences"] = std::move(owners);
  }
}

std::optional<Takeover> PlanTakeover(const json::object& live, const json::object& desired) {
  Takeover takeover;
  TakeLabels(live, takeover);
  TakeOwners(live, desired, takeover);
  TakeFinalizers(live, takeover);
  TakeFields(live, takeover);
  return Finished(live, std::move(takeover));
}

std::optional<Takeover> PlanSharedTakeover(const json::object& live) {
  const bool is_of_operator = TextAt(live, "kind") == api::kIpPools.kind
                                  ? calico_config::IsOperators(live)
                                  : TextAt(MetadataOf(live), "name") == calico_config::kDefaultName;
  if (!is_of_operator) return std::nullopt;
  Takeover takeover;
  TakeUpdates(live, takeover);
  return Finished(live, std::move(takeover));
}

std::optional<Takeover> PlanRelease(const json::object& live) {
  Takeover takeover;
  TakeFinalizers(live, takeover);
  return Finished(live, std::move(takeover));
}

}  // namespace calico::adoption
