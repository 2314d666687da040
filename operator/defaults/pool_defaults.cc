#include "operator/defaults/pool_defaults.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "operator/defaults/spec_fields.h"
#include "operator/defaults/text_pieces.h"
#include "pkg/base/ip_prefix.h"
#include "pkg/base/status_macros.h"

namespace calico::defaults {
namespace {

constexpr std::string_view kIpv4Name = "default-ipv4-ippool";
constexpr std::string_view kIpv6Name = "default-ipv6-ippool";

std::optional<base::IpPrefix> NetworkOf(const json::object& pool) {
  absl::StatusOr<base::IpPrefix> network = base::IpPrefix::Parse(codec::TextAt(pool, "cidr"));
  if (!network.ok()) return std::nullopt;
  return *std::move(network);
}

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  const bool* const flag = value == nullptr ? nullptr : value->if_bool();
  return flag != nullptr && *flag;
}

bool IsManaged(const json::object& ip_pool) {
  const json::object* const meta = codec::FindObject(ip_pool, "metadata");
  const json::object* const labels = meta == nullptr ? nullptr : codec::FindObject(*meta, "labels");
  return labels != nullptr &&
         codec::TextAt(*labels, "app.kubernetes.io/managed-by") == "tigera-operator";
}

std::string_view NameOf(const json::object& ip_pool) {
  const json::object* const meta = codec::FindObject(ip_pool, "metadata");
  return meta == nullptr ? std::string_view() : codec::TextAt(*meta, "name");
}

// The pods' networks that the cluster was built with, as texts.
std::vector<std::string> PodNetworks(const json::object& spec, const ClusterFacts& facts) {
  if (codec::TextAt(spec, "kubernetesProvider") == "OpenShift") return facts.openshift_pod_networks;
  std::vector<std::string> networks;
  if (!facts.kubeadm_pod_subnet.has_value()) return networks;
  for (const std::string_view piece : PiecesOf(*facts.kubeadm_pod_subnet, ',')) {
    networks.emplace_back(piece);
  }
  return networks;
}

// One pool for each network of the cluster; without pool objects calico-node can make one of each
// family. The first of a family has the name that it always had.
json::array PoolsOfNetworks(const std::vector<std::string>& networks,
                            const ReleaseTraits& release) {
  json::array pools;
  std::set<bool> families;
  for (const std::string& text : networks) {
    const absl::StatusOr<base::IpPrefix> network = base::IpPrefix::Parse(text);
    if (!network.ok()) continue;
    const bool is_first = families.insert(network->is_ipv4()).second;
    if (!is_first && !release.has_pool_objects) continue;
    // kubeadm takes a network with bits behind the prefix, Calico does not.
    json::object pool = {{"cidr", network->is_exact() ? text : network->ToString()}};
    if (is_first && release.has_pool_objects) {
      pool["name"] = network->is_ipv4() ? kIpv4Name : kIpv6Name;
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

json::array FactoryPools(const json::object& spec) {
  if (codec::TextAt(spec, "kubernetesProvider") == "EKS") {
    // Amazon's hosts are in 192.168.0.0/16 often, and its network does not carry IPIP.
    return {json::object{{"cidr", "172.16.0.0/16"}, {"encapsulation", "VXLAN"}}};
  }
  return {json::object{{"cidr", "192.168.0.0/16"}}};
}

struct Cni {
  std::string_view type;
  std::string_view ipam;
};

Cni CniOf(const json::object& spec) {
  const json::object* const cni = codec::FindObject(spec, "cni");
  if (cni == nullptr) return {};
  const json::object* const ipam = codec::FindObject(*cni, "ipam");
  return {codec::TextAt(*cni, "type"), ipam == nullptr ? "" : codec::TextAt(*ipam, "type")};
}

// The list for a spec without one; nullopt when none is to be written.
std::optional<json::array> ListWhenUnset(const json::object& spec, const ClusterFacts& facts,
                                         const ReleaseTraits& release) {
  const Cni cni = CniOf(spec);
  if (release.has_pool_objects && !facts.has_ip_pools_known) return std::nullopt;
  if (release.has_pool_objects && !facts.ip_pools.empty()) {
    json::array managed;
    for (const json::object& pool : facts.ip_pools) {
      if (IsManaged(pool)) managed.push_back(PoolOfObject(pool));
    }
    return managed;
  }
  if (cni.type == "Calico") {
    json::array pools = PoolsOfNetworks(PodNetworks(spec, facts), release);
    if (!pools.empty()) return pools;
  }
  if (cni.ipam != "Calico") return std::nullopt;
  return FactoryPools(spec);
}

// Names of live pools by their network.
std::map<std::string, std::string> LiveNames(const ClusterFacts& facts) {
  std::map<std::string, std::string> names;
  for (const json::object& live : facts.ip_pools) {
    const json::object* const spec = codec::FindObject(live, "spec");
    const std::optional<base::IpPrefix> network = spec == nullptr ? std::nullopt : NetworkOf(*spec);
    if (network.has_value()) names.emplace(network->ToString(), NameOf(live));
  }
  return names;
}

void FillByFamily(json::object& pool, bool is_ipv4, std::string_view cni_type) {
  const bool tunnels = is_ipv4 && cni_type == "Calico";
  Fill(pool, "encapsulation", tunnels ? "IPIP" : "None");
  Fill(pool, "natOutgoing", is_ipv4 ? "Enabled" : "Disabled");
  Fill(pool, "nodeSelector", "all()");
  Fill(pool, "blockSize", is_ipv4 ? 26 : 122);
}

// A single pool, or one of each family, have the names that they always had.
bool HasFixedNames(const json::array& pools) {
  if (pools.size() == 1) return true;
  std::set<bool> families;
  for (const json::value& value : pools) {
    const json::object* const pool = value.if_object();
    const std::optional<base::IpPrefix> network = pool == nullptr ? std::nullopt : NetworkOf(*pool);
    if (network.has_value()) families.insert(network->is_ipv4());
  }
  return pools.size() == 2 && families.size() == 2;
}

void FillObjectFields(json::object& pool, const base::IpPrefix* network, bool has_fixed_names,
                      const std::map<std::string, std::string>& live_names) {
  const json::array* const uses = codec::FindArray(pool, "allowedUses");
  if (!IsSet(pool, "allowedUses") || (uses != nullptr && uses->empty())) {
    pool["allowedUses"] = json::array{"Workload", "Tunnel"};
  }
  Fill(pool, "disableNewAllocations", false);
  Fill(pool, "assignmentMode", "Automatic");
  if (network == nullptr || IsSet(pool, "name")) return;
  const auto live = live_names.find(network->ToString());
  if (live != live_names.end() && !live->second.empty()) {
    pool["name"] = live->second;
  } else if (has_fixed_names) {
    pool["name"] = network->is_ipv4() ? kIpv4Name : kIpv6Name;
  } else if (const absl::StatusOr<std::string> name = PoolNameOf(network->ToString()); name.ok()) {
    pool["name"] = *name;
  }
}

void Count(const json::object& pool, std::string_view disabled_key, PoolFamilies& families) {
  const std::optional<base::IpPrefix> network = NetworkOf(pool);
  if (!network.has_value() || IsTrue(pool, disabled_key)) return;
  (network->is_ipv4() ? families.v4 : families.v6) = true;
}

const json::array* PoolsOf(const json::object& spec) {
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  return network == nullptr ? nullptr : codec::FindArray(*network, "ipPools");
}

// "IPIP" or "IPIPCrossSubnet" for the modes of a live pool; VXLAN alike.
std::string EncapsulationOf(const json::object& spec) {
  for (const auto& [key, name] : {std::pair{"ipipMode", "IPIP"}, std::pair{"vxlanMode", "VXLAN"}}) {
    const std::string_view mode = codec::TextAt(spec, key);
    if (mode == "Always") return name;
    if (mode == "CrossSubnet") return fmt::format("{}CrossSubnet", name);
  }
  return "None";
}

}  // namespace

void FillPools(json::object& spec, const ClusterFacts& facts, const ReleaseTraits& release) {
  json::object* const network = ObjectAt(spec, "calicoNetwork");
  if (network == nullptr) return;
  if (!IsSet(*network, "ipPools")) {
    std::optional<json::array> pools = ListWhenUnset(spec, facts, release);
    if (!pools.has_value()) return;
    (*network)["ipPools"] = *std::move(pools);
  }
  json::array* const pools = network->at("ipPools").if_array();
  if (pools == nullptr) return;
  const std::string cni_type(CniOf(spec).type);
  const bool has_fixed_names = HasFixedNames(*pools);
  const std::map<std::string, std::string> live_names = LiveNames(facts);
  for (json::value& value : *pools) {
    json::object* const pool = value.if_object();
    if (pool == nullptr) continue;
    const std::optional<base::IpPrefix> cidr = NetworkOf(*pool);
    if (cidr.has_value()) FillByFamily(*pool, cidr->is_ipv4(), cni_type);
    Fill(*pool, "disableBGPExport", false);
    if (!release.has_pool_objects) continue;
    FillObjectFields(*pool, cidr.has_value() ? &*cidr : nullptr, has_fixed_names, live_names);
  }
}

PoolFamilies FamiliesInUse(const json::object& spec, const ClusterFacts& facts,
                           const ReleaseTraits& release) {
  PoolFamilies families;
  std::set<std::string> own;
  if (const json::array* const pools = PoolsOf(spec)) {
    for (const json::value& value : *pools) {
      const json::object* const pool = value.if_object();
      if (pool == nullptr) continue;
      Count(*pool, "disableNewAllocations", families);
      const std::optional<base::IpPrefix> network = NetworkOf(*pool);
      if (network.has_value()) own.insert(network->ToString());
    }
  }
  if (!release.has_pool_objects) return families;
  for (const json::object& live : facts.ip_pools) {
    const json::object* const pool = codec::FindObject(live, "spec");
    const std::optional<base::IpPrefix> network = pool == nullptr ? std::nullopt : NetworkOf(*pool);
    // What the spec says of a pool is what the pool will be.
    if (network.has_value() && !own.contains(network->ToString())) {
      Count(*pool, "disabled", families);
    }
  }
  return families;
}

json::object PoolOfObject(const json::object& ip_pool) {
  json::object pool = {{"name", NameOf(ip_pool)}};
  const json::object* const spec = codec::FindObject(ip_pool, "spec");
  if (spec == nullptr) return pool;
  pool["cidr"] = codec::TextAt(*spec, "cidr");
  pool["encapsulation"] = EncapsulationOf(*spec);
  pool["natOutgoing"] = IsTrue(*spec, "natOutgoing") ? "Enabled" : "Disabled";
  pool["disableBGPExport"] = IsTrue(*spec, "disableBGPExport");
  pool["disableNewAllocations"] = IsTrue(*spec, "disabled");
  for (const char* key : {"nodeSelector", "blockSize", "allowedUses", "assignmentMode"}) {
    if (IsSet(*spec, key)) pool[key] = spec->at(key);
  }
  return pool;
}

absl::StatusOr<std::string> PoolNameOf(std::string_view cidr) {
  CALICO_ASSIGN_OR_RETURN(const base::IpPrefix network, base::IpPrefix::Parse(cidr));
  if (network.is_ipv4()) {
    return fmt::format("{}-{}", network.address().ToString(), network.bits());
  }
  std::vector<std::string> groups;
  const std::string_view bytes = network.address().bytes();
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    groups.push_back(fmt::format("{:02x}{:02x}", static_cast<unsigned char>(bytes[i]),
                                 static_cast<unsigned char>(bytes[i + 1])));
  }
  return fmt::format("{}-{}", fmt::join(groups, "."), network.bits());
}

}  // namespace calico::defaults
