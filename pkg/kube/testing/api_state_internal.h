// What the source files of ApiState share.
#ifndef CALICO_PKG_KUBE_TESTING_API_STATE_INTERNAL_H_
#define CALICO_PKG_KUBE_TESTING_API_STATE_INTERNAL_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"
#include "pkg/kube/testing/api_request.h"

namespace calico::kube::api_state_internal {

std::string CollectionId(std::string_view group, std::string_view version, std::string_view plural);

// Whether the kind has a `/status` subresource, and whether its changes count a generation.
bool HasStatus(const api::Resource& resource);
bool HasGeneration(const api::Resource& resource);

json::object& Metadata(json::object& object);
const json::object& Metadata(const json::object& object);

// The body as a JSON object. Errors: kInvalidArgument.
absl::StatusOr<json::object> ParseBody(const ApiRequest& request);

ApiReply NotFound(const api::Resource& resource, std::string_view name);

}  // namespace calico::kube::api_state_internal

#endif  // CALICO_PKG_KUBE_TESTING_API_STATE_INTERNAL_H_
