// Names that the rendered objects, the status and the admission policy agree on.
#ifndef CALICO_OPERATOR_RENDER_NAMES_H_
#define CALICO_OPERATOR_RENDER_NAMES_H_

#include <string_view>

namespace calico::render {

inline constexpr std::string_view kCalicoNamespace = "calico-system";
// Of Calico's API server up to v3.27; then it is in the one above.
inline constexpr std::string_view kApiServerNamespace = "calico-apiserver";

inline constexpr std::string_view kNode = "calico-node";
inline constexpr std::string_view kTypha = "calico-typha";
inline constexpr std::string_view kKubeControllers = "calico-kube-controllers";
inline constexpr std::string_view kApiServer = "calico-apiserver";
inline constexpr std::string_view kCniPlugin = "calico-cni-plugin";  // of its account and role
inline constexpr std::string_view kTyphaMetrics = "calico-typha-metrics";
inline constexpr std::string_view kBirdTemplates = "bird-templates";
inline constexpr std::string_view kBgpLayout = "bgp-layout";
inline constexpr std::string_view kCniConfig = "cni-config";
inline constexpr std::string_view kCaBundle = "tigera-ca-bundle";

// Init containers that get the key pairs, and the common names they ask for.
inline constexpr std::string_view kNodeProvisioner = "node-certs-key-cert-provisioner";
inline constexpr std::string_view kTyphaProvisioner = "typha-certs-key-cert-provisioner";
inline constexpr std::string_view kApiServerProvisioner =
    "calico-apiserver-certs-key-cert-provisioner";
// The image of these init containers, which is ours.
inline constexpr std::string_view kProvisionerImage = "calico/key-cert-provisioner";
inline constexpr std::string_view kNodeCommonName = "typha-client";
inline constexpr std::string_view kTyphaCommonName = "typha-server";
inline constexpr std::string_view kApiServerCommonName = "calico-api";

// Labels by which the operator finds what it once made, and their values.
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagedBy = "calico-operator";
// On pods it is the name of the operator's Deployment, as Tigera's operator has it: pods are found
// by other labels, and one that says something else would restart all of them at a take-over.
inline constexpr std::string_view kPodsManagedBy = "tigera-operator";
inline constexpr std::string_view kInstanceLabel = "app.kubernetes.io/instance";

// Server-side apply's field manager.
inline constexpr std::string_view kFieldManager = "calico-operator";
// On every object: a hash of what was applied last.
inline constexpr std::string_view kAppliedAnnotation = "operator.tigera.io/applied";

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_NAMES_H_
