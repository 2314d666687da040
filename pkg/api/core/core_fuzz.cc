// Every projection takes any JSON object without harm.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/api/apps/workloads.h"
#include "pkg/api/coordination/lease.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/node.h"
#include "pkg/api/core/pod.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/discovery/endpoint_slice.h"
#include "pkg/api/meta/api_status.h"
#include "pkg/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace api = calico::api;
  const auto object = calico::codec::ParseJsonObject(
      std::string_view(reinterpret_cast<const char*>(data), size), {.max_bytes = 1 << 20});
  if (!object.ok()) return 0;
  (void)api::Pod::Decode(*object);
  (void)api::Node::Decode(*object);
  (void)api::ConfigMap::Decode(*object);
  (void)api::Secret::Decode(*object);
  (void)api::DaemonSet::Decode(*object);
  (void)api::Deployment::Decode(*object);
  (void)api::ReplicaSet::Decode(*object);
  (void)api::ControllerRevision::Decode(*object);
  (void)api::EndpointSlice::Decode(*object);
  (void)api::ApiStatus::Decode(*object);
  const auto lease = api::Lease::Decode(*object);
  if (lease.ok()) (void)api::Lease::Decode(lease->Encode());
  return 0;
}
