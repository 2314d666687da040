#include "pkg/kube/apply/plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/kube/schema/compare.h"
#include "pkg/openssl/digest.h"

namespace calico::kube {
namespace {

using KindAndKey = std::pair<std::string_view, api::ObjectKey>;

// The hash leaves the owners out: their UIDs differ from cluster to cluster, and comparing them is
// enough.
std::string HashOf(const json::object& object) {
  json::object copy = object;
  if (json::value* metadata = copy.if_contains("metadata")) {
    metadata->as_object().erase("ownerReferences");
  }
  return openssl::Sha256Hex(codec::Serialize(copy));
}

// What differs, for the log: the hash differs whenever anything was changed, so it is named only
// when nothing else is.
std::optional<std::string> PathOfDifference(const json::object& live, const DesiredObject& wanted) {
  const json::object& desired = wanted.object;
  const Schema& schema = Schema::Kubernetes();
  const std::optional<Difference> first = FirstDifference(schema, live, desired);
  if (!first.has_value()) {
    if (wanted.has_precondition()) return std::nullopt;
    return ImmutableDifference(schema, live, desired);
  }
  if (!first->path.starts_with("metadata.annotations.")) return first->path;
  json::object rest = desired;
  rest.erase("metadata");
  const std::optional<Difference> beyond = FirstDifference(schema, live, rest);
  return beyond.has_value() ? beyond->path : first->path;
}

// A number of a workload's status; 0 where the controller has written none yet.
std::int64_t StatusCount(const json::object& object, std::string_view field) {
  const json::object* const status = codec::FindObject(object, "status");
  if (status == nullptr) return 0;
  const json::value* const count = status->if_contains(field);
  return count != nullptr && count->is_int64() ? count->get_int64() : 0;
}

bool HasPods(const api::Resource& resource, const json::object& live) {
  if (resource == api::kDaemonSets) {
    return StatusCount(live, "currentNumberScheduled") > 0 ||
           StatusCount(live, "numberMisscheduled") > 0;
  }
  return resource == api::kDeployments && StatusCount(live, "replicas") > 0;
}

// Whether more goes with the object than comes back with it: a Service's address, all objects of a
// definition, everything in a namespace.
bool TakesMoreAlong(const api::Resource& resource) {
  return resource == api::kNamespaces || resource == api::kCustomResourceDefinitions ||
         resource == api::kServices;
}

// Whether a ClusterRole has an aggregationRule that it must not have. Only who may do everything
// can change or remove that; deleting is allowed.
bool GathersRules(const api::Resource& resource, const json::object& live,
                  const json::object& desired) {
  return resource == api::kClusterRoles && codec::FindObject(live, "aggregationRule") != nullptr &&
         codec::FindObject(desired, "aggregationRule") == nullptr;
}

std::optional<ApplyStep> StepFor(const DesiredObject& desired, size_t index,
                                 const LiveObject* live) {
  if (live == nullptr) return ApplyStep{.index = index};
  const json::object object = live->Parse();
  std::optional<std::string> difference = PathOfDifference(object, desired);
  if (!difference.has_value()) return std::nullopt;
  ApplyStep step{.index = index, .difference = *std::move(difference)};
  if (desired.has_precondition()) return step;
  const absl::StatusOr<bool> anew = NeedsNewObject(desired, object);
  if (!anew.ok()) {
    step.obstacle = anew.status();
  } else if (*anew) {
    step.delete_uid = live->uid;
  }
  return step;
}

// A template without an account says so. The API server keeps a copy of serviceAccountName in the
// older field and takes that where the first is absent: one that is only left out comes back.
void NameAccount(const api::Resource& resource, json::object& object) {
  if (resource != api::kDaemonSets && resource != api::kDeployments) return;
  json::object* at = &object;
  for (const std::string_view key : {"spec", "template", "spec"}) {
    json::value* const inside = at->if_contains(key);
    if (inside == nullptr || !inside->is_object()) return;
    at = &inside->get_object();
  }
  if (at->contains("serviceAccountName") || at->contains("serviceAccount")) return;
  (*at)["serviceAccount"] = "";
  (*at)["serviceAccountName"] = "";
}

bool IsSuperseded(const PlanInput& input, const DesiredObject& desired, const LiveObject* live) {
  if (!desired.has_precondition()) return false;
  if (live == nullptr || live->uid != desired.made_from.uid) return true;
  if (live->resource_version == desired.made_from.resource_version) return false;
  return !input.is_own_version || !input.is_own_version(desired, *live);
}

// Takes it out of the object.
Preconditions TakePrecondition(json::object& metadata) {
  Preconditions made_from{
      .uid = std::string(codec::TextAt(metadata, "uid")),
      .resource_version = std::string(codec::TextAt(metadata, "resourceVersion"))};
  metadata.erase("uid");
  metadata.erase("resourceVersion");
  return made_from;
}

}  // namespace

absl::StatusOr<bool> NeedsNewObject(const DesiredObject& desired, const json::object& live) {
  const api::Resource& resource = *desired.resource;
  if (GathersRules(resource, live, desired.object)) return true;
  const std::optional<std::string> path =
      ImmutableDifference(Schema::Kubernetes(), live, desired.object);
  if (!path.has_value()) return false;
  if (TakesMoreAlong(resource)) {
    return absl::FailedPreconditionError(
        fmt::format("apply {} {}: {} is not what it must be and cannot be changed", resource.kind,
                    desired.key.ToString(), *path));
  }
  if (!HasPods(resource, live)) return true;
  const std::string where =
      desired.key.ns.empty() ? std::string() : fmt::format(" --namespace {}", desired.key.ns);
  return absl::FailedPreconditionError(fmt::format(
      "apply {} {}: {} is not what it must be and cannot be changed: run `kubectl delete {}{} {}` "
      "at a time when it may be gone for a moment, it is then made anew",
      resource.kind, desired.key.ToString(), *path, resource.plural, where, desired.key.name));
}

absl::StatusOr<DesiredObject> MakeDesired(json::object object, std::string_view hash_annotation) {
  CALICO_ASSIGN_OR_RETURN(const api::ObjectIdentity identity, api::ObjectIdentity::Decode(object));
  DesiredObject desired;
  desired.resource = api::FindResource(identity.api_version, identity.kind);
  if (desired.resource == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("apply {} {}: unknown kind", identity.api_version, identity.kind));
  }
  desired.key = identity.meta.Key();
  desired.made_from = TakePrecondition(object["metadata"].as_object());
  desired.hash = HashOf(object);
  json::value& annotations = object["metadata"].as_object()["annotations"];
  if (!annotations.is_object()) annotations.emplace_object();
  annotations.as_object()[hash_annotation] = desired.hash;
  NameAccount(*desired.resource, object);
  desired.object = std::move(object);
  return desired;
}

Wave WaveOf(const api::Resource& resource) {
  if (resource == api::kNamespaces || resource == api::kClusterRoles || resource == api::kRoles) {
    return Wave::kNamespacesAndRoles;
  }
  if (resource == api::kSecrets) return Wave::kSecrets;
  if (resource == api::kDaemonSets || resource == api::kDeployments) return Wave::kWorkloads;
  return Wave::kConfiguration;
}

bool IsNeededByLaterWaves(const api::Resource& resource) {
  return resource != api::kPodDisruptionBudgets && resource != api::kValidatingAdmissionPolicies &&
         resource != api::kValidatingAdmissionPolicyBindings && resource != api::kNetworkPolicies &&
         resource != api::kApiServices;
}

ApplyPlan MakePlan(const PlanInput& input) {
  ApplyPlan plan;
  absl::flat_hash_set<KindAndKey> wanted;
  for (size_t i = 0; i < input.desired->size(); ++i) {
    const DesiredObject& desired = (*input.desired)[i];
    wanted.insert({desired.resource->kind, desired.key});
    const std::shared_ptr<const LiveObject> live = input.live->Get(*desired.resource, desired.key);
    if (live != nullptr && live->deleting) {
      plan.endings.push_back({i, EndingOf(*desired.resource, live->Parse())});
      continue;
    }
    if (IsSuperseded(input, desired, live.get())) {
      plan.superseded.push_back(i);
      continue;
    }
    std::optional<ApplyStep> step = StepFor(desired, i, live.get());
    if (!step.has_value()) {
      plan.in_place.push_back(i);
      continue;
    }
    if (input.just_sent && input.just_sent(desired, live.get())) continue;
    plan.applies.push_back(*std::move(step));
  }
  input.live->ForEach([&](const api::Resource& resource, const LiveObject& live) {
    if (live.deleting || !live.applied_by_us) return;
    const bool has_no_owner = live.controller_uid.empty();
    if (has_no_owner ? !input.removes_ownerless : live.controller_uid != input.owner_uid) return;
    if (wanted.contains(KindAndKey(resource.kind, live.key))) return;
    plan.deletes.push_back({&resource, live.key, live.uid});
  });
  std::sort(plan.deletes.begin(), plan.deletes.end(), [](const auto& a, const auto& b) {
    return std::pair(a.resource->kind, a.key) < std::pair(b.resource->kind, b.key);
  });
  return plan;
}

}  // namespace calico::kube
