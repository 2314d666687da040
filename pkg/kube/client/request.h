// The HTTP requests of the Kubernetes verbs, as pure functions of their arguments.
//
// Errors of all: kInvalidArgument for an object or key that cannot be addressed (no name, a
// namespace where none belongs). Such a request must never leave: DELETE without a name would be a
// deletecollection.
#ifndef CALICO_PKG_KUBE_CLIENT_REQUEST_H_
#define CALICO_PKG_KUBE_CLIENT_REQUEST_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"
#include "pkg/http/message.h"
#include "pkg/kube/client/options.h"

namespace calico::kube {

// `/api/v1`, `/apis/apps/v1`.
std::string GroupVersionPath(const api::Resource& resource);

absl::StatusOr<http::Request> GetRequest(const api::Resource& resource, const api::ObjectKey& key);
absl::StatusOr<http::Request> GetMetadataRequest(const api::Resource& resource,
                                                 const api::ObjectKey& key);
absl::StatusOr<http::Request> ListRequest(const api::Resource& resource, const ListOptions& options,
                                          std::string_view continue_token);
absl::StatusOr<http::Request> WatchRequest(const api::Resource& resource,
                                           const WatchOptions& options);
absl::StatusOr<http::Request> CreateRequest(const api::Resource& resource,
                                            const json::object& object);
absl::StatusOr<http::Request> UpdateRequest(const api::Resource& resource,
                                            const json::object& object,
                                            std::string_view subresource, bool dry_run = false);
absl::StatusOr<http::Request> PatchRequest(const api::Resource& resource, const api::ObjectKey& key,
                                           const json::object& patch, std::string_view subresource);
// `metadata.managedFields` is left out: the server refuses it in an apply.
absl::StatusOr<http::Request> ApplyRequest(const api::Resource& resource, json::object object,
                                           const ApplyOptions& options,
                                           std::string_view subresource);
absl::StatusOr<http::Request> DeleteRequest(const api::Resource& resource,
                                            const api::ObjectKey& key,
                                            const Preconditions& preconditions);

// metadata.namespace and metadata.name; empty where absent.
api::ObjectKey KeyOf(const json::object& object);

// `verb Kind ns/name` for messages (`verb Kind in ns` without a name); a subresource follows the
// kind after a slash.
std::string DescribeCall(std::string_view verb, const api::Resource& resource,
                         const api::ObjectKey& key, std::string_view subresource = "");

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_REQUEST_H_
