// operator.tigera.io/v1 Installation.
//
// The fields that rendering needs are typed; everything else stays in `spec` as JSON, and
// `ignored_fields` names what the user set and this operator does not act on.
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

struct CalicoNetwork {
  std::string linux_dataplane;  // "Iptables", "BPF", "VPP", "Nftables"; empty: not set.
  std::string bgp;              // "Enabled", "Disabled"; empty: not set.
  std::string host_ports;
  std::string multi_interface_mode;
  std::string container_ip_forwarding;
  std::string windows_dataplane;
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

struct Installation {
  ObjectMeta meta;  // No labels, annotations, owner references.

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
  std::string non_privileged;
  std::optional<std::int32_t> node_metrics_port;
  std::optional<std::int32_t> typha_metrics_port;
  std::optional<CertificateManagement> certificate_management;
  CalicoNetwork calico_network;
  Cni cni;
  CniLogging cni_logging;
  NodeUpdateStrategy node_update_strategy;

  json::object spec;  // As it was read, unknown fields included.
  // Paths of what the user set and this operator does not act on, sorted: fields that are not
  // rendered ("spec.calicoNodeDaemonSet"), and those whose value is another one than what is
  // rendered always ("spec.calicoNetwork.bgp" when Disabled). Only the topmost path is named. What
  // asks for nothing (null, "", [], {}) or says what is so anyway is not named.
  std::vector<std::string> ignored_fields;

  // status
  std::vector<Condition> conditions;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<Installation> Decode(const json::object& object);
};

// One field that Decode reads. The table decides what is an ignored field, and a test compares it
// with the schema.
struct InstallationField {
  enum class Use {
    kRendered,  // Its value shows in what is rendered.
    kFixed,     // What is rendered always fits the values `fixed`, and no other.
    kNotYet,    // Read, but not rendered.
  };
  std::string_view path;  // "spec.calicoNetwork.ipPools[].cidr"
  // As in the schema: "string", "bytes" (base64), "integer", "boolean", "array", "object",
  // "int-or-string".
  std::string_view type;
  Use use = Use::kRendered;
  std::string_view fixed = {};                     // JSON: one value, or an array of several.
  absl::Span<const std::string_view> values = {};  // Empty: any.
};
absl::Span<const InstallationField> InstallationFields();

// TigeraStatus `calico` as Installation.status.conditions shows it: Available becomes Ready, and a
// reason is never empty.
std::vector<Condition> InstallationConditions(absl::Span<const Condition> tigera_status);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_INSTALLATION_H_
