// The store, the verbs that write, and the dispatch. Reads and watches: api_state_read.cc.

#include "pkg/kube/testing/api_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "pkg/codec/time.h"
#include "pkg/kube/testing/api_state_internal.h"
#include "pkg/kube/testing/csr_rules.h"
#include "pkg/kube/testing/field_ownership.h"
#include "pkg/kube/testing/field_set.h"
#include "pkg/kube/testing/pod_template_rules.h"

namespace calico::kube {

using api_state_internal::CollectionId;
using api_state_internal::HasGeneration;
using api_state_internal::HasStatus;
using api_state_internal::Metadata;
using api_state_internal::NotFound;
using api_state_internal::ParseBody;

namespace {

constexpr std::string_view kCsr = "certificatesigningrequests";

ApiReply Conflict(const api::Resource& resource, std::string_view name, std::string_view cause) {
  return Failure(409, "Conflict",
                 fmt::format("Operation cannot be fulfilled on {}{}{} \"{}\": {}", resource.plural,
                             resource.group.empty() ? "" : ".", resource.group, name, cause),
                 {{"name", name}, {"group", resource.group}, {"kind", resource.plural}});
}

ApiReply BadRequest(std::string message) { return Failure(400, "BadRequest", std::move(message)); }

bool IsSubdomain(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 253) return false;
  if (!is_alnum(name.front()) || !is_alnum(name.back())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_alnum(c) || c == '-' || c == '.'; });
}

// RBAC objects and requests may be named by anything that fits into a path.
bool IsValidName(const api::Resource& resource, std::string_view name) {
  if (resource.plural == kCsr || resource.group == "rbac.authorization.k8s.io") {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of("/%") == std::string_view::npos;
  }
  return IsSubdomain(name);
}

// RFC 7386.
void MergePatch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null()) {
      target.get_object().erase(key);
    } else {
      MergePatch(target.get_object()[key], value);
    }
  }
}

void CopyMember(const json::object& from, json::object& to, std::string_view key) {
  if (const json::value* value = from.if_contains(key)) {
    to[key] = *value;
  } else {
    to.erase(key);
  }
}

// `object` with the managedFields of `other`.
json::object WithManagedFieldsOf(const json::object& other, json::object object) {
  CopyMember(Metadata(other), Metadata(object), "managedFields");
  return object;
}

json::object WithoutMetaAndStatus(const json::object& object) {
  json::object copy = object;
  copy.erase("metadata");
  copy.erase("status");
  return copy;
}

bool HasFinalizers(const json::object& object) {
  const json::value* list = Metadata(object).if_contains("finalizers");
  return list != nullptr && list->is_array() && !list->get_array().empty();
}

// What the preconditions of a DeleteOptions object say against deleting `live`.
std::optional<ApiReply> CheckPreconditions(const api::Resource& resource, const json::object& live,
                                           const json::object& options) {
  const auto refuse = [&](std::string_view what, std::string_view wanted, std::string_view found,
                          std::string_view advice) {
    return Failure(409, "Conflict",
                   fmt::format("Operation cannot be fulfilled on {} \"{}\": the {} in the "
                               "precondition ({}) does not match the {} in record ({}). The object "
                               "might have been {}",
                               resource.kind, TextAt(live, {"metadata", "name"}), what, wanted,
                               what, found, advice));
  };
  const std::string_view uid = TextAt(options, {"preconditions", "uid"});
  const std::string_view live_uid = TextAt(live, {"metadata", "uid"});
  if (!uid.empty() && uid != live_uid) {
    return refuse("UID", uid, live_uid, "deleted and then recreated");
  }
  const std::string_view version = TextAt(options, {"preconditions", "resourceVersion"});
  const std::string_view live_version = TextAt(live, {"metadata", "resourceVersion"});
  if (!version.empty() && version != live_version) {
    return refuse("ResourceVersion", version, live_version, "modified");
  }
  return std::nullopt;
}

std::optional<ApiReply> CheckContent(const api::Resource& resource, std::string_view name,
                                     const json::object& object) {
  const std::vector<FieldProblem> problems = CheckPodTemplate(object);
  if (problems.empty()) return std::nullopt;
  return Invalid(resource.kind, resource.group, name, problems);
}

// Whether a change gives managedFields of its own, which is how fields change hands. An empty list
// comes from those who do not know them.
bool SetsManagedFields(const ApiRequest& request, const json::object& change) {
  const json::value* const metadata = change.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object() || !request.subresource.empty()) return false;
  const json::value* const managed = metadata->get_object().if_contains("managedFields");
  return managed != nullptr && managed->is_array() && !managed->get_array().empty();
}

ApiReply ApplyConflict(const std::vector<FieldConflict>& conflicts) {
  json::array causes;
  std::string texts;
  for (const FieldConflict& conflict : conflicts) {
    const std::string message =
        fmt::format("conflict with \"{}\" using {}", conflict.manager, conflict.api_version);
    texts += fmt::format("{}{}: {}", texts.empty() ? "" : ", ", message, conflict.field);
    causes.push_back(json::object{
        {"reason", "FieldManagerConflict"}, {"message", message}, {"field", conflict.field}});
  }
  return Failure(409, "Conflict",
                 fmt::format("Apply failed with {} conflict{}: {}", conflicts.size(),
                             conflicts.size() == 1 ? "" : "s", texts),
                 {{"causes", std::move(causes)}});
}

}  // namespace

ApiState::ApiState(const base::Clock& clock) : clock_(clock) {
  for (const api::Resource& resource : api::Resources()) {
    collections_[CollectionId(resource.group, resource.version, resource.plural)] = {
        .resource = resource, .custom = resource.group.ends_with("tigera.io")};
  }
}

ApiState::~ApiState() = default;

void ApiState::AddResource(const api::Resource& resource) {
  collections_[CollectionId(resource.group, resource.version, resource.plural)] = {
      .resource = resource, .custom = true};
}

void ApiState::SetServed(const api::Resource& resource, bool served) {
  Find(resource)->served = served;
}

void ApiState::Compact() {
  compacted_ = revision_;
  for (auto& [id, collection] : collections_) collection.events.clear();
}

std::string ApiState::NextUid() { return fmt::format("00000000-0000-4000-8000-{:012d}", ++uids_); }

std::string ApiState::Now() const { return codec::EncodeTime(clock_.Now()); }

ApiReply ApiState::Handle(const ApiRequest& request) {
  if (request.plural.empty()) return Discover(request);
  if (Find(request) == nullptr) {
    return Failure(404, "NotFound", "the server could not find the requested resource");
  }
  Collection& collection =
      collections_.at(CollectionId(request.group, request.version, request.plural));
  if (request.method == "GET") {
    return request.name.empty() ? ListPage(collection, request) : Get(collection, request);
  }
  if (request.method == "POST" && request.name.empty()) {
    absl::StatusOr<json::object> object = ParseBody(request);
    if (!object.ok()) return BadRequest(std::string(object.status().message()));
    return Create(collection, request, *std::move(object));
  }
  const bool is_apply = request.content_type.starts_with("application/apply-patch+yaml");
  if (request.method == "PATCH" && !request.name.empty()) {
    return is_apply ? Apply(collection, request) : Update(collection, request);
  }
  if (request.method == "PUT" && !request.name.empty()) return Update(collection, request);
  if (request.method == "DELETE" && !request.name.empty() && request.subresource.empty()) {
    return Delete(collection, request);
  }
  return Failure(405, "MethodNotAllowed",
                 "the server does not allow this method on the requested resource");
}

std::optional<ApiReply> ApiState::PrepareCreate(const Collection& collection,
                                                const ApiRequest& request, json::object& object) {
  const api::Resource& resource = collection.resource;
  if (TextAt(object, {"kind"}) != resource.kind ||
      TextAt(object, {"apiVersion"}) != resource.ApiVersion()) {
    return BadRequest("the object provided is unrecognized or of another kind");
  }
  json::object& metadata = Metadata(object);
  const std::string prefix(TextAt(object, {"metadata", "generateName"}));
  if (TextAt(object, {"metadata", "name"}).empty() && !prefix.empty()) {
    metadata["name"] = fmt::format("{}{:05}", prefix, ++generated_names_);
  }
  const std::string name(TextAt(object, {"metadata", "name"}));
  if (!IsValidName(resource, name)) {
    return Invalid(resource.kind, resource.group, name,
                   {{"metadata.name", name.empty() ? "FieldValueRequired" : "FieldValueInvalid",
                     "Invalid value: a name is required and must be a lowercase RFC 1123 "
                     "subdomain"}});
  }
  const std::string_view ns = TextAt(object, {"metadata", "namespace"});
  if (!ns.empty() && ns != request.ns) {
    return BadRequest(
        "the namespace of the provided object does not match the namespace sent "
        "on the request");
  }
  if (!TextAt(object, {"metadata", "resourceVersion"}).empty()) {
    return BadRequest("resourceVersion should not be set on objects to be created");
  }
  if (resource.namespaced) metadata["namespace"] = request.ns;
  metadata["uid"] = NextUid();
  metadata["creationTimestamp"] = Now();
  if (HasGeneration(resource)) metadata["generation"] = 1;
  if (HasStatus(resource)) object.erase("status");
  if (resource.plural == kCsr) return PrepareCsrCreate(object, request.identity);
  return CheckContent(resource, name, object);
}

ApiReply ApiState::Create(Collection& collection, const ApiRequest& request, json::object object) {
  const api::Resource& resource = collection.resource;
  const bool is_apply = request.method == "PATCH";
  json::value managed;
  if (is_apply) managed = Metadata(object)["managedFields"];
  if (auto failure = PrepareCreate(collection, request, object)) return *std::move(failure);
  if (webhook_) webhook_(resource, object);
  const api::ObjectKey key{std::string(request.ns),
                           std::string(TextAt(object, {"metadata", "name"}))};
  if (collection.objects.contains(key)) {
    return Failure(409, "AlreadyExists",
                   fmt::format("{}{}{} \"{}\" already exists", resource.plural,
                               resource.group.empty() ? "" : ".", resource.group, key.name),
                   {{"name", key.name}, {"group", resource.group}, {"kind", resource.plural}});
  }
  if (is_apply) {
    Metadata(object)["managedFields"] = std::move(managed);
  } else {
    Metadata(object).erase("managedFields");
    RecordUpdate({}, object,
                 {request.FieldManager(), request.subresource, resource.ApiVersion(), Now()});
  }
  if (request.dry_run()) return {201, std::move(object)};
  return {201, *Commit(collection, key, nullptr, std::move(object))};
}

std::optional<ApiReply> ApiState::PrepareUpdate(const Collection& collection,
                                                const ApiRequest& request, const json::object& live,
                                                json::object& next) const {
  const api::Resource& resource = collection.resource;
  if (TextAt(next, {"metadata", "name"}) != request.name) {
    return BadRequest("the name of the object does not match the name on the URL");
  }
  const std::string_view version = TextAt(next, {"metadata", "resourceVersion"});
  if (!version.empty() && version != TextAt(live, {"metadata", "resourceVersion"})) {
    return Conflict(resource, request.name,
                    "the object has been modified; please apply your changes to the latest "
                    "version and try again");
  }
  const std::string_view uid = TextAt(next, {"metadata", "uid"});
  const std::string_view live_uid = TextAt(live, {"metadata", "uid"});
  if (!uid.empty() && uid != live_uid) {
    return Conflict(resource, request.name,
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                "meta: {}",
                                uid, live_uid));
  }
  const bool is_csr = resource.plural == kCsr;
  if (!request.subresource.empty() && !is_csr) {
    json::object status_only = live;
    CopyMember(next, status_only, "status");
    next = std::move(status_only);
  }
  json::object& metadata = Metadata(next);
  for (const char* key : {"uid", "creationTimestamp", "deletionTimestamp", "generation",
                          "namespace", "resourceVersion", "generateName"}) {
    CopyMember(Metadata(live), metadata, key);
  }
  if (is_csr) return PrepareCsrUpdate(live, next, request.subresource, Now());
  if (request.subresource.empty() && HasStatus(resource)) CopyMember(live, next, "status");
  if (HasGeneration(resource) && WithoutMetaAndStatus(live) != WithoutMetaAndStatus(next)) {
    const json::value* generation = Metadata(live).if_contains("generation");
    metadata["generation"] = (generation == nullptr ? 0 : generation->to_number<int64_t>()) + 1;
  }
  return CheckContent(resource, request.name, next);
}

ApiReply ApiState::Update(Collection& collection, const ApiRequest& request) {
  const auto found = collection.objects.find({request.ns, request.name});
  if (found == collection.objects.end()) return NotFound(collection.resource, request.name);
  const ObjectPtr live = found->second;
  absl::StatusOr<json::object> body = ParseBody(request);
  if (!body.ok()) return BadRequest(std::string(body.status().message()));
  const bool has_managed_fields = SetsManagedFields(request, *body);
  json::object next;
  if (request.method == "PUT") {
    next = *std::move(body);
  } else if (request.content_type.starts_with("application/merge-patch+json")) {
    json::value merged(*live);
    // The stored resourceVersion is no precondition; the patch's own is.
    merged.get_object()["metadata"].as_object().erase("resourceVersion");
    MergePatch(merged, *body);
    next = std::move(merged.get_object());
  } else {
    return Failure(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
  }
  if (auto failure = PrepareUpdate(collection, request, *live, next)) return *std::move(failure);
  if (!has_managed_fields) CopyMember(Metadata(*live), Metadata(next), "managedFields");
  if (!SameContent(*live, next)) {
    const json::object before = WithManagedFieldsOf(next, *live);
    RecordUpdate(
        before, next,
        {request.FieldManager(), request.subresource, collection.resource.ApiVersion(), Now()});
  }
  return Store(collection, request, live, std::move(next));
}

ApiReply ApiState::Apply(Collection& collection, const ApiRequest& request) {
  const api::Resource& resource = collection.resource;
  if (request.Query("fieldManager").empty()) {
    return Invalid("PatchOptions", "meta.k8s.io", "",
                   {{"fieldManager", "FieldValueRequired",
                     "Required value: is required for apply "
                     "patch"}});
  }
  absl::StatusOr<json::object> applied = ParseBody(request);
  if (!applied.ok()) return BadRequest(std::string(applied.status().message()));
  if (Metadata(*applied).contains("managedFields")) {
    return BadRequest("metadata.managedFields must be nil");
  }
  const auto found = collection.objects.find({request.ns, request.name});
  const ObjectPtr live = found == collection.objects.end() ? nullptr : found->second;
  if (live == nullptr && !request.subresource.empty()) return NotFound(resource, request.name);
  if (!HasStatus(resource)) {
    // nothing to keep apart
  } else if (request.subresource.empty()) {
    applied->erase("status");
  } else {
    json::object status_only{{"apiVersion", TextAt(*applied, {"apiVersion"})},
                             {"kind", TextAt(*applied, {"kind"})},
                             {"metadata", {{"name", TextAt(*applied, {"metadata", "name"})}}}};
    CopyMember(*applied, status_only, "status");
    *applied = std::move(status_only);
  }
  ApplyOutcome outcome = ApplyFields(
      live == nullptr ? json::object() : *live, *applied,
      {request.Query("fieldManager"), request.subresource, resource.ApiVersion(), Now()},
      request.Query("force") == "true");
  if (!outcome.conflicts.empty()) return ApplyConflict(outcome.conflicts);
  if (live == nullptr) {
    // Its UID says that it is meant to be there.
    const std::string_view uid = TextAt(*applied, {"metadata", "uid"});
    if (uid.empty()) return Create(collection, request, std::move(outcome.object));
    return Conflict(resource, request.name,
                    fmt::format("uid mismatch: the provided object specified uid {}, and no "
                                "existing object was found",
                                uid));
  }

  json::value managed = Metadata(outcome.object)["managedFields"];
  CopyMember(Metadata(*applied), Metadata(outcome.object), "resourceVersion");
  CopyMember(Metadata(*applied), Metadata(outcome.object), "uid");
  if (auto failure = PrepareUpdate(collection, request, *live, outcome.object)) {
    return *std::move(failure);
  }
  Metadata(outcome.object)["managedFields"] = std::move(managed);
  return Store(collection, request, live, std::move(outcome.object));
}

// Ends every change of an existing object: writes nothing when nothing has changed, and lets an
// object go whose last finalizer has gone.
ApiReply ApiState::Store(Collection& collection, const ApiRequest& request, const ObjectPtr& live,
                         json::object next) {
  if (webhook_) webhook_(collection.resource, next);
  if (SameContent(*live, next) && SameOwnership(*live, next)) return {200, *live};
  if (request.dry_run()) return {200, std::move(next)};
  const api::ObjectKey key{request.ns, request.name};
  if (Metadata(next).contains("deletionTimestamp") && !HasFinalizers(next)) {
    Commit(collection, key, live, std::nullopt);
    return {200, std::move(next)};
  }
  return {200, *Commit(collection, key, live, std::move(next))};
}

ApiReply ApiState::Delete(Collection& collection, const ApiRequest& request) {
  const api::Resource& resource = collection.resource;
  const auto found = collection.objects.find({request.ns, request.name});
  if (found == collection.objects.end()) return NotFound(resource, request.name);
  const ObjectPtr live = found->second;
  absl::StatusOr<json::object> options = request.body.empty() ? json::object() : ParseBody(request);
  if (!options.ok()) return BadRequest(std::string(options.status().message()));
  if (auto failure = CheckPreconditions(resource, *live, *options)) return *std::move(failure);
  json::object details{{"name", request.name},
                       {"group", resource.group},
                       {"kind", resource.plural},
                       {"uid", TextAt(*live, {"metadata", "uid"})}};
  ApiReply success{200,
                   {{"kind", "Status"},
                    {"apiVersion", "v1"},
                    {"metadata", json::object()},
                    {"status", "Success"},
                    {"details", std::move(details)}}};
  if (request.dry_run()) return success;
  if (!HasFinalizers(*live)) {
    Commit(collection, found->first, live, std::nullopt);
    return success;
  }
  if (Metadata(*live).contains("deletionTimestamp")) return {200, *live};
  json::object next = *live;
  Metadata(next)["deletionTimestamp"] = Now();
  Metadata(next)["deletionGracePeriodSeconds"] = 0;
  return {200, *Commit(collection, found->first, live, std::move(next))};
}

ApiState::ObjectPtr ApiState::Commit(Collection& collection, const api::ObjectKey& key,
                                     ObjectPtr before, std::optional<json::object> after) {
  ++revision_;
  ObjectPtr stored;
  if (after) {
    Metadata(*after)["resourceVersion"] = fmt::to_string(revision_);
    stored = std::make_shared<const json::object>(*std::move(after));
    collection.objects[key] = stored;
  } else {
    collection.objects.erase(api::ObjectKey(key));
  }
  collection.events.push_back({revision_, std::move(before), stored});
  if (on_change_) on_change_();
  return stored;
}

const json::object& ApiState::Put(json::object object) {
  const api::Resource* resource = nullptr;
  for (auto& [id, collection] : collections_) {
    if (collection.resource.kind == TextAt(object, {"kind"}) &&
        collection.resource.ApiVersion() == TextAt(object, {"apiVersion"})) {
      resource = &collection.resource;
    }
  }
  Collection& collection = *Find(*resource);
  json::object& metadata = Metadata(object);
  const api::ObjectKey key{std::string(TextAt(object, {"metadata", "namespace"})),
                           std::string(TextAt(object, {"metadata", "name"}))};
  const auto found = collection.objects.find(key);
  const ObjectPtr live = found == collection.objects.end() ? nullptr : found->second;
  if (!metadata.contains("uid")) {
    metadata["uid"] = live == nullptr ? NextUid() : std::string(TextAt(*live, {"metadata", "uid"}));
  }
  if (!metadata.contains("creationTimestamp")) metadata["creationTimestamp"] = Now();
  return *Commit(collection, key, live, std::move(object));
}

bool ApiState::Remove(const api::Resource& resource, const api::ObjectKey& key) {
  Collection& collection = *Find(resource);
  const auto found = collection.objects.find(key);
  if (found == collection.objects.end()) return false;
  const ObjectPtr live = found->second;
  Commit(collection, key, live, std::nullopt);
  return true;
}

}  // namespace calico::kube
