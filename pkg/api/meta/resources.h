// The kinds that we talk to the API server about.
#ifndef CALICO_PKG_API_META_RESOURCES_H_
#define CALICO_PKG_API_META_RESOURCES_H_

#include <span>
#include <string_view>

#include "pkg/api/meta/resource.h"

namespace calico::api {

inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kNodes{"", "v1", "nodes", "Node", false};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kServices{"", "v1", "services", "Service"};
inline constexpr Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource kResourceQuotas{"", "v1", "resourcequotas", "ResourceQuota"};
inline constexpr Resource kEvents{"", "v1", "events", "Event"};
inline constexpr Resource kEndpoints{"", "v1", "endpoints", "Endpoints"};
inline constexpr Resource kDaemonSets{"apps", "v1", "daemonsets", "DaemonSet"};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
inline constexpr Resource kControllerRevisions{"apps", "v1", "controllerrevisions",
                                               "ControllerRevision"};
inline constexpr Resource kCertificateSigningRequests{
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", false};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices",
                                          "EndpointSlice"};
inline constexpr Resource kRoles{"rbac.authorization.k8s.io", "v1", "roles", "Role"};
inline constexpr Resource kRoleBindings{"rbac.authorization.k8s.io", "v1", "rolebindings",
                                        "RoleBinding"};
inline constexpr Resource kClusterRoles{"rbac.authorization.k8s.io", "v1", "clusterroles",
                                        "ClusterRole", false};
inline constexpr Resource kClusterRoleBindings{"rbac.authorization.k8s.io", "v1",
                                               "clusterrolebindings", "ClusterRoleBinding", false};
inline constexpr Resource kNetworkPolicies{"networking.k8s.io", "v1", "networkpolicies",
                                           "NetworkPolicy"};
inline constexpr Resource kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets",
                                                "PodDisruptionBudget"};
inline constexpr Resource kCsiDrivers{"storage.k8s.io", "v1", "csidrivers", "CSIDriver", false};
inline constexpr Resource kApiServices{"apiregistration.k8s.io", "v1", "apiservices", "APIService",
                                       false};
inline constexpr Resource kCustomResourceDefinitions{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false};
inline constexpr Resource kValidatingAdmissionPolicies{"admissionregistration.k8s.io", "v1",
                                                       "validatingadmissionpolicies",
                                                       "ValidatingAdmissionPolicy", false};
inline constexpr Resource kValidatingAdmissionPolicyBindings{
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding", false};
inline constexpr Resource kInstallations{"operator.tigera.io", "v1", "installations",
                                         "Installation", false};
inline constexpr Resource kTigeraStatuses{"operator.tigera.io", "v1", "tigerastatuses",
                                          "TigeraStatus", false};
inline constexpr Resource kApiServers{"operator.tigera.io", "v1", "apiservers", "APIServer", false};
inline constexpr Resource kImageSets{"operator.tigera.io", "v1", "imagesets", "ImageSet", false};
inline constexpr Resource kGoldmanes{"operator.tigera.io", "v1", "goldmanes", "Goldmane", false};
inline constexpr Resource kWhiskers{"operator.tigera.io", "v1", "whiskers", "Whisker", false};
inline constexpr Resource kIpPools{"crd.projectcalico.org", "v1", "ippools", "IPPool", false};
inline constexpr Resource kFelixConfigurations{"crd.projectcalico.org", "v1", "felixconfigurations",
                                               "FelixConfiguration", false};
inline constexpr Resource kBgpConfigurations{"crd.projectcalico.org", "v1", "bgpconfigurations",
                                             "BGPConfiguration", false};
inline constexpr Resource kKubeControllersConfigurations{"crd.projectcalico.org", "v1",
                                                         "kubecontrollersconfigurations",
                                                         "KubeControllersConfiguration", false};
// The same pools, and what else is written, behind Calico's API server.
inline constexpr Resource kServedIpPools{"projectcalico.org", "v3", "ippools", "IPPool", false};
inline constexpr Resource kServedTiers{"projectcalico.org", "v3", "tiers", "Tier", false};
inline constexpr Resource kServedNetworkPolicies{"projectcalico.org", "v3", "networkpolicies",
                                                 "NetworkPolicy"};
inline constexpr Resource kServedGlobalNetworkPolicies{
    "projectcalico.org", "v3", "globalnetworkpolicies", "GlobalNetworkPolicy", false};

// All of the above.
std::span<const Resource> Resources();

// The resource of an object's apiVersion ("apps/v1") and kind; nullptr when it is none of ours.
const Resource* FindResource(std::string_view api_version, std::string_view kind);

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_RESOURCES_H_
