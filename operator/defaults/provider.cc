#include "operator/defaults/provider.h"

#include <algorithm>

namespace calico::defaults {
namespace {

bool Contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool HasPrefixed(const std::vector<std::string>& values, std::string_view prefix) {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& value) { return value.starts_with(prefix); });
}

template <class Check>
bool AnyNode(const ProviderSigns& signs, Check check) {
  return std::any_of(signs.nodes.begin(), signs.nodes.end(), check);
}

constexpr std::string_view kGkePrefix = "cloud.google.com/gke-";
constexpr std::string_view kMasterLabel = "node-role.kubernetes.io/master";
constexpr std::string_view kDockerPrefix = "com.docker.ucp";
constexpr std::string_view kKindPrefix = "kind://";

// GKE's API group is served elsewhere too, where somebody installed its Gateway.
bool IsGke(const ProviderSigns& signs) {
  return Contains(signs.api_groups, "networking.gke.io") &&
         AnyNode(signs,
                 [](const NodeSigns& node) { return HasPrefixed(node.label_keys, kGkePrefix); });
}

bool IsDockerEnterprise(const ProviderSigns& signs) {
  return AnyNode(signs, [](const NodeSigns& node) {
    return Contains(node.label_keys, kMasterLabel) && HasPrefixed(node.label_keys, kDockerPrefix);
  });
}

bool IsEks(const ProviderSigns& signs) {
  return Contains(signs.config_maps, "aws-auth") ||
         Contains(signs.config_maps, "eks-certificates-controller") ||
         Contains(signs.dns_label_keys, "eks.amazonaws.com/component");
}

bool IsRke2(const ProviderSigns& signs) {
  return Contains(signs.config_maps, "rke2") ||
         Contains(signs.services, "rke2-coredns-rke2-coredns");
}

bool IsKind(const ProviderSigns& signs) {
  return AnyNode(signs,
                 [](const NodeSigns& node) { return node.provider_id.starts_with(kKindPrefix); });
}

}  // namespace

NodeSigns SignsOfNode(const json::object& node) {
  NodeSigns signs;
  const json::object* const metadata = codec::FindObject(node, "metadata");
  const json::object* const labels =
      metadata == nullptr ? nullptr : codec::FindObject(*metadata, "labels");
  if (labels != nullptr) {
    for (const json::key_value_pair& label : *labels) {
      const std::string_view key = codec::KeyOf(label);
      if (key == kMasterLabel || key.starts_with(kGkePrefix) || key.starts_with(kDockerPrefix)) {
        signs.label_keys.emplace_back(key);
      }
    }
  }
  const json::object* const spec = codec::FindObject(node, "spec");
  const std::string_view id = spec == nullptr ? "" : codec::TextAt(*spec, "providerID");
  if (id.starts_with(kKindPrefix)) signs.provider_id = id;
  return signs;
}

std::string DetectProvider(const ProviderSigns& signs) {
  if (IsGke(signs)) return "GKE";
  if (Contains(signs.api_groups, "core.tanzu.vmware.com")) return "TKG";
  if (signs.serves_cluster_versions) return "OpenShift";
  if (IsDockerEnterprise(signs)) return "DockerEnterprise";
  if (IsEks(signs)) return "EKS";
  if (IsRke2(signs)) return "RKE2";
  if (IsKind(signs)) return "Kind";
  return "";
}

}  // namespace calico::defaults
