#include "pkg/api/core/node.h"

#include <string_view>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

constexpr std::string_view kOsLabel = "kubernetes.io/os";
constexpr std::string_view kTypeLabel = "type";
constexpr std::string_view kLabels[] = {kOsLabel, kTypeLabel};

}  // namespace

absl::StatusOr<Node> Node::Decode(const json::object& object) {
  codec::Decoder decoder("Node");
  const codec::ObjectReader root = decoder.Read(object);
  const ObjectMeta meta = ReadObjectMeta(root, {.label_keys = kLabels});
  Node node{.name = meta.name,
            .uid = meta.uid,
            .resource_version = meta.resource_version,
            .unschedulable = root.Object("spec").Bool("unschedulable"),
            .deleting = meta.deletion_timestamp.has_value(),
            .os = std::string(meta.Label(kOsLabel)),
            .virtual_kubelet = meta.Label(kTypeLabel) == "virtual-kubelet"};
  root.Object("status").ForEach("addresses", [&node](const codec::ObjectReader& address) {
    const std::string_view type = address.StringView("type");
    if (type == "InternalIP") node.internal_ips.push_back(address.String("address"));
    if (type == "ExternalIP") node.external_ips.push_back(address.String("address"));
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return node;
}

}  // namespace calico::api
