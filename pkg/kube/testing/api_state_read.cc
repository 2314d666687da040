// Discovery, get, list and watch of ApiState.

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/kube/testing/api_state.h"
#include "pkg/kube/testing/api_state_internal.h"

namespace calico::kube {
namespace api_state_internal {

std::string CollectionId(std::string_view group, std::string_view version,
                         std::string_view plural) {
  return fmt::format("{}/{}/{}", group, version, plural);
}

bool HasStatus(const api::Resource& resource) {
  constexpr std::string_view kKinds[] = {"Pod",
                                         "Node",
                                         "Service",
                                         "Namespace",
                                         "DaemonSet",
                                         "Deployment",
                                         "ReplicaSet",
                                         "PodDisruptionBudget",
                                         "CertificateSigningRequest",
                                         "CustomResourceDefinition",
                                         "ValidatingAdmissionPolicy"};
  const bool custom =
      resource.group.find('.') != std::string_view::npos && !resource.group.ends_with(".k8s.io");
  return custom ||
         std::find(std::begin(kKinds), std::end(kKinds), resource.kind) != std::end(kKinds);
}

bool HasGeneration(const api::Resource& resource) {
  constexpr std::string_view kGroups[] = {"apps", "policy", "apiextensions.k8s.io",
                                          "admissionregistration.k8s.io"};
  const bool custom =
      resource.group.find('.') != std::string_view::npos && !resource.group.ends_with(".k8s.io");
  return custom ||
         std::find(std::begin(kGroups), std::end(kGroups), resource.group) != std::end(kGroups);
}

json::object& Metadata(json::object& object) {
  json::value& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  return metadata.get_object();
}

const json::object& Metadata(const json::object& object) {
  static const json::object& empty = *new json::object();
  const json::value* metadata = object.if_contains("metadata");
  return metadata == nullptr || !metadata->is_object() ? empty : metadata->get_object();
}

absl::StatusOr<json::object> ParseBody(const ApiRequest& request) {
  return codec::ParseJsonObject(request.body);
}

ApiReply NotFound(const api::Resource& resource, std::string_view name) {
  return Failure(404, "NotFound",
                 fmt::format("{}{}{} \"{}\" not found", resource.plural,
                             resource.group.empty() ? "" : ".", resource.group, name),
                 {{"name", name}, {"group", resource.group}, {"kind", resource.plural}});
}

}  // namespace api_state_internal

namespace {

using api_state_internal::CollectionId;
using api_state_internal::HasStatus;

// Where the next page begins, and the revision of the first one.
struct ContinueToken {
  int64_t revision = 0;
  api::ObjectKey after;
};

std::string EncodeToken(const ContinueToken& token) {
  return base::Base64Encode(
      codec::Serialize(
          json::object{{"rv", token.revision}, {"ns", token.after.ns}, {"name", token.after.name}}),
      base::Base64::kUrlRaw);
}

std::optional<ContinueToken> DecodeToken(std::string_view text) {
  const absl::StatusOr<std::string> bytes = base::Base64Decode(text, base::Base64::kUrlRaw);
  if (!bytes.ok()) return std::nullopt;
  const absl::StatusOr<json::object> object = codec::ParseJsonObject(*bytes);
  if (!object.ok()) return std::nullopt;
  const json::value* revision = object->if_contains("rv");
  if (revision == nullptr || !revision->is_int64()) return std::nullopt;
  return ContinueToken{
      revision->get_int64(),
      {std::string(TextAt(*object, {"ns"})), std::string(TextAt(*object, {"name"}))}};
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

ApiReply BadRequest(std::string message) { return Failure(400, "BadRequest", std::move(message)); }

ApiReply Expired(std::string message) { return Failure(410, "Expired", std::move(message)); }

std::string EventLine(std::string_view type, json::object object) {
  return codec::Serialize(json::object{{"type", type}, {"object", std::move(object)}}) + "\n";
}

json::object WithVersion(json::object object, int64_t revision) {
  api_state_internal::Metadata(object)["resourceVersion"] = fmt::to_string(revision);
  return object;
}

json::object Discovered(const api::Resource& resource, std::string_view subresource) {
  const std::string name = subresource.empty() ? std::string(resource.plural)
                                               : fmt::format("{}/{}", resource.plural, subresource);
  return {{"name", name},
          {"singularName", ""},
          {"namespaced", resource.namespaced},
          {"kind", resource.kind},
          {"verbs", json::array{"create", "delete", "get", "list", "patch", "update", "watch"}}};
}

}  // namespace

const ApiState::Collection* ApiState::Find(const ApiRequest& request) const {
  const auto found =
      collections_.find(CollectionId(request.group, request.version, request.plural));
  if (found == collections_.end() || !found->second.served) return nullptr;
  const api::Resource& resource = found->second.resource;
  // One object, or a new one, is addressed within its namespace.
  const bool needs_ns = resource.namespaced && (!request.name.empty() || request.method == "POST");
  if (needs_ns != !request.ns.empty() && (needs_ns || !resource.namespaced)) return nullptr;
  const std::string& sub = request.subresource;
  const bool known = sub.empty() || (sub == "status" && HasStatus(resource)) ||
                     (sub == "approval" && resource.plural == "certificatesigningrequests");
  return known ? &found->second : nullptr;
}

const ApiState::Collection* ApiState::Find(const api::Resource& resource) const {
  return &collections_.at(CollectionId(resource.group, resource.version, resource.plural));
}

ApiState::Collection* ApiState::Find(const api::Resource& resource) {
  return &collections_.at(CollectionId(resource.group, resource.version, resource.plural));
}

std::optional<json::object> ApiState::Find(const api::Resource& resource,
                                           const api::ObjectKey& key) const {
  const Collection& collection = *Find(resource);
  const auto found = collection.objects.find(key);
  if (found == collection.objects.end()) return std::nullopt;
  return *found->second;
}

std::vector<json::object> ApiState::List(const api::Resource& resource) const {
  std::vector<json::object> objects;
  for (const auto& [key, object] : Find(resource)->objects) objects.push_back(*object);
  return objects;
}

ApiReply ApiState::Discover(const ApiRequest& request) const {
  if (request.path == "/version") {
    return {200, {{"major", "1"}, {"minor", "37"}, {"gitVersion", "v1.37.2-fake"}}};
  }
  json::array resources;
  std::string group_version;
  for (const auto& [id, collection] : collections_) {
    const api::Resource& resource = collection.resource;
    const std::string path =
        fmt::format("{}/{}", resource.group.empty() ? "/api" : "/apis", resource.ApiVersion());
    if (!collection.served || path != request.path) continue;
    group_version = resource.ApiVersion();
    resources.push_back(Discovered(resource, ""));
    if (HasStatus(resource)) resources.push_back(Discovered(resource, "status"));
  }
  if (resources.empty() || request.method != "GET") {
    return Failure(404, "NotFound", "the server could not find the requested resource");
  }
  return {200,
          {{"kind", "APIResourceList"},
           {"apiVersion", "v1"},
           {"groupVersion", group_version},
           {"resources", std::move(resources)}}};
}

ApiReply ApiState::Get(const Collection& collection, const ApiRequest& request) const {
  const auto found = collection.objects.find({request.ns, request.name});
  if (found == collection.objects.end()) {
    return api_state_internal::NotFound(collection.resource, request.name);
  }
  if (request.accept.find("as=PartialObjectMetadata") == std::string::npos) {
    return {200, *found->second};
  }
  return {200,
          {{"kind", "PartialObjectMetadata"},
           {"apiVersion", "meta.k8s.io/v1"},
           {"metadata", found->second->at("metadata")}}};
}

ApiReply ApiState::ListPage(const Collection& collection, const ApiRequest& request) const {
  const absl::StatusOr<Selectors> selectors = Selectors::Parse(
      request.Query("labelSelector"), request.Query("fieldSelector"), collection.resource.plural);
  if (!selectors.ok()) return BadRequest(std::string(selectors.status().message()));
  ContinueToken from{.revision = revision_};
  if (const std::string text = request.Query("continue"); !text.empty()) {
    const std::optional<ContinueToken> token = DecodeToken(text);
    if (!token) return BadRequest("continue key is not valid");
    if (token->revision < compacted_) {
      return Expired(
          "The provided continue parameter is too old to display a consistent list "
          "result. You must start a new list without the continue parameter.");
    }
    from = *token;
  }
  const int64_t limit = ParseNumber(request.Query("limit")).value_or(0);

  json::array items;
  json::object metadata{{"resourceVersion", fmt::to_string(from.revision)}};
  auto entry = from.after.name.empty() ? collection.objects.begin()
                                       : collection.objects.upper_bound(from.after);
  for (; entry != collection.objects.end(); ++entry) {
    const bool selected =
        (request.ns.empty() || entry->first.ns == request.ns) && selectors->Match(*entry->second);
    if (!selected) continue;
    if (limit > 0 && static_cast<int64_t>(items.size()) == limit) {
      metadata["continue"] = EncodeToken({from.revision, std::prev(entry)->first});
      break;
    }
    json::object item = *entry->second;
    if (!collection.custom) {
      item.erase("apiVersion");
      item.erase("kind");
    }
    items.emplace_back(std::move(item));
  }
  return {200,
          {{"kind", fmt::format("{}List", collection.resource.kind)},
           {"apiVersion", collection.resource.ApiVersion()},
           {"metadata", std::move(metadata)},
           {"items", std::move(items)}}};
}

std::optional<ApiReply> ApiState::OpenWatch(const ApiRequest& request, Watch& watch) const {
  const Collection* collection = Find(request);
  if (collection == nullptr) {
    return Failure(404, "NotFound", "the server could not find the requested resource");
  }
  absl::StatusOr<Selectors> selectors = Selectors::Parse(
      request.Query("labelSelector"), request.Query("fieldSelector"), collection->resource.plural);
  if (!selectors.ok()) return BadRequest(std::string(selectors.status().message()));
  watch.state_ = this;
  watch.resource_ = &collection->resource;
  watch.ns_ = request.ns;
  watch.selectors_ = *std::move(selectors);
  watch.seen_ = revision_;
  const std::string version = request.Query("resourceVersion");
  if (version.empty() || version == "0") {
    for (const auto& [key, object] : collection->objects) {
      if (!request.ns.empty() && key.ns != request.ns) continue;
      if (watch.selectors_.Match(*object)) watch.initial_.push_back(EventLine("ADDED", *object));
    }
    return std::nullopt;
  }
  const std::optional<int64_t> number = ParseNumber(version);
  if (!number) {
    return Failure(500, "", fmt::format("resourceVersion: Invalid value: \"{}\"", version));
  }
  watch.seen_ = *number;
  return std::nullopt;
}

std::vector<std::string> ApiState::Watch::Next() {
  std::vector<std::string> lines = std::exchange(initial_, {});
  if (seen_ < state_->compacted_ && !expired_) {
    expired_ = true;
    lines.push_back(EventLine(
        "ERROR",
        Expired(fmt::format("too old resource version: {} ({})", seen_, state_->compacted_)).body));
  }
  if (expired_) return lines;
  state_->CollectEvents(*this, lines);
  seen_ = std::max(seen_, state_->revision_);
  return lines;
}

std::string ApiState::Watch::Bookmark() const {
  return EventLine("BOOKMARK", {{"kind", resource_->kind},
                                {"apiVersion", resource_->ApiVersion()},
                                {"metadata", {{"resourceVersion", fmt::to_string(seen_)}}}});
}

void ApiState::CollectEvents(const Watch& watch, std::vector<std::string>& lines) const {
  const std::deque<Event>& events = Find(*watch.resource_)->events;
  const auto begin =
      std::upper_bound(events.begin(), events.end(), watch.seen_,
                       [](int64_t seen, const Event& event) { return seen < event.revision; });
  for (auto event = begin; event != events.end(); ++event) {
    const json::object& any = event->after == nullptr ? *event->before : *event->after;
    if (!watch.ns_.empty() && TextAt(any, {"metadata", "namespace"}) != watch.ns_) continue;
    const bool was = event->before != nullptr && watch.selectors_.Match(*event->before);
    const bool is = event->after != nullptr && watch.selectors_.Match(*event->after);
    if (is) {
      lines.push_back(EventLine(was ? "MODIFIED" : "ADDED", *event->after));
    } else if (was) {
      // Also an object that the selector no longer matches is deleted for this watch.
      lines.push_back(EventLine("DELETED", WithVersion(*event->before, event->revision)));
    }
  }
}

}  // namespace calico::kube
