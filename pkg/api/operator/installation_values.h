// What the fields of an Installation can be, where that is a list.
#ifndef CALICO_PKG_API_OPERATOR_INSTALLATION_VALUES_H_
#define CALICO_PKG_API_OPERATOR_INSTALLATION_VALUES_H_

#include <string_view>

namespace calico::api {

inline constexpr std::string_view kVariants[] = {"Calico", "CalicoEnterprise",
                                                 "TigeraSecureEnterprise"};
inline constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
inline constexpr std::string_view kProviders[] = {
    "", "EKS", "GKE", "AKS", "OpenShift", "DockerEnterprise", "RKE2", "TKG", "Kind"};
inline constexpr std::string_view kEnabledDisabled[] = {"Enabled", "Disabled"};
inline constexpr std::string_view kLinuxDataplanes[] = {"Iptables", "BPF", "VPP", "Nftables"};
inline constexpr std::string_view kWindowsDataplanes[] = {"HNS", "Disabled"};
inline constexpr std::string_view kMultiInterfaceModes[] = {"None", "Multus"};
inline constexpr std::string_view kPodInterfaceTypes[] = {"Veth", "Netkit"};
inline constexpr std::string_view kRoutingModes[] = {"BIRD", "Felix", "FelixIPIPOnly"};
inline constexpr std::string_view kSysctls[] = {
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time"};
inline constexpr std::string_view kEncapsulations[] = {"IPIPCrossSubnet", "IPIP", "VXLAN",
                                                       "VXLANCrossSubnet", "None"};
inline constexpr std::string_view kCniTypes[] = {"Calico", "GKE", "AmazonVPC", "AzureVNET"};
inline constexpr std::string_view kIpamTypes[] = {"Calico", "HostLocal", "AmazonVPC", "AzureVNET"};
inline constexpr std::string_view kInstallModes[] = {"All", "CalicoOnly"};
inline constexpr std::string_view kCniVersions[] = {"Auto", "0.3.1", "0.4.0", "1.0.0"};
inline constexpr std::string_view kLogSeverities[] = {"Error", "Warning", "Info", "Debug"};
inline constexpr std::string_view kNodeAddresses[] = {"NodeInternalIP"};
inline constexpr std::string_view kAzurePolicyModes[] = {"Default", "Manual"};
inline constexpr std::string_view kComponents[] = {"Node",        "Typha",        "KubeControllers",
                                                   "NodeWindows", "FelixWindows", "ConfdWindows"};
inline constexpr std::string_view kCipherSuites[] = {
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"};

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_INSTALLATION_VALUES_H_
