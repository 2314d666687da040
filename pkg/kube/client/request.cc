#include "pkg/kube/client/request.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"

namespace calico::kube {
namespace {

constexpr std::string_view kJson = "application/json";

// Query parameters in the order in which they were added.
class Query {
 public:
  void Add(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? '?' : '&';
    text_ += name;
    text_ += '=';
    text_ += http::PercentEncode(value);
  }
  void AddIfSet(std::string_view name, std::string_view value) {
    if (!value.empty()) Add(name, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

http::Request MakeRequest(std::string method, std::string target) {
  return {.method = std::move(method),
          .target = std::move(target),
          .headers = {{"Accept", std::string(kJson)}}};
}

void SetBody(http::Request& request, const json::object& body,
             std::string_view content_type = kJson) {
  request.headers.emplace_back("Content-Type", std::string(content_type));
  request.body = codec::Serialize(body);
}

// The API server refuses these names too, and a proxy on the way might resolve the dots.
absl::Status CheckSegment(std::string_view what, std::string_view segment) {
  if (segment.empty()) return absl::InvalidArgumentError(fmt::format("{} is empty", what));
  if (segment == "." || segment == ".." || segment.find('/') != std::string_view::npos ||
      segment.find('%') != std::string_view::npos) {
    return absl::InvalidArgumentError(fmt::format("{} {:?} is not valid", what, segment));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CollectionPath(const api::Resource& resource, std::string_view ns) {
  std::string path = GroupVersionPath(resource);
  if (!ns.empty()) {
    if (!resource.namespaced) {
      return absl::InvalidArgumentError(
          fmt::format("{} has no namespace, but {:?} is given", resource.kind, ns));
    }
    CALICO_RETURN_IF_ERROR(CheckSegment("namespace", ns));
    path += fmt::format("/namespaces/{}", http::PercentEncode(ns));
  }
  return path + fmt::format("/{}", resource.plural);
}

// The collection that holds one object: a namespaced kind needs its namespace.
absl::StatusOr<std::string> HomePath(const api::Resource& resource, std::string_view ns) {
  if (resource.namespaced && ns.empty()) {
    return absl::InvalidArgumentError("namespace is empty");
  }
  return CollectionPath(resource, ns);
}

absl::StatusOr<std::string> ObjectPath(const api::Resource& resource, const api::ObjectKey& key,
                                       std::string_view subresource) {
  CALICO_ASSIGN_OR_RETURN(std::string path, HomePath(resource, key.ns));
  CALICO_RETURN_IF_ERROR(CheckSegment("name", key.name));
  path += fmt::format("/{}", http::PercentEncode(key.name));
  if (!subresource.empty()) path += fmt::format("/{}", http::PercentEncode(subresource));
  return path;
}

// Whether the API server is to make the object's name up.
bool WantsName(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata != nullptr && !codec::TextAt(*metadata, "generateName").empty();
}

// Questions that the API server answers and does not store: they may not even have a name.
bool IsReview(const api::Resource& resource) {
  return resource.group == "authorization.k8s.io" || resource.group == "authentication.k8s.io";
}

}  // namespace

std::string GroupVersionPath(const api::Resource& resource) {
  return resource.group.empty() ? fmt::format("/api/{}", resource.version)
                                : fmt::format("/apis/{}/{}", resource.group, resource.version);
}

api::ObjectKey KeyOf(const json::object& object) { return api::ObjectMetaOf(object).Key(); }

std::string DescribeCall(std::string_view verb, const api::Resource& resource,
                         const api::ObjectKey& key, std::string_view subresource) {
  std::string text = fmt::format("{} {}", verb, resource.kind);
  if (!subresource.empty()) text += fmt::format("/{}", subresource);
  if (!key.name.empty()) return text + " " + key.ToString();
  return key.ns.empty() ? text : text + " in " + key.ns;
}

absl::StatusOr<http::Request> GetRequest(const api::Resource& resource, const api::ObjectKey& key) {
  CALICO_ASSIGN_OR_RETURN(std::string path, ObjectPath(resource, key, ""));
  return MakeRequest("GET", std::move(path));
}

absl::StatusOr<http::Request> GetMetadataRequest(const api::Resource& resource,
                                                 const api::ObjectKey& key) {
  CALICO_ASSIGN_OR_RETURN(http::Request request, GetRequest(resource, key));
  request.headers = {{"Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}};
  return request;
}

absl::StatusOr<http::Request> ListRequest(const api::Resource& resource, const ListOptions& options,
                                          std::string_view continue_token) {
  CALICO_ASSIGN_OR_RETURN(std::string path, CollectionPath(resource, options.ns));
  Query query;
  query.AddIfSet("labelSelector", options.label_selector);
  query.AddIfSet("fieldSelector", options.field_selector);
  if (options.page_size > 0) query.Add("limit", fmt::to_string(options.page_size));
  query.AddIfSet("continue", continue_token);
  return MakeRequest("GET", path + query.text());
}

absl::StatusOr<http::Request> WatchRequest(const api::Resource& resource,
                                           const WatchOptions& options) {
  CALICO_ASSIGN_OR_RETURN(std::string path, CollectionPath(resource, options.ns));
  Query query;
  query.Add("watch", "true");
  query.Add("allowWatchBookmarks", "true");
  query.AddIfSet("resourceVersion", options.resource_version);
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(options.duration));
  query.Add("timeoutSeconds", fmt::to_string(seconds));
  query.AddIfSet("labelSelector", options.label_selector);
  query.AddIfSet("fieldSelector", options.field_selector);
  return MakeRequest("GET", path + query.text());
}

absl::StatusOr<http::Request> CreateRequest(const api::Resource& resource,
                                            const json::object& object) {
  const api::ObjectKey key = KeyOf(object);
  CALICO_ASSIGN_OR_RETURN(std::string path, HomePath(resource, key.ns));
  if (key.name.empty() && !WantsName(object) && !IsReview(resource)) {
    return absl::InvalidArgumentError("name is empty");
  }
  http::Request request = MakeRequest("POST", std::move(path));
  SetBody(request, object);
  return request;
}

absl::StatusOr<http::Request> UpdateRequest(const api::Resource& resource,
                                            const json::object& object,
                                            std::string_view subresource, bool dry_run) {
  CALICO_ASSIGN_OR_RETURN(std::string path, ObjectPath(resource, KeyOf(object), subresource));
  if (dry_run) path += "?dryRun=All";
  http::Request request = MakeRequest("PUT", std::move(path));
  SetBody(request, object);
  return request;
}

absl::StatusOr<http::Request> PatchRequest(const api::Resource& resource, const api::ObjectKey& key,
                                           const json::object& patch,
                                           std::string_view subresource) {
  CALICO_ASSIGN_OR_RETURN(std::string path, ObjectPath(resource, key, subresource));
  http::Request request = MakeRequest("PATCH", std::move(path));
  SetBody(request, patch, "application/merge-patch+json");
  return request;
}

absl::StatusOr<http::Request> ApplyRequest(const api::Resource& resource, json::object object,
                                           const ApplyOptions& options,
                                           std::string_view subresource) {
  CALICO_ASSIGN_OR_RETURN(std::string path, ObjectPath(resource, KeyOf(object), subresource));
  if (options.field_manager.empty()) return absl::InvalidArgumentError("field manager is empty");
  Query query;
  query.Add("fieldManager", options.field_manager);
  if (options.force) query.Add("force", "true");
  if (options.dry_run) query.Add("dryRun", "All");
  object["metadata"].as_object().erase("managedFields");
  http::Request request = MakeRequest("PATCH", path + query.text());
  SetBody(request, object, "application/apply-patch+yaml");  // JSON is YAML
  return request;
}

absl::StatusOr<http::Request> DeleteRequest(const api::Resource& resource,
                                            const api::ObjectKey& key,
                                            const Preconditions& preconditions) {
  CALICO_ASSIGN_OR_RETURN(std::string path, ObjectPath(resource, key, ""));
  json::object body{
      {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  json::object conditions;
  if (!preconditions.uid.empty()) conditions["uid"] = preconditions.uid;
  if (!preconditions.resource_version.empty()) {
    conditions["resourceVersion"] = preconditions.resource_version;
  }
  if (!conditions.empty()) body["preconditions"] = std::move(conditions);
  http::Request request = MakeRequest("DELETE", std::move(path));
  SetBody(request, body);
  return request;
}

}  // namespace calico::kube
