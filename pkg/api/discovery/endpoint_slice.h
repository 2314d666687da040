// What we need of a discovery.k8s.io/v1 EndpointSlice: who serves a Service, and where.
#ifndef CALICO_PKG_API_DISCOVERY_ENDPOINT_SLICE_H_
#define CALICO_PKG_API_DISCOVERY_ENDPOINT_SLICE_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_meta.h"

namespace calico::api {

struct EndpointPort {
  std::string name;
  std::string protocol;
  std::int32_t port = 0;
};

struct Endpoint {
  std::vector<std::string> addresses;
  bool ready = true;  // An absent condition counts as ready, as the API says.
  std::string node_name;
};

struct EndpointSlice {
  ObjectMeta meta;
  std::string service_name;  // Label kubernetes.io/service-name.
  std::string address_type;  // "IPv4", "IPv6", "FQDN"
  std::vector<EndpointPort> ports;
  std::vector<Endpoint> endpoints;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<EndpointSlice> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_DISCOVERY_ENDPOINT_SLICE_H_
