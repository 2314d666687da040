#include "pkg/api/discovery/endpoint_slice.h"

#include <utility>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";
constexpr std::string_view kLabels[] = {kServiceNameLabel};

}  // namespace

absl::StatusOr<EndpointSlice> EndpointSlice::Decode(const json::object& object) {
  codec::Decoder decoder("EndpointSlice");
  const codec::ObjectReader root = decoder.Read(object);
  EndpointSlice slice{.meta = ReadObjectMeta(root, {.label_keys = kLabels}),
                      .address_type = root.String("addressType")};
  slice.service_name = std::string(slice.meta.Label(kServiceNameLabel));
  root.ForEach("ports", [&slice](const codec::ObjectReader& port) {
    slice.ports.push_back({.name = port.String("name"),
                           .protocol = port.String("protocol"),
                           .port = port.Int32("port")});
  });
  root.ForEach("endpoints", [&slice](const codec::ObjectReader& endpoint) {
    slice.endpoints.push_back({.addresses = endpoint.StringList("addresses"),
                               .ready = endpoint.Object("conditions").Bool("ready", true),
                               .node_name = endpoint.String("nodeName")});
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return slice;
}

}  // namespace calico::api
