#include "pkg/api/core/node.h"

#include <utility>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

constexpr std::string_view kOsLabel = "kubernetes.io/os";
constexpr std::string_view kTypeLabel = "type";
constexpr std::string_view kComputeTypeLabel = "eks.amazonaws.com/compute-type";
constexpr std::string_view kInstanceTypeLabel = "node.kubernetes.io/instance-type";
constexpr std::string_view kVirtualRoleLabel = "node-role.kubernetes.io/virtual-node";
constexpr std::string_view kLiqoLabel = "liqo.io/type";
constexpr std::string_view kLabels[] = {kOsLabel,           kTypeLabel,        kComputeTypeLabel,
                                        kInstanceTypeLabel, kVirtualRoleLabel, kLiqoLabel};

// How virtual nodes are marked by those who make them. A label's value "*" is any.
struct Mark {
  std::string_view key;
  std::string_view value;
  std::string_view kind;
};
constexpr Mark kVirtualLabels[] = {
    {kTypeLabel, "virtual-kubelet", "virtual-kubelet"},
    {kTypeLabel, "virtual-node", "virtual-kubelet"},
    {kComputeTypeLabel, "fargate", "Fargate"},
    {kInstanceTypeLabel, "eklet", "eklet"},
    {kVirtualRoleLabel, "*", "virtual node of OKE"},
    {kLiqoLabel, "virtual-node", "Liqo"},
};
constexpr Mark kVirtualTaints[] = {
    {"virtual-kubelet.io/provider", "*", "virtual-kubelet"},
    {"azure.com/aci", "*", "virtual-kubelet"},
    {"alibabacloud.com/eci", "*", "virtual-kubelet"},
    {"eks.tke.cloud.tencent.com/eklet", "*", "eklet"},
    {"virtual-node.liqo.io/not-allowed", "*", "Liqo"},
};

bool Fits(const Mark& mark, std::string_view value) {
  return mark.value == "*" || mark.value == value;
}

std::string_view VirtualKind(const ObjectMeta& meta, const std::vector<Taint>& taints) {
  for (const Mark& mark : kVirtualLabels) {
    const auto label = meta.labels.find(mark.key);
    if (label != meta.labels.end() && Fits(mark, label->second)) return mark.kind;
  }
  for (const Mark& mark : kVirtualTaints) {
    for (const Taint& taint : taints) {
      if (taint.key == mark.key && Fits(mark, taint.value)) return mark.kind;
    }
  }
  return {};
}

}  // namespace

absl::StatusOr<Node> Node::Decode(const json::object& object) {
  codec::Decoder decoder("Node");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader spec = root.Object("spec");
  const codec::ObjectReader status = root.Object("status");
  const ObjectMeta meta = ReadObjectMeta(root, {.label_keys = kLabels});
  Node node{.name = meta.name,
            .uid = meta.uid,
            .resource_version = meta.resource_version,
            .unschedulable = spec.Bool("unschedulable"),
            .deleting = meta.deletion_timestamp.has_value(),
            .os = std::string(meta.Label(kOsLabel)),
            .taints = ReadTaints(spec)};
  node.virtual_kind = VirtualKind(meta, node.taints);
  for (Condition& condition : ReadConditions(status)) {
    if (condition.type == "Ready") node.ready = std::move(condition);
  }
  status.ForEach("addresses", [&node](const codec::ObjectReader& address) {
    const std::string_view type = address.StringView("type");
    if (type == "InternalIP") node.internal_ips.push_back(address.String("address"));
    if (type == "ExternalIP") node.external_ips.push_back(address.String("address"));
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return node;
}

}  // namespace calico::api
