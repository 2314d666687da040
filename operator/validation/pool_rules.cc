#include "operator/validation/pool_rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/meta/names.h"
#include "pkg/base/ip_prefix.h"

namespace calico::validation {
namespace {

constexpr std::string_view kEncapsulations[] = {"IPIP", "VXLAN", "IPIPCrossSubnet",
                                                "VXLANCrossSubnet", "None"};
constexpr std::string_view kEnabledOrNot[] = {"Enabled", "Disabled"};
constexpr std::string_view kUses[] = {"Workload", "Tunnel", "LoadBalancer"};
constexpr std::string_view kAssignments[] = {"Automatic", "Manual"};

// What around the pools decides what they may ask for.
struct Surroundings {
  std::string_view cni;
  bool is_foreign_cni;
  std::string_view ipam;
  bool has_bgp;
  std::string_view routing_mode;
};

Surroundings SurroundingsOf(const SpecField& spec, const ReleaseRules& release) {
  const SpecField network = spec["calicoNetwork"];
  const SpecField mode = network["clusterRoutingMode"];
  return {.cni = spec["cni"]["type"].text(),
          .is_foreign_cni = IsForeignCni(spec["cni"]["type"]),
          .ipam = spec["cni"]["ipam"]["type"].text(),
          .has_bgp = network["bgp"].text() == "Enabled",
          .routing_mode = mode.set() ? mode.text() : release.default_routing_mode};
}

// A pool whose CIDR can be read.
struct Pool {
  SpecField field;
  base::IpPrefix network;
};

bool IsIpip(std::string_view encapsulation) { return encapsulation.starts_with("IPIP"); }
bool IsVxlan(std::string_view encapsulation) { return encapsulation.starts_with("VXLAN"); }

bool IsForLoadBalancers(const SpecField& pool) {
  const std::vector<SpecField> uses = pool["allowedUses"].items();
  return std::any_of(uses.begin(), uses.end(),
                     [](const SpecField& use) { return use.text() == "LoadBalancer"; });
}

// Calico's own rules for a network that can be read.
void CheckNetworkOfPool(const SpecField& cidr, const base::IpPrefix& network, Findings findings) {
  static const base::IpPrefix kLinkLocal[] = {*base::IpPrefix::Parse("169.254.0.0/16"),
                                              *base::IpPrefix::Parse("fe80::/10")};
  if (!network.is_exact()) {
    findings.Add(cidr.path(), fmt::format("{} has bits behind the length: write {}", cidr.shown(),
                                          network.ToString()));
  }
  for (const base::IpPrefix& range : kLinkLocal) {
    if (!range.Overlaps(network)) continue;
    findings.Add(cidr.path(), fmt::format("{} has link-local addresses ({}), which are not routed: "
                                          "choose another network",
                                          cidr.shown(), range.ToString()));
  }
}

std::optional<base::IpPrefix> CheckCidr(const SpecField& cidr, Findings findings) {
  absl::StatusOr<base::IpPrefix> network = base::IpPrefix::Parse(cidr.text());
  if (network.ok()) {
    CheckNetworkOfPool(cidr, *network, findings);
    return *std::move(network);
  }
  if (!cidr.set()) {
    findings.Add(cidr.path(), "is required: the pool's network, such as 10.244.0.0/16");
    return std::nullopt;
  }
  const std::string message(network.status().message());
  const size_t colon = message.rfind(": ");
  const std::string why = colon == std::string::npos ? message : message.substr(colon + 2);
  findings.Add(cidr.path(), fmt::format("{} is no network ({}): write address, slash and length, "
                                        "such as 10.244.0.0/16",
                                        cidr.shown(), why));
  return std::nullopt;
}

void CheckForm(const SpecField& pool, Findings findings) {
  CheckOneOf(pool["encapsulation"], kEncapsulations, findings);
  CheckOneOf(pool["natOutgoing"], kEnabledOrNot, findings);
  CheckOneOf(pool["assignmentMode"], kAssignments, findings);
  for (const SpecField& use : pool["allowedUses"].items()) CheckOneOf(use, kUses, findings);
  if (pool["name"].set() && !api::IsDnsSubdomain(pool["name"].text())) {
    findings.Add(pool["name"].path(), fmt::format("{} cannot be the name of an IPPool: write "
                                                  "lower-case letters, digits, '-' and '.'",
                                                  pool["name"].shown()));
  }
}

void CheckBlockSize(const Pool& pool, Findings findings) {
  const SpecField size = pool.field["blockSize"];
  if (!size.set()) return;
  const bool is_ipv4 = pool.network.is_ipv4();
  const int least = is_ipv4 ? 20 : 116;
  const int most = is_ipv4 ? 32 : 128;
  const std::optional<std::int64_t> bits = size.number();
  if (!bits.has_value() || *bits < least || *bits > most) {
    findings.Add(size.path(), fmt::format("{} is no size of blocks of an {} pool: write a length "
                                          "from {} to {}",
                                          size.shown(), is_ipv4 ? "IPv4" : "IPv6", least, most));
  } else if (*bits < pool.network.bits()) {
    findings.Add(size.path(), fmt::format("blocks of /{} are larger than the pool, {}: write {} or "
                                          "more, or a larger pool",
                                          *bits, pool.network.ToString(), pool.network.bits()));
  }
}

void CheckLoadBalancerPool(const SpecField& pool, Findings findings) {
  for (const SpecField& use : pool["allowedUses"].items()) {
    if (use.text() == "LoadBalancer" || !use.set()) continue;
    findings.Add(use.path(), fmt::format("{} cannot stand beside LoadBalancer: make a pool of its "
                                         "own for it",
                                         use.plain()));
  }
  if (pool["nodeSelector"].text() != "all()") {
    findings.Add(pool["nodeSelector"].path(),
                 "must be all() for a pool of load balancers: their addresses are no node's");
  }
  if (pool["encapsulation"].text() != "None") {
    findings.Add(pool["encapsulation"].path(),
                 fmt::format("{} is not possible for load balancers: write None",
                             pool["encapsulation"].shown()));
  }
  if (pool["disableBGPExport"].is(true)) {
    findings.Add(pool["disableBGPExport"].path(),
                 "must be false for a pool of load balancers: nobody would find them");
  }
}

// Tunnels and routes: who carries packets between nodes.
void CheckCarrier(const Pool& pool, const Surroundings& around, const ReleaseRules& release,
                  Findings findings) {
  const SpecField field = pool.field["encapsulation"];
  const std::string_view encapsulation = field.text();
  const bool is_known = std::find(std::begin(kEncapsulations), std::end(kEncapsulations),
                                  encapsulation) != std::end(kEncapsulations);
  if (!is_known) return;
  if (pool.network.is_ipv6() && IsIpip(encapsulation)) {
    findings.Add(field.path(), fmt::format("{} is not possible for an IPv6 pool: write VXLAN or "
                                           "None",
                                           encapsulation));
    return;
  }
  if (around.is_foreign_cni) {
    if (field.set() && encapsulation != "None") {
      findings.Add(field.path(), fmt::format("{} is not possible with the CNI plug-in {}, which "
                                             "carries the packets itself: write None",
                                             encapsulation, around.cni));
    }
    return;
  }
  if (around.ipam == "HostLocal" && IsVxlan(encapsulation)) {
    findings.Add(field.path(), fmt::format("{} is not possible with IPAM HostLocal: write IPIP or "
                                           "None, or take Calico's IPAM",
                                           encapsulation));
  }
  if (around.cni != "Calico" || around.ipam != "Calico" || around.has_bgp) return;
  // Without pool objects only IPv4 pools were asked; what worked goes on.
  if (pool.network.is_ipv6() && !release.has_pool_objects) return;
  const bool felix_routes = around.routing_mode == "Felix" ||
                            (IsIpip(encapsulation) && around.routing_mode == "FelixIPIPOnly");
  if (IsVxlan(encapsulation) || felix_routes) return;
  findings.Add(field.path(), fmt::format("{} needs BGP for the routes between nodes, and "
                                         "spec.calicoNetwork.bgp is Disabled: enable it, or write "
                                         "VXLAN",
                                         encapsulation));
}

void CheckSelector(const SpecField& selector, const Surroundings& around, Findings findings) {
  if (!selector.set()) {
    findings.Add(selector.path(), "must not be empty: all() means every node");
  } else if (around.is_foreign_cni && selector.text() != "all()") {
    findings.Add(selector.path(), fmt::format("{} is not possible with the CNI plug-in {}: write "
                                              "all()",
                                              selector.shown(), around.cni));
  }
}

// Names and networks, each once.
void CheckTogether(const std::vector<Pool>& pools, Findings findings) {
  for (size_t i = 0; i < pools.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool is_same = pools[i].network == pools[j].network;
      if (!is_same && !pools[i].network.Overlaps(pools[j].network)) continue;
      const std::string path = pools[i].field["cidr"].path();
      findings.Add(path, is_same ? fmt::format("{} is the network of {} too: remove one",
                                               pools[i].network.ToString(), pools[j].field.path())
                                 : fmt::format("{} has addresses of {} ({}): an address must be in "
                                               "one pool only",
                                               pools[i].network.ToString(), pools[j].field.path(),
                                               pools[j].network.ToString()));
      break;
    }
  }
}

// Two pools of one network are told already, and their names are made of it.
bool AreOfOneNetwork(const SpecField& a, const SpecField& b) {
  const absl::StatusOr<base::IpPrefix> one = base::IpPrefix::Parse(a["cidr"].text());
  const absl::StatusOr<base::IpPrefix> other = base::IpPrefix::Parse(b["cidr"].text());
  return one.ok() && other.ok() && *one == *other;
}

void CheckNames(const std::vector<SpecField>& pools, Findings findings) {
  std::map<std::string_view, const SpecField*> seen;
  for (const SpecField& pool : pools) {
    const SpecField name = pool["name"];
    if (!name.set()) continue;
    const auto [other, is_new] = seen.emplace(name.text(), &pool);
    if (is_new || AreOfOneNetwork(pool, *other->second)) continue;
    findings.Add(name.path(), fmt::format("{} is the name of {} too: choose another one",
                                          name.shown(), other->second->path()));
  }
}

void CheckFamilies(const std::vector<Pool>& pools, const ReleaseRules& release, Findings findings) {
  if (release.has_pool_objects) return;
  bool seen[2] = {};
  for (const Pool& pool : pools) {
    if (!std::exchange(seen[pool.network.is_ipv4() ? 0 : 1], true)) continue;
    findings.Add(pool.field.path(),
                 fmt::format("is another {} pool: Calico {} makes one of each family; create "
                             "further ones as IPPool objects",
                             pool.network.is_ipv4() ? "IPv4" : "IPv6", release.release));
  }
}

}  // namespace

void CheckPools(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  const SpecField field = spec["calicoNetwork"]["ipPools"];
  const std::vector<SpecField> items = field.items();
  if (items.empty()) return;
  const Surroundings around = SurroundingsOf(spec, release);
  if (around.is_foreign_cni && around.has_bgp) {
    findings.Add(spec["calicoNetwork"]["bgp"].path(),
                 fmt::format("Enabled is not possible with the CNI plug-in {}, whose pods have "
                             "addresses of the network already: write Disabled",
                             around.cni));
  }
  std::vector<Pool> pools;
  for (const SpecField& item : items) {
    CheckForm(item, findings);
    if (IsForLoadBalancers(item)) CheckLoadBalancerPool(item, findings);
    std::optional<base::IpPrefix> network = CheckCidr(item["cidr"], findings);
    if (!network.has_value()) continue;
    CheckSelector(item["nodeSelector"], around, findings);
    pools.push_back({item, *std::move(network)});
    CheckBlockSize(pools.back(), findings);
    if (!IsForLoadBalancers(item)) CheckCarrier(pools.back(), around, release, findings);
  }
  CheckTogether(pools, findings);
  CheckNames(items, findings);
  CheckFamilies(pools, release, findings);
}

}  // namespace calico::validation
