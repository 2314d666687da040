#include "pkg/api/operator/installation.h"

#include <utility>

#include "pkg/api/operator/ignored_fields.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

namespace {

using codec::ObjectReader;

constexpr std::string_view kVariants[] = {"Calico", "CalicoEnterprise", "TigeraSecureEnterprise"};
constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
constexpr std::string_view kProviders[] = {
    "", "EKS", "GKE", "AKS", "OpenShift", "DockerEnterprise", "RKE2", "TKG", "Kind"};
constexpr std::string_view kEnabledDisabled[] = {"Enabled", "Disabled"};
constexpr std::string_view kLinuxDataplanes[] = {"Iptables", "BPF", "VPP", "Nftables"};
constexpr std::string_view kWindowsDataplanes[] = {"HNS", "Disabled"};
constexpr std::string_view kMultiInterfaceModes[] = {"None", "Multus"};
constexpr std::string_view kEncapsulations[] = {"IPIPCrossSubnet", "IPIP", "VXLAN",
                                                "VXLANCrossSubnet", "None"};
constexpr std::string_view kCniTypes[] = {"Calico", "GKE", "AmazonVPC", "AzureVNET"};
constexpr std::string_view kIpamTypes[] = {"Calico", "HostLocal", "AmazonVPC", "AzureVNET"};
constexpr std::string_view kLogSeverities[] = {"Error", "Warning", "Info", "Debug"};
constexpr std::string_view kNodeAddresses[] = {"NodeInternalIP"};

constexpr auto kFixed = InstallationField::Use::kFixed;
constexpr auto kNotYet = InstallationField::Use::kNotYet;

// Sorted by topic. A field that rendering learns to act on changes its `use` here.
constexpr InstallationField kFields[] = {
    {"spec.variant", "string", kFixed, R"("Calico")", kVariants},
    {"spec.registry", "string"},
    {"spec.imagePath", "string"},
    {"spec.imagePrefix", "string"},
    {"spec.imagePullSecrets", "array"},
    {"spec.imagePullSecrets[].name", "string"},
    {.path = "spec.imagePullPolicy", .type = "string", .values = kPullPolicies},
    {"spec.kubernetesProvider", "string", kFixed, R"(["", "Kind", "TKG"])", kProviders},
    {"spec.flexVolumePath", "string", kFixed,
     R"("/usr/libexec/kubernetes/kubelet-plugins/volume/exec/")"},
    // No CSI driver is rendered, so that None is what happens, too.
    {"spec.kubeletVolumePluginPath", "string", kFixed, R"(["/var/lib/kubelet", "None"])"},
    {"spec.nonPrivileged", "string", kFixed, R"("Disabled")"},
    {"spec.nodeMetricsPort", "integer"},
    {"spec.typhaMetricsPort", "integer"},
    {"spec.certificateManagement", "object"},
    {"spec.certificateManagement.caCert", "bytes"},
    {"spec.certificateManagement.signerName", "string"},
    {.path = "spec.certificateManagement.keyAlgorithm", .type = "string", .values = kKeyAlgorithms},
    {.path = "spec.certificateManagement.signatureAlgorithm",
     .type = "string",
     .values = kSignatureAlgorithms},
    {"spec.calicoNetwork", "object"},
    {"spec.calicoNetwork.mtu", "integer"},
    {"spec.calicoNetwork.linuxDataplane", "string", kFixed, R"("Iptables")", kLinuxDataplanes},
    {"spec.calicoNetwork.windowsDataplane", "string", kFixed, R"("Disabled")", kWindowsDataplanes},
    {"spec.calicoNetwork.bgp", "string", kFixed, R"("Enabled")", kEnabledDisabled},
    {"spec.calicoNetwork.hostPorts", "string", kFixed, R"("Enabled")", kEnabledDisabled},
    {"spec.calicoNetwork.multiInterfaceMode", "string", kFixed, R"("None")", kMultiInterfaceModes},
    {"spec.calicoNetwork.containerIPForwarding", "string", kFixed, R"("Disabled")",
     kEnabledDisabled},
    {"spec.calicoNetwork.linuxPolicySetupTimeoutSeconds", "integer", kFixed, "0"},
    {"spec.calicoNetwork.ipPools", "array", kNotYet},
    {"spec.calicoNetwork.ipPools[].name", "string", kNotYet},
    {"spec.calicoNetwork.ipPools[].cidr", "string", kNotYet},
    {"spec.calicoNetwork.ipPools[].encapsulation", "string", kNotYet, "", kEncapsulations},
    {"spec.calicoNetwork.ipPools[].natOutgoing", "string", kNotYet, "", kEnabledDisabled},
    {"spec.calicoNetwork.ipPools[].nodeSelector", "string", kNotYet},
    {"spec.calicoNetwork.ipPools[].blockSize", "integer", kNotYet},
    {"spec.calicoNetwork.ipPools[].disableBGPExport", "boolean", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4", "object"},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.firstFound", "boolean", kFixed, "true"},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.kubernetes", "string", kNotYet, "",
     kNodeAddresses},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.interface", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.skipInterface", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.canReach", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV4.cidrs", "array", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6", "object", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.firstFound", "boolean", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.kubernetes", "string", kNotYet, "",
     kNodeAddresses},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.interface", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.skipInterface", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.canReach", "string", kNotYet},
    {"spec.calicoNetwork.nodeAddressAutodetectionV6.cidrs", "array", kNotYet},
    {"spec.cni", "object"},
    {"spec.cni.type", "string", kFixed, R"("Calico")", kCniTypes},
    {"spec.cni.ipam", "object"},
    {"spec.cni.ipam.type", "string", kFixed, R"("Calico")", kIpamTypes},
    {"spec.cni.binDir", "string", kFixed, R"("/opt/cni/bin")"},
    {"spec.cni.confDir", "string", kFixed, R"("/etc/cni/net.d")"},
    {"spec.logging", "object"},
    {"spec.logging.cni", "object"},
    {"spec.logging.cni.logSeverity", "string", kFixed, R"("Info")", kLogSeverities},
    {"spec.logging.cni.logFileMaxSize", "int-or-string", kFixed, R"("100Mi")"},
    {"spec.logging.cni.logFileMaxAgeDays", "integer", kFixed, "30"},
    {"spec.logging.cni.logFileMaxCount", "integer", kFixed, "10"},
    {"spec.nodeUpdateStrategy", "object"},
    {"spec.nodeUpdateStrategy.type", "string", kFixed, R"("RollingUpdate")"},
    {"spec.nodeUpdateStrategy.rollingUpdate", "object"},
    {"spec.nodeUpdateStrategy.rollingUpdate.maxUnavailable", "int-or-string", kFixed, "1"},
};

CertificateManagement ReadCertificateManagement(const ObjectReader& management) {
  return {.ca_cert_pem = management.Bytes("caCert"),
          .signer_name = management.String("signerName"),
          .key_algorithm = std::string(management.Enum("keyAlgorithm", kKeyAlgorithms)),
          .signature_algorithm =
              std::string(management.Enum("signatureAlgorithm", kSignatureAlgorithms))};
}

IpPool ReadIpPool(const ObjectReader& pool) {
  return {.name = pool.String("name"),
          .cidr = pool.String("cidr"),
          .encapsulation = std::string(pool.Enum("encapsulation", kEncapsulations)),
          .nat_outgoing = std::string(pool.Enum("natOutgoing", kEnabledDisabled)),
          .node_selector = pool.String("nodeSelector"),
          .block_size = pool.OptionalInt32("blockSize"),
          .disable_bgp_export = pool.OptionalBool("disableBGPExport")};
}

std::optional<NodeAddressAutodetection> ReadAutodetection(const ObjectReader& network,
                                                          std::string_view key) {
  const ObjectReader detection = network.Object(key);
  if (!detection.exists()) return std::nullopt;
  return NodeAddressAutodetection{
      .first_found = detection.OptionalBool("firstFound"),
      .kubernetes = std::string(detection.Enum("kubernetes", kNodeAddresses)),
      .interface = detection.String("interface"),
      .skip_interface = detection.String("skipInterface"),
      .can_reach = detection.String("canReach"),
      .cidrs = detection.StringList("cidrs")};
}

CalicoNetwork ReadCalicoNetwork(const ObjectReader& network) {
  CalicoNetwork result{
      .linux_dataplane = std::string(network.Enum("linuxDataplane", kLinuxDataplanes)),
      .bgp = std::string(network.Enum("bgp", kEnabledDisabled)),
      .host_ports = std::string(network.Enum("hostPorts", kEnabledDisabled)),
      .multi_interface_mode = std::string(network.Enum("multiInterfaceMode", kMultiInterfaceModes)),
      .container_ip_forwarding =
          std::string(network.Enum("containerIPForwarding", kEnabledDisabled)),
      .windows_dataplane = std::string(network.Enum("windowsDataplane", kWindowsDataplanes)),
      .linux_policy_setup_timeout_seconds = network.OptionalInt32("linuxPolicySetupTimeoutSeconds"),
      .mtu = network.OptionalInt32("mtu"),
      .node_address_autodetection_v4 = ReadAutodetection(network, "nodeAddressAutodetectionV4"),
      .node_address_autodetection_v6 = ReadAutodetection(network, "nodeAddressAutodetectionV6")};
  if (network.Has("ipPools")) {
    result.ip_pools.emplace();
    network.ForEach("ipPools", [&result](const ObjectReader& pool) {
      result.ip_pools->push_back(ReadIpPool(pool));
    });
  }
  return result;
}

Cni ReadCni(const ObjectReader& cni) {
  return {.type = std::string(cni.Enum("type", kCniTypes)),
          .ipam_type = std::string(cni.Object("ipam").Enum("type", kIpamTypes)),
          .bin_dir = cni.String("binDir"),
          .conf_dir = cni.String("confDir")};
}

CniLogging ReadCniLogging(const ObjectReader& logging) {
  return {.severity = std::string(logging.Enum("logSeverity", kLogSeverities)),
          .max_size = logging.IntOrString("logFileMaxSize"),
          .max_age_days = logging.OptionalInt32("logFileMaxAgeDays"),
          .max_count = logging.OptionalInt32("logFileMaxCount")};
}

NodeUpdateStrategy ReadNodeUpdateStrategy(const ObjectReader& strategy) {
  return {.type = strategy.String("type"),
          .max_unavailable = strategy.Object("rollingUpdate").IntOrString("maxUnavailable")};
}

void ReadSpec(const ObjectReader& spec, Installation& installation) {
  installation.variant = spec.Enum("variant", kVariants);
  installation.registry = spec.String("registry");
  installation.image_path = spec.String("imagePath");
  installation.image_prefix = spec.String("imagePrefix");
  spec.ForEach("imagePullSecrets", [&installation](const ObjectReader& secret) {
    installation.image_pull_secrets.push_back(secret.String("name"));
  });
  installation.image_pull_policy = spec.Enum("imagePullPolicy", kPullPolicies);
  installation.kubernetes_provider = spec.Enum("kubernetesProvider", kProviders);
  installation.flex_volume_path = spec.String("flexVolumePath");
  installation.kubelet_volume_plugin_path = spec.String("kubeletVolumePluginPath");
  installation.non_privileged = spec.String("nonPrivileged");
  installation.node_metrics_port = spec.OptionalInt32("nodeMetricsPort");
  installation.typha_metrics_port = spec.OptionalInt32("typhaMetricsPort");
  if (const ObjectReader management = spec.Object("certificateManagement"); management.exists()) {
    installation.certificate_management = ReadCertificateManagement(management);
  }
  installation.calico_network = ReadCalicoNetwork(spec.Object("calicoNetwork"));
  installation.cni = ReadCni(spec.Object("cni"));
  installation.cni_logging = ReadCniLogging(spec.Object("logging").Object("cni"));
  installation.node_update_strategy = ReadNodeUpdateStrategy(spec.Object("nodeUpdateStrategy"));
}

}  // namespace

absl::Span<const InstallationField> InstallationFields() { return kFields; }

absl::StatusOr<Installation> Installation::Decode(const json::object& object) {
  codec::Decoder decoder("Installation");
  const ObjectReader root = decoder.Read(object);
  Installation installation{.meta = ReadObjectMeta(root, {}),
                            .conditions = ReadConditions(root.Object("status"))};
  if (const ObjectReader spec = root.Object("spec"); spec.exists()) {
    ReadSpec(spec, installation);
    installation.spec = spec.object();
    installation.ignored_fields = IgnoredFields(spec.object());
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return installation;
}

std::vector<Condition> InstallationConditions(absl::Span<const Condition> tigera_status) {
  std::vector<Condition> conditions(tigera_status.begin(), tigera_status.end());
  for (Condition& condition : conditions) {
    if (condition.type == kAvailable) condition.type = kReady;
    if (condition.reason.empty()) condition.reason = kReasonUnknown;
  }
  return conditions;
}

}  // namespace calico::api
