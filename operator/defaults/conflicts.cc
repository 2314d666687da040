#include "operator/defaults/conflicts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "operator/defaults/release_traits.h"
#include "operator/defaults/spec_fields.h"
#include "operator/defaults/text_pieces.h"
#include "pkg/base/ip_prefix.h"

namespace calico::defaults {
namespace {

constexpr std::string_view kPools = "spec.calicoNetwork.ipPools";

// Where the pods' networks were read.
struct PodNetworks {
  std::string source;  // "podSubnet of ..."
  std::vector<std::string> texts;
  bool is_missing = false;  // the source is there and says nothing
};

PodNetworks NetworksOf(std::string_view provider, const ClusterFacts& facts) {
  PodNetworks networks;
  if (provider == "OpenShift") {
    networks.source = "clusterNetwork of the Network \"cluster\" (config.openshift.io)";
    networks.texts = facts.openshift_pod_networks;
  } else if (facts.kubeadm_pod_subnet.has_value()) {
    networks.source = "podSubnet of the ConfigMap kube-system/kubeadm-config";
    for (const std::string_view piece : PiecesOf(*facts.kubeadm_pod_subnet, ',')) {
      networks.texts.emplace_back(piece);
    }
    networks.is_missing = networks.texts.empty();
  }
  return networks;
}

void CheckPool(std::string path, std::string_view cidr, const PodNetworks& networks,
               const std::vector<base::IpPrefix>& inside, std::vector<Conflict>& conflicts) {
  const absl::StatusOr<base::IpPrefix> pool = base::IpPrefix::Parse(cidr);
  if (!pool.ok()) return;  // for validation to tell
  const bool is_inside = std::any_of(inside.begin(), inside.end(),
                                     [&](const auto& network) { return network.Contains(*pool); });
  if (is_inside) return;
  conflicts.push_back(
      {std::move(path), fmt::format("{} is not inside the pod network that the cluster was built "
                                    "with ({}: {}): choose a network inside of it, or remove "
                                    "ipPools to have it taken as it is",
                                    cidr, networks.source, fmt::join(networks.texts, ", "))});
}

void CheckPools(const json::object& given, const ClusterFacts& facts,
                std::vector<Conflict>& conflicts) {
  if (TraitsOf(facts.release).has_pool_objects && !facts.ip_pools.empty()) return;
  const json::object* const cni = codec::FindObject(given, "cni");
  const std::string_view type = cni == nullptr ? "" : codec::TextAt(*cni, "type");
  if (!type.empty() && type != "Calico") return;
  const std::string_view provider = codec::TextAt(given, "kubernetesProvider");
  const PodNetworks networks =
      NetworksOf(provider.empty() ? facts.detected_provider : provider, facts);
  if (networks.source.empty()) return;
  const json::object* const network = codec::FindObject(given, "calicoNetwork");
  const bool has_pools = network != nullptr && IsSet(*network, "ipPools");
  if (networks.is_missing && !has_pools) {
    conflicts.push_back({std::string(kPools),
                         "the ConfigMap kube-system/kubeadm-config has no podSubnet, so the pods' "
                         "network is not known: write ipPools with a network that nothing else "
                         "uses, or an empty list for none"});
  }
  std::vector<base::IpPrefix> inside;
  for (const std::string& text : networks.texts) {
    absl::StatusOr<base::IpPrefix> parsed = base::IpPrefix::Parse(text);
    if (parsed.ok()) {
      inside.push_back(*std::move(parsed));
    } else {
      conflicts.push_back(
          {std::string(kPools), fmt::format("{} says {:?}, which is no network: put it right there",
                                            networks.source, text.substr(0, 64))});
    }
  }
  const json::array* const pools = has_pools ? codec::FindArray(*network, "ipPools") : nullptr;
  if (pools == nullptr || inside.empty()) return;
  for (size_t i = 0; i < pools->size(); ++i) {
    const json::object* const pool = pools->at(i).if_object();
    if (pool == nullptr) continue;
    CheckPool(fmt::format("{}[{}].cidr", kPools, i), codec::TextAt(*pool, "cidr"), networks, inside,
              conflicts);
  }
}

}  // namespace

std::vector<Conflict> ConflictsWithCluster(const json::object& given, const ClusterFacts& facts) {
  std::vector<Conflict> conflicts;
  const std::string_view provider = codec::TextAt(given, "kubernetesProvider");
  if (!provider.empty() && !facts.detected_provider.empty() &&
      provider != facts.detected_provider) {
    conflicts.push_back(
        {"spec.kubernetesProvider",
         fmt::format("{:?} is not what this cluster shows, which is {}: remove the "
                     "field, or write {}",
                     provider.substr(0, 64), facts.detected_provider, facts.detected_provider)});
  }
  CheckPools(given, facts, conflicts);
  return conflicts;
}

}  // namespace calico::defaults
