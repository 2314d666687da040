#include "pkg/api/operator/installation_fields.h"

#include "pkg/api/operator/installation.h"
#include "pkg/api/operator/installation_values.h"

namespace calico::api {
namespace {

constexpr auto kParent = InstallationField::Use::kParent;
constexpr auto kFixed = InstallationField::Use::kFixed;
constexpr auto kIgnored = InstallationField::Use::kIgnored;

// Sorted by topic. A field that rendering learns to act on changes its `use` here.
constexpr InstallationField kFields[] = {
    {"spec.variant", "string", kFixed, R"("Calico")", kVariants},
    {"spec.registry", "string"},
    {"spec.imagePath", "string"},
    {"spec.imagePrefix", "string"},
    {"spec.imagePullSecrets", "array", kParent},
    {"spec.imagePullSecrets[].name", "string"},
    {.path = "spec.imagePullPolicy", .type = "string", .values = kPullPolicies},
    {"spec.kubernetesProvider", "string", kFixed, R"(["", "Kind", "TKG"])", kProviders},
    {"spec.flexVolumePath", "string", kFixed,
     R"("/usr/libexec/kubernetes/kubelet-plugins/volume/exec/")"},
    // No CSI driver is rendered, so that None is what happens, too.
    {"spec.kubeletVolumePluginPath", "string", kFixed, R"(["/var/lib/kubelet", "None"])"},
    {"spec.calicoRunHostPath", "string", kFixed, R"("/var/run/calico")"},
    {"spec.calicoLibHostPath", "string", kFixed, R"("/var/lib/calico")"},
    {"spec.nonPrivileged", "string", kFixed, R"("Disabled")"},
    {"spec.fipsMode", "string", kFixed, R"("Disabled")", kEnabledDisabled},
    {"spec.nodeMetricsPort", "integer"},
    {"spec.typhaMetricsPort", "integer"},
    {"spec.certificateManagement", "object", kParent},
    {"spec.certificateManagement.caCert", "bytes"},
    {"spec.certificateManagement.signerName", "string"},
    {.path = "spec.certificateManagement.keyAlgorithm", .type = "string", .values = kKeyAlgorithms},
    {.path = "spec.certificateManagement.signatureAlgorithm",
     .type = "string",
     .values = kSignatureAlgorithms},
    {"spec.tlsCipherSuites", "array", kIgnored},
    {"spec.tlsCipherSuites[].name", "string", kIgnored, "", kCipherSuites},
    {"spec.calicoNetwork", "object", kParent},
    {"spec.calicoNetwork.mtu", "integer"},
    {"spec.calicoNetwork.linuxDataplane", "string", kFixed, R"("Iptables")", kLinuxDataplanes},
    {"spec.calicoNetwork.windowsDataplane", "string", kFixed, R"("Disabled")", kWindowsDataplanes},
    {"spec.calicoNetwork.bgp", "string", kFixed, R"("Enabled")", kEnabledDisabled},
    {"spec.calicoNetwork.clusterRoutingMode", "string", kFixed, R"("BIRD")", kRoutingModes},
    {"spec.calicoNetwork.hostPorts", "string", kFixed, R"("Enabled")", kEnabledDisabled},
    {"spec.calicoNetwork.multiInterfaceMode", "string", kFixed, R"("None")", kMultiInterfaceModes},
    {"spec.calicoNetwork.containerIPForwarding", "string", kFixed, R"("Disabled")",
     kEnabledDisabled},
    {"spec.calicoNetwork.linuxPodInterfaceType", "string", kFixed, R"("Veth")", kPodInterfaceTypes},
    {"spec.calicoNetwork.linuxPolicySetupTimeoutSeconds", "integer", kFixed, "0"},
    {"spec.calicoNetwork.bpfNetworkBootstrap", "string", kFixed, R"("Disabled")", kEnabledDisabled},
    {"spec.calicoNetwork.kubeProxyManagement", "string", kFixed, R"("Disabled")", kEnabledDisabled},
    {"spec.calicoNetwork.sysctl", "array", kIgnored},
    {"spec.calicoNetwork.sysctl[].key", "string", kIgnored, "", kSysctls},
    {"spec.calicoNetwork.sysctl[].value", "string", kIgnored},
    {"spec.calicoNetwork.ipPools", "array", kIgnored},
    {"spec.calicoNetwork.ipPools[].name", "string", kIgnored},
    {"spec.calicoNetwork.ipPools[].cidr", "string", kIgnored},
    {"spec.calicoNetwork.ipPools[].encapsulation", "string", kIgnored, "", kEncapsulations},
    {"spec.calicoNetwork.ipPools[].natOutgoing", "string", kIgnored, "", kEnabledDisabled},
    {"spec.calicoNetwork.ipPools[].nodeSelector", "string", kIgnored},
    {"spec.calicoNetwork.ipPools[].blockSize", "integer", kIgnored},
    {"spec.calicoNetwork.ipPools[].disableBGPExport", "boolean", kIgnored},
    {"spec.calicoNetwork.ipPools[].disableNewAllocations", "boolean", kIgnored},
    {"spec.calicoNetwork.ipPools[].allowedUses", "array", kIgnored},
    {"spec.calicoNetwork.ipPools[].assignmentMode", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4", "object", kParent},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.firstFound", "boolean", kFixed, "true"},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.kubernetes", "string", kIgnored, "",
     kNodeAddresses},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.interface", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.skipInterface", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.canReach", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.cidrs", "array", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6", "object", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.firstFound", "boolean", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.kubernetes", "string", kIgnored, "",
     kNodeAddresses},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.interface", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.skipInterface", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.canReach", "string", kIgnored},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.cidrs", "array", kIgnored},
    {"spec.cni", "object", kParent},
    {"spec.cni.type", "string", kFixed, R"("Calico")", kCniTypes},
    {"spec.cni.ipam", "object", kParent},
    {"spec.cni.ipam.type", "string", kFixed, R"("Calico")", kIpamTypes},
    {"spec.cni.binDir", "string", kFixed, R"("/opt/cni/bin")"},
    {"spec.cni.confDir", "string", kFixed, R"("/etc/cni/net.d")"},
    {"spec.cni.installMode", "string", kFixed, R"("All")", kInstallModes},
    {"spec.cni.specVersion", "string", kFixed, R"(["0.3.1", "Auto"])", kCniVersions},
    {"spec.logging", "object", kParent},
    {"spec.logging.cni", "object", kParent},
    {"spec.logging.cni.logSeverity", "string", kFixed, R"("Info")", kLogSeverities},
    {"spec.logging.cni.logFileMaxSize", "int-or-string", kFixed, R"("100Mi")"},
    {"spec.logging.cni.logFileMaxAgeDays", "integer", kFixed, "30"},
    {"spec.logging.cni.logFileMaxCount", "integer", kFixed, "10"},
    {"spec.nodeUpdateStrategy", "object", kParent},
    {"spec.nodeUpdateStrategy.type", "string", kFixed, R"("RollingUpdate")"},
    {"spec.nodeUpdateStrategy.rollingUpdate", "object", kParent},
    {"spec.nodeUpdateStrategy.rollingUpdate.maxUnavailable", "int-or-string", kFixed, "1"},
    {"spec.controlPlaneReplicas", "integer", kFixed, "2"},
    {"spec.controlPlaneNodeSelector", "object", kIgnored},
    {"spec.controlPlaneTolerations", "array", kIgnored},
    {"spec.typhaAffinity", "object", kIgnored},
    {"spec.componentResources", "array", kIgnored},
    {"spec.componentResources[].componentName", "string", kIgnored, "", kComponents},
    {"spec.typhaPodDisruptionBudget", "object", kParent},
    {"spec.typhaPodDisruptionBudget.spec", "object", kParent},
    {"spec.typhaPodDisruptionBudget.spec.maxUnavailable", "int-or-string", kFixed, "1"},
    {"spec.calicoNodeDaemonSet", "object", kIgnored},
    {"spec.typhaDeployment", "object", kIgnored},
    {"spec.calicoKubeControllersDeployment", "object", kIgnored},
    {"spec.csiNodeDriverDaemonSet", "object", kIgnored},
    {"spec.networkPolicy", "object", kParent},
    {"spec.networkPolicy.managePolicies", "string", kIgnored, "", kEnabledDisabled},
    {"spec.proxy", "object", kParent},
    {"spec.proxy.httpProxy", "string", kIgnored},
    {"spec.proxy.httpsProxy", "string", kIgnored},
    {"spec.proxy.noProxy", "string", kIgnored},
    {"spec.azure", "object", kParent},
    {"spec.azure.policyMode", "string", kFixed, R"("Default")", kAzurePolicyModes},
    // Windows nodes are not looked after.
    {"spec.serviceCIDRs", "array", kIgnored},
    {"spec.windowsNodes", "object", kIgnored},
    {"spec.calicoNodeWindowsDaemonSet", "object", kIgnored},
    {"spec.calicoWindowsUpgradeDaemonSet", "object", kIgnored},
};

}  // namespace

absl::Span<const InstallationField> InstallationFields() { return kFields; }

const InstallationField* FindInstallationField(std::string_view path) {
  for (const InstallationField& field : kFields) {
    if (field.path == path) return &field;
  }
  return nullptr;
}

}  // namespace calico::api
