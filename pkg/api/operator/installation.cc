#include "pkg/api/operator/installation.h"

#include <limits>
#include <utility>

#include "pkg/api/operator/installation_values.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

namespace {

using codec::ObjectReader;

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
          .disable_bgp_export = pool.OptionalBool("disableBGPExport"),
          .disable_new_allocations = pool.OptionalBool("disableNewAllocations"),
          .allowed_uses = pool.StringList("allowedUses"),
          .assignment_mode = pool.String("assignmentMode")};
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
      .bpf_network_bootstrap = std::string(network.Enum("bpfNetworkBootstrap", kEnabledDisabled)),
      .kube_proxy_management = std::string(network.Enum("kubeProxyManagement", kEnabledDisabled)),
      .cluster_routing_mode = std::string(network.Enum("clusterRoutingMode", kRoutingModes)),
      .linux_pod_interface_type =
          std::string(network.Enum("linuxPodInterfaceType", kPodInterfaceTypes)),
      .linux_policy_setup_timeout_seconds = network.OptionalInt32("linuxPolicySetupTimeoutSeconds"),
      .mtu = network.OptionalInt32("mtu"),
      .node_address_autodetection_v4 = ReadAutodetection(network, "nodeAddressAutodetectionV4"),
      .node_address_autodetection_v6 = ReadAutodetection(network, "nodeAddressAutodetectionV6")};
  network.ForEach("sysctl", [&result](const ObjectReader& setting) {
    result.sysctl.push_back(
        {.key = std::string(setting.Enum("key", kSysctls)), .value = setting.String("value")});
  });
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
          .conf_dir = cni.String("confDir"),
          .install_mode = std::string(cni.Enum("installMode", kInstallModes)),
          .spec_version = std::string(cni.Enum("specVersion", kCniVersions))};
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

// What stays JSON is still looked at, so that a wrong shape is told with everything else.
void CheckUntyped(const ObjectReader& spec) {
  for (const std::string_view key :
       {"calicoNodeDaemonSet", "typhaDeployment", "calicoKubeControllersDeployment",
        "csiNodeDriverDaemonSet", "calicoNodeWindowsDaemonSet", "calicoWindowsUpgradeDaemonSet",
        "windowsNodes", "typhaAffinity"}) {
    spec.Object(key);
  }
  spec.Object("typhaPodDisruptionBudget");
  spec.Object("nodeUpdateStrategy").Object("rollingUpdate").IntOrString("maxSurge");
  spec.ForEach("controlPlaneTolerations", [](const ObjectReader&) {});
  spec.ForEach("componentResources", [](const ObjectReader& resources) {
    resources.Enum("componentName", kComponents);
    resources.Object("resourceRequirements");
  });
}

void ReadImages(const ObjectReader& spec, Installation& installation) {
  installation.registry = spec.String("registry");
  installation.image_path = spec.String("imagePath");
  installation.image_prefix = spec.String("imagePrefix");
  spec.ForEach("imagePullSecrets", [&installation](const ObjectReader& secret) {
    installation.image_pull_secrets.push_back(secret.String("name"));
  });
  installation.image_pull_policy = spec.Enum("imagePullPolicy", kPullPolicies);
}

// What is about the cluster: its nodes, its control plane, its surroundings.
void ReadPlatform(const ObjectReader& spec, Installation& installation) {
  installation.kubernetes_provider = spec.Enum("kubernetesProvider", kProviders);
  installation.flex_volume_path = spec.String("flexVolumePath");
  installation.kubelet_volume_plugin_path = spec.String("kubeletVolumePluginPath");
  installation.calico_run_host_path = spec.String("calicoRunHostPath");
  installation.calico_lib_host_path = spec.String("calicoLibHostPath");
  installation.control_plane_replicas = spec.OptionalInt32("controlPlaneReplicas");
  installation.control_plane_node_selector = spec.Strings("controlPlaneNodeSelector");
  installation.service_cidrs = spec.StringList("serviceCIDRs");
  installation.azure_policy_mode = spec.Object("azure").Enum("policyMode", kAzurePolicyModes);
  const ObjectReader proxy = spec.Object("proxy");
  installation.proxy = {.http_proxy = proxy.String("httpProxy"),
                        .https_proxy = proxy.String("httpsProxy"),
                        .no_proxy = proxy.String("noProxy")};
}

void ReadSpec(const ObjectReader& spec, Installation& installation) {
  installation.variant = spec.Enum("variant", kVariants);
  ReadImages(spec, installation);
  ReadPlatform(spec, installation);
  installation.non_privileged = spec.String("nonPrivileged");
  installation.fips_mode = spec.Enum("fipsMode", kEnabledDisabled);
  installation.manage_policies =
      spec.Object("networkPolicy").Enum("managePolicies", kEnabledDisabled);
  installation.node_metrics_port = spec.OptionalInt32("nodeMetricsPort");
  installation.typha_metrics_port = spec.OptionalInt32("typhaMetricsPort");
  if (const ObjectReader management = spec.Object("certificateManagement"); management.exists()) {
    installation.certificate_management = ReadCertificateManagement(management);
  }
  spec.ForEach("tlsCipherSuites", [&installation](const ObjectReader& suite) {
    installation.tls_cipher_suites.emplace_back(suite.Enum("name", kCipherSuites));
  });
  installation.calico_network = ReadCalicoNetwork(spec.Object("calicoNetwork"));
  installation.cni = ReadCni(spec.Object("cni"));
  installation.cni_logging = ReadCniLogging(spec.Object("logging").Object("cni"));
  installation.node_update_strategy = ReadNodeUpdateStrategy(spec.Object("nodeUpdateStrategy"));
  CheckUntyped(spec);
}

// What operators wrote is read leniently: it is told again, never acted on.
InstallationStatus ReadStatus(const json::object& object) {
  const json::object* const status = codec::FindObject(object, "status");
  if (status == nullptr) return {};
  InstallationStatus result{.variant = std::string(codec::TextAt(*status, "variant")),
                            .calico_version = std::string(codec::TextAt(*status, "calicoVersion")),
                            .image_set = std::string(codec::TextAt(*status, "imageSet"))};
  const json::value* const mtu = status->if_contains("mtu");
  if (mtu != nullptr && mtu->is_int64() && mtu->get_int64() > 0 &&
      mtu->get_int64() <= std::numeric_limits<std::int32_t>::max()) {
    result.mtu = static_cast<std::int32_t>(mtu->get_int64());
  }
  if (const json::object* const computed = codec::FindObject(*status, "computed")) {
    result.computed = *computed;
  }
  return result;
}

ObjectMeta ReadMeta(const ObjectReader& root) {
  ObjectMeta meta = ReadObjectMeta(root, {.annotations = true});
  std::erase_if(meta.annotations,
                [](const auto& entry) { return entry.first != kNodeAppArmorAnnotation; });
  return meta;
}

}  // namespace

json::object InstallationStatus::Encode() const {
  json::object status;
  if (!variant.empty()) status["variant"] = variant;
  if (!calico_version.empty()) status["calicoVersion"] = calico_version;
  if (!image_set.empty()) status["imageSet"] = image_set;
  if (mtu != 0) status["mtu"] = mtu;
  if (!computed.empty()) status["computed"] = computed;
  return status;
}

absl::StatusOr<Installation> Installation::Decode(const json::object& object) {
  codec::Decoder decoder("Installation");
  const ObjectReader root = decoder.Read(object);
  Installation installation{.meta = ReadMeta(root),
                            .status = ReadStatus(object),
                            .conditions = ReadConditions(root.Object("status"))};
  if (const ObjectReader spec = root.Object("spec"); spec.exists()) {
    ReadSpec(spec, installation);
    installation.spec = spec.object();
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
