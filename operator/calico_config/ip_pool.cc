#include "operator/calico_config/ip_pool.h"

#include <utility>

#include "operator/calico_config/calico_config.h"
#include "operator/calico_config/calico_metadata.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kNever = "Never";
// The mark of Tigera's operator is ours too: either takes over the other's pools without a write.
constexpr std::string_view kManagedBy = "tigera-operator";
constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";

struct Encapsulation {
  std::string_view name;
  std::string_view ipip;
  std::string_view vxlan;
};
constexpr Encapsulation kEncapsulations[] = {
    {"IPIP", "Always", kNever},  {"IPIPCrossSubnet", "CrossSubnet", kNever},
    {"VXLAN", kNever, "Always"}, {"VXLANCrossSubnet", kNever, "CrossSubnet"},
    {"None", kNever, kNever},
};

const Encapsulation* FindEncapsulation(std::string_view name) {
  for (const Encapsulation& encapsulation : kEncapsulations) {
    if (encapsulation.name == name) return &encapsulation;
  }
  return nullptr;
}

std::string EncapsulationOf(std::string_view ipip, std::string_view vxlan) {
  if (ipip.empty()) ipip = kNever;
  if (vxlan.empty()) vxlan = kNever;
  for (const Encapsulation& encapsulation : kEncapsulations) {
    if (encapsulation.ipip == ipip && encapsulation.vxlan == vxlan) {
      return std::string(encapsulation.name);
    }
  }
  return "";  // a combination that an Installation cannot ask for
}

json::array Array(const std::vector<std::string>& values) {
  json::array array;
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

std::string OrElse(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : std::move(text);
}

// What both forms have under the same names.
void ReadShared(const codec::ObjectReader& reader, IpPool& pool) {
  constexpr int kBlockSizeV4 = 26;
  constexpr int kBlockSizeV6 = 122;
  pool.block_size = reader.Int32("blockSize");
  if (pool.block_size == 0) pool.block_size = pool.cidr.is_ipv4() ? kBlockSizeV4 : kBlockSizeV6;
  pool.disables_bgp_export = reader.Bool("disableBGPExport");
  pool.node_selector = OrElse(reader.String("nodeSelector"), "all()");
  pool.assignment_mode = OrElse(reader.String("assignmentMode"), "Automatic");
  pool.allowed_uses = reader.StringList("allowedUses");
  if (pool.allowed_uses.empty()) pool.allowed_uses = {"Workload", "Tunnel"};
}

}  // namespace

absl::StatusOr<IpPool> IpPool::OfInstallation(const json::object& object) {
  codec::Decoder decoder("ipPool");
  const codec::ObjectReader reader = decoder.Read(object);
  CALICO_ASSIGN_OR_RETURN(const base::IpPrefix cidr,
                          base::IpPrefix::Parse(reader.StringView("cidr")));
  IpPool pool{.name = reader.RequiredString("name"), .cidr = cidr};
  ReadShared(reader, pool);
  pool.encapsulation = reader.RequiredString("encapsulation");
  if (FindEncapsulation(pool.encapsulation) == nullptr) {
    reader.Fail("encapsulation", "must be IPIP, IPIPCrossSubnet, VXLAN, VXLANCrossSubnet or None");
  }
  pool.nat_outgoing = reader.StringView("natOutgoing") == "Enabled";
  pool.is_disabled = reader.Bool("disableNewAllocations");
  CALICO_RETURN_IF_ERROR(decoder.status());
  return pool;
}

absl::StatusOr<IpPool> IpPool::OfLive(const json::object& object) {
  codec::Decoder decoder("IPPool");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader spec = root.Object("spec");
  CALICO_ASSIGN_OR_RETURN(const base::IpPrefix cidr,
                          base::IpPrefix::Parse(spec.StringView("cidr")));
  IpPool pool{.name = root.Object("metadata").RequiredString("name"), .cidr = cidr};
  ReadShared(spec, pool);
  pool.encapsulation = EncapsulationOf(spec.StringView("ipipMode"), spec.StringView("vxlanMode"));
  pool.nat_outgoing = spec.Bool("natOutgoing");
  pool.is_disabled = spec.Bool("disabled");
  CALICO_RETURN_IF_ERROR(decoder.status());
  return pool;
}

json::object IpPool::Spec() const {
  json::object spec{{"allowedUses", Array(allowed_uses)},
                    {"assignmentMode", assignment_mode},
                    {"blockSize", block_size},
                    {"cidr", cidr.ToString()},
                    {"nodeSelector", node_selector}};
  if (disables_bgp_export) spec["disableBGPExport"] = true;
  if (is_disabled) spec["disabled"] = true;
  if (nat_outgoing) spec["natOutgoing"] = true;
  const Encapsulation* const modes = FindEncapsulation(encapsulation);
  if (modes != nullptr && modes->ipip != modes->vxlan) {
    spec["ipipMode"] = modes->ipip;
    spec["vxlanMode"] = modes->vxlan;
  }
  return spec;
}

json::object IpPool::Changes(const IpPool& live) const {
  json::object changes;
  if (allowed_uses != live.allowed_uses) changes["allowedUses"] = Array(allowed_uses);
  if (assignment_mode != live.assignment_mode) changes["assignmentMode"] = assignment_mode;
  if (node_selector != live.node_selector) changes["nodeSelector"] = node_selector;
  if (disables_bgp_export != live.disables_bgp_export) {
    changes["disableBGPExport"] = disables_bgp_export;
  }
  if (is_disabled != live.is_disabled) changes["disabled"] = is_disabled;
  if (nat_outgoing != live.nat_outgoing) changes["natOutgoing"] = nat_outgoing;
  const Encapsulation* const modes = FindEncapsulation(encapsulation);
  if (modes != nullptr && encapsulation != live.encapsulation) {
    changes["ipipMode"] = modes->ipip;
    changes["vxlanMode"] = modes->vxlan;
  }
  return changes;
}

bool IsOperators(const json::object& object) {
  return LabelOf(object, kManagedByLabel) == kManagedBy;
}

json::object OperatorsLabels() { return {{kManagedByLabel, kManagedBy}}; }

}  // namespace calico::calico_config
