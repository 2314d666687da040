// operator.tigera.io/v1 Installation.
//
// The fields that code asks for are typed; everything else stays in `spec` as JSON.
// installation_fields.h says which of them have an effect.
// crds/operator.tigera.io_installations.yaml is the schema; a test holds the two together.
#ifndef CALICO_PKG_API_OPERATOR_INSTALLATION_H_
#define CALICO_PKG_API_OPERATOR_INSTALLATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::api {

inline constexpr std::string_view kInstallationName = "default";
// Merged into the one above.
inline constexpr std::string_view kOverlayName = "overlay";
// registry, imagePath and imagePrefix: same as not set.
inline constexpr std::string_view kUseDefault = "UseDefault";

// Values of spec.certificateManagement.keyAlgorithm; empty means RSAWithSize2048.
inline constexpr std::string_view kKeyAlgorithms[] = {"",
                                                      "RSAWithSize2048",
                                                      "RSAWithSize4096",
                                                      "RSAWithSize8192",
                                                      "ECDSAWithCurve256",
                                                      "ECDSAWithCurve384",
                                                      "ECDSAWithCurve521"};
// Values of spec.certificateManagement.signatureAlgorithm; empty means SHA-256 with the family of
// the key.
inline constexpr std::string_view kSignatureAlgorithms[] = {"",
                                                            "SHA256WithRSA",
                                                            "SHA384WithRSA",
                                                            "SHA512WithRSA",
                                                            "ECDSAWithSHA256",
                                                            "ECDSAWithSHA384",
                                                            "ECDSAWithSHA512"};

struct CertificateManagement {
  std::string ca_cert_pem;  // caCert, base64 decoded: whatever bytes the user put there.
  std::string signer_name;
  std::string key_algorithm;        // One of kKeyAlgorithms.
  std::string signature_algorithm;  // One of kSignatureAlgorithms.

  friend bool operator==(const CertificateManagement&, const CertificateManagement&) = default;
};

struct IpPool {
  std::string name;
  std::string cidr;
  std::string encapsulation;  // "IPIP", "VXLAN", "IPIPCrossSubnet", "VXLANCrossSubnet", "None"
  std::string nat_outgoing;   // "Enabled", "Disabled"
  std::string node_selector;
  std::optional<std::int32_t> block_size;
  std::optional<bool> disable_bgp_export;
  std::optional<bool> disable_new_allocations;
  std::vector<std::string> allowed_uses;  // "Workload", "Tunnel", "LoadBalancer"; empty: not set.
  std::string assignment_mode;            // "Automatic", "Manual"; empty: not set.

  friend bool operator==(const IpPool&, const IpPool&) = default;
};

// At most one method may be set; that is for validation, not for decoding.
struct NodeAddressAutodetection {
  std::optional<bool> first_found;
  std::string kubernetes;  // "NodeInternalIP"
  std::string interface;
  std::string skip_interface;
  std::string can_reach;
  std::vector<std::string> cidrs;

  friend bool operator==(const NodeAddressAutodetection&,
                         const NodeAddressAutodetection&) = default;
};

struct Sysctl {
  std::string key;
  std::string value;

  friend bool operator==(const Sysctl&, const Sysctl&) = default;
};

struct CalicoNetwork {
  std::string linux_dataplane;  // "Iptables", "BPF", "VPP", "Nftables"; empty: not set.
  std::string bgp;              // "Enabled", "Disabled"; empty: not set.
  std::string host_ports;
  std::string multi_interface_mode;
  std::string container_ip_forwarding;
  std::string windows_dataplane;
  std::string bpf_network_bootstrap;     // "Enabled", "Disabled"; empty: not set.
  std::string kube_proxy_management;     // "Enabled", "Disabled"; empty: not set.
  std::string cluster_routing_mode;      // "BIRD", "Felix", "FelixIPIPOnly"; empty: not set.
  std::string linux_pod_interface_type;  // "Veth", "Netkit"; empty: not set.
  std::vector<Sysctl> sysctl;
  std::optional<std::int32_t> linux_policy_setup_timeout_seconds;
  std::optional<std::int32_t> mtu;
  // Not set and set to an empty list are different: the latter means no pools.
  std::optional<std::vector<IpPool>> ip_pools;
  std::optional<NodeAddressAutodetection> node_address_autodetection_v4;
  std::optional<NodeAddressAutodetection> node_address_autodetection_v6;

  friend bool operator==(const CalicoNetwork&, const CalicoNetwork&) = default;
};

struct Cni {
  std::string type;       // "Calico", "GKE", "AmazonVPC", "AzureVNET"; empty: not set.
  std::string ipam_type;  // "Calico", "HostLocal", "AmazonVPC", "AzureVNET"; empty: not set.
  std::string bin_dir;
  std::string conf_dir;
  std::string install_mode;  // "All", "CalicoOnly"; empty: not set.
  std::string spec_version;  // "Auto", "0.3.1", "0.4.0", "1.0.0"; empty: not set.

  friend bool operator==(const Cni&, const Cni&) = default;
};

struct CniLogging {
  std::string severity;  // "Error", "Warning", "Info", "Debug"; empty: not set.
  std::string max_size;  // A quantity, such as "100Mi".
  std::optional<std::int32_t> max_age_days;
  std::optional<std::int32_t> max_count;

  friend bool operator==(const CniLogging&, const CniLogging&) = default;
};

struct NodeUpdateStrategy {
  std::string type;             // "RollingUpdate"; empty: not set.
  std::string max_unavailable;  // A number or a percentage.

  friend bool operator==(const NodeUpdateStrategy&, const NodeUpdateStrategy&) = default;
};

struct Proxy {
  std::string http_proxy;
  std::string https_proxy;
  std::string no_proxy;

  friend bool operator==(const Proxy&, const Proxy&) = default;
};

// What the operator tells in Installation.status besides the conditions.
struct InstallationStatus {
  std::string variant;
  std::string calico_version;  // "v3.33.1"
  std::string image_set;       // The name of the ImageSet in use; empty: none.
  std::int32_t mtu = 0;        // 0: not known.
  json::object computed;       // The spec with every default, and the overlay, in it.

  // Without what is empty or 0, and without conditions.
  json::object Encode() const;
  friend bool operator==(const InstallationStatus&, const InstallationStatus&) = default;
};

// Names the AppArmor profile of container calico-node: "localhost/NAME", "runtime/default" or
// "unconfined".
inline constexpr std::string_view kNodeAppArmorAnnotation =
    "tech-preview.operator.tigera.io/node-apparmor-profile";

struct Installation {
  // Of the annotations only kNodeAppArmorAnnotation; no labels, no owner references.
  ObjectMeta meta;

  // spec
  std::string variant;  // "Calico", "CalicoEnterprise", "TigeraSecureEnterprise"; empty: not set.
  std::string registry;
  std::string image_path;
  std::string image_prefix;
  std::vector<std::string> image_pull_secrets;
  std::string image_pull_policy;  // "Always", "IfNotPresent", "Never"; empty: not set.
  std::string kubernetes_provider;
  std::string flex_volume_path;
  std::string kubelet_volume_plugin_path;
  std::string calico_run_host_path;
  std::string calico_lib_host_path;
  std::string non_privileged;     // No list of values: "Enabled", "Disabled" and empty are known.
  std::string fips_mode;          // "Enabled", "Disabled"; empty: not set.
  std::string manage_policies;    // networkPolicy.managePolicies: "Enabled", "Disabled"; empty.
  std::string azure_policy_mode;  // azure.policyMode: "Default", "Manual"; empty: not set.
  std::vector<std::string> service_cidrs;
  std::vector<std::string> tls_cipher_suites;
  std::optional<std::int32_t> control_plane_replicas;
  codec::StringMap control_plane_node_selector;
  Proxy proxy;
  std::optional<std::int32_t> node_metrics_port;
  std::optional<std::int32_t> typha_metrics_port;
  std::optional<CertificateManagement> certificate_management;
  CalicoNetwork calico_network;
  Cni cni;
  CniLogging cni_logging;
  NodeUpdateStrategy node_update_strategy;

  // As it was read, unknown fields included: overrides of workloads, tolerations and affinities are
  // here alone.
  json::object spec;

  InstallationStatus status;
  std::vector<Condition> conditions;  // Of the status, too.

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Installation> Decode(const json::object& object);
};

// TigeraStatus `calico` as Installation.status.conditions shows it: Available becomes Ready, and a
// reason is never empty.
std::vector<Condition> InstallationConditions(absl::Span<const Condition> tigera_status);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_INSTALLATION_H_
