#include "pkg/api/meta/resources.h"

#include <fmt/format.h>

namespace calico::api {
namespace {

constexpr Resource kAll[] = {
    kPods,
    kNodes,
    kConfigMaps,
    kSecrets,
    kServices,
    kServiceAccounts,
    kNamespaces,
    kResourceQuotas,
    kEvents,
    kEndpoints,
    kDaemonSets,
    kDeployments,
    kReplicaSets,
    kControllerRevisions,
    kCertificateSigningRequests,
    kLeases,
    kEndpointSlices,
    kRoles,
    kRoleBindings,
    kClusterRoles,
    kClusterRoleBindings,
    kNetworkPolicies,
    kPodDisruptionBudgets,
    kCsiDrivers,
    kApiServices,
    kCustomResourceDefinitions,
    kValidatingAdmissionPolicies,
    kValidatingAdmissionPolicyBindings,
    kInstallations,
    kTigeraStatuses,
    kApiServers,
    kImageSets,
    kGoldmanes,
    kWhiskers,
    kIpPools,
    kFelixConfigurations,
    kBgpConfigurations,
    kKubeControllersConfigurations,
    kServedIpPools,
    kServedTiers,
    kServedNetworkPolicies,
    kServedGlobalNetworkPolicies,
};

}  // namespace

std::string Resource::ApiVersion() const {
  return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
}

std::span<const Resource> Resources() { return kAll; }

const Resource* FindResource(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  const std::string_view group = core ? std::string_view() : api_version.substr(0, slash);
  const std::string_view version = core ? api_version : api_version.substr(slash + 1);
  for (const Resource& resource : kAll) {
    if (resource.kind == kind && resource.group == group && resource.version == version) {
      return &resource;
    }
  }
  return nullptr;
}

}  // namespace calico::api
