#include "operator/defaults/complete_spec.h"

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <absl/strings/numbers.h>

#include "operator/defaults/pool_defaults.h"
#include "operator/defaults/release_traits.h"
#include "operator/defaults/spec_fields.h"

namespace calico::defaults {
namespace {

// What a provider has at other places, or does in another way.
struct ProviderRow {
  std::string_view provider;  // empty: any other
  std::string_view cni;
  std::string_view flex_volume_path;
  std::string_view cni_bin_dir = "/opt/cni/bin";
  std::string_view cni_conf_dir = "/etc/cni/net.d";
  std::string_view windows_cni_bin_dir = "/opt/cni/bin";
  std::string_view windows_cni_conf_dir = "/etc/cni/net.d";
};
constexpr std::string_view kKubeletFlexVolumes =
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/";
constexpr ProviderRow kProviders[] = {
    {.provider = "AKS",
     .cni = "AzureVNET",
     .flex_volume_path = "/etc/kubernetes/volumeplugins/",
     .windows_cni_bin_dir = "/k/azurecni/bin",
     .windows_cni_conf_dir = "/k/azurecni/netconf"},
    {.provider = "EKS",
     .cni = "AmazonVPC",
     .flex_volume_path = kKubeletFlexVolumes,
     .windows_cni_bin_dir = "/Program Files/Amazon/EKS/cni",
     .windows_cni_conf_dir = "/Program Files/Amazon/EKS/cni/config"},
    {.provider = "GKE",
     .cni = "GKE",
     .flex_volume_path = "/home/kubernetes/flexvolume/",
     .cni_bin_dir = "/home/kubernetes/bin"},
    {.provider = "OpenShift",
     .cni = "Calico",
     .flex_volume_path = "/etc/kubernetes/kubelet-plugins/volume/exec/",
     .cni_bin_dir = "/var/lib/cni/bin",
     .cni_conf_dir = "/var/run/multus/cni/net.d"},
    {.provider = "RKE2", .cni = "Calico", .flex_volume_path = "/var/lib/kubelet/volumeplugins/"},
    {.provider = "", .cni = "Calico", .flex_volume_path = kKubeletFlexVolumes},
};

const ProviderRow& RowOf(std::string_view provider) {
  for (const ProviderRow& row : kProviders) {
    if (row.provider == provider) return row;
  }
  return kProviders[std::size(kProviders) - 1];
}

std::string_view IpamOf(std::string_view cni) {
  if (cni == "AzureVNET" || cni == "AmazonVPC") return cni;
  return cni == "GKE" ? "HostLocal" : "Calico";
}

// Typha on a virtual node of AKS would never run: host networking is not to be had there.
json::object AksTyphaAffinity() {
  json::array expressions = {
      json::object{{"key", "type"}, {"operator", "NotIn"}, {"values", json::array{"virtual-node"}}},
      json::object{{"key", "kubernetes.azure.com/cluster"}, {"operator", "Exists"}}};
  json::object term = {{"matchExpressions", std::move(expressions)}};
  json::object selector = {{"nodeSelectorTerms", json::array{std::move(term)}}};
  json::object node_affinity;
  node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = std::move(selector);
  return {{"nodeAffinity", std::move(node_affinity)}};
}

// What the rest depends on, read once it is filled.
struct Filled {
  std::string provider;
  std::string cni;
  std::string dataplane;
};

void FillCni(json::object& spec, const ClusterFacts& facts, const ReleaseTraits& release,
             const ProviderRow& provider) {
  json::object* const cni = FillObject(spec, "cni");
  if (cni == nullptr) return;
  FillText(*cni, "type",
           facts.has_aws_node_daemon_set ? std::string_view("AmazonVPC") : provider.cni);
  const std::string type(codec::TextAt(*cni, "type"));
  if (json::object* const ipam = FillObject(*cni, "ipam")) FillText(*ipam, "type", IpamOf(type));
  if (release.has_cni_folders) {
    FillText(*cni, "binDir", provider.cni_bin_dir);
    FillText(*cni, "confDir", provider.cni_conf_dir);
  }
  if (release.has_cni_install_mode) {
    Fill(*cni, "installMode", "All");
    if (type == "Calico") Fill(*cni, "specVersion", "Auto");
  }
}

void FillWindows(json::object& spec, const json::object& network, const ProviderRow& provider) {
  if (codec::TextAt(network, "windowsDataplane") == "Disabled") return;
  json::object* const windows = FillObject(spec, "windowsNodes");
  if (windows == nullptr) return;
  FillText(*windows, "cniBinDir", provider.windows_cni_bin_dir);
  FillText(*windows, "cniConfigDir", provider.windows_cni_conf_dir);
  Fill(*windows, "cniLogDir", "/var/log/calico/cni");
}

json::object DetectionOf(std::string_view provider) {
  // firstFound would take one of Docker's bridges.
  if (provider == "DockerEnterprise") return {{"skipInterface", "^br-.*"}};
  // Several interfaces share the load; the one with the default route is meant.
  if (provider == "EKS") return {{"canReach", "8.8.8.8"}};
  return {{"firstFound", true}};
}

void FillAutodetection(const json::object& spec, json::object& network, const Filled& filled,
                       PoolFamilies families) {
  // The eBPF data plane needs the node's address even when others do the IPAM.
  if (families.v4 || filled.dataplane == "BPF") {
    Fill(network, "nodeAddressAutodetectionV4",
         DetectionOf(codec::TextAt(spec, "kubernetesProvider")));
  }
  if (families.v6) Fill(network, "nodeAddressAutodetectionV6", json::object{{"firstFound", true}});
}

void FillNetwork(json::object& spec, const ClusterFacts& facts, const ReleaseTraits& release,
                 Filled& filled) {
  json::object* const network = FillObject(spec, "calicoNetwork");
  if (network == nullptr) return;
  const bool is_calico = filled.cni == "Calico";
  Fill(*network, "linuxDataplane", "Iptables");
  Fill(*network, "windowsDataplane", "Disabled");
  filled.dataplane = codec::TextAt(*network, "linuxDataplane");
  Fill(*network, "bgp", is_calico && filled.provider != "EKS" ? "Enabled" : "Disabled");
  if (is_calico) {
    Fill(*network, "hostPorts", "Enabled");
    Fill(*network, "multiInterfaceMode", "None");
  }
  if (is_calico && release.has_policy_setup_delay && filled.dataplane == "Iptables") {
    Fill(*network, "linuxPolicySetupTimeoutSeconds", 0);
  }
  FillPools(spec, facts, release);
  // Filling pools may have moved what `network` points to.
  json::object& again = spec.at("calicoNetwork").as_object();
  FillAutodetection(spec, again, filled, FamiliesInUse(spec, facts, release));
}

void FillLogging(json::object& spec) {
  json::object* const logging = FillObject(spec, "logging");
  json::object* const cni = logging == nullptr ? nullptr : FillObject(*logging, "cni");
  if (cni == nullptr) return;
  Fill(*cni, "logSeverity", "Info");
  Fill(*cni, "logFileMaxSize", "100Mi");
  Fill(*cni, "logFileMaxAgeDays", 30);
  Fill(*cni, "logFileMaxCount", 10);
}

// A number in quotes means the number; the API takes it for neither that nor a percentage.
void ReadNumber(json::object& object, std::string_view key) {
  json::value& value = object[key];
  const json::string* const text = value.if_string();
  int number = 0;
  if (text != nullptr && absl::SimpleAtoi(absl::string_view(text->data(), text->size()), &number)) {
    value = number;
  }
}

// The driver's folder is put after it.
void EndWithSlash(json::object& object, std::string_view key) {
  json::string* const text = object[key].if_string();
  if (text != nullptr && text->starts_with('/') && !text->ends_with('/')) text->push_back('/');
}

void FillNodes(json::object& spec, const ProviderRow& provider) {
  Fill(spec, "controlPlaneReplicas", 2);
  FillText(spec, "flexVolumePath", provider.flex_volume_path);
  EndWithSlash(spec, "flexVolumePath");
  Fill(spec, "kubeletVolumePluginPath", "/var/lib/kubelet");
  json::object* const strategy = FillObject(spec, "nodeUpdateStrategy");
  if (strategy == nullptr) return;
  Fill(*strategy, "type", "RollingUpdate");
  if (json::object* const rolling = FillObject(*strategy, "rollingUpdate")) {
    Fill(*rolling, "maxUnavailable", 1);
    ReadNumber(*rolling, "maxUnavailable");
  }
}

void FillByRelease(json::object& spec, const ReleaseTraits& release, const Filled& filled) {
  if (release.writes_non_privileged) Fill(spec, "nonPrivileged", "Disabled");
  if (release.has_host_paths) {
    Fill(spec, "calicoRunHostPath", "/var/run/calico");
    Fill(spec, "calicoLibHostPath", "/var/lib/calico");
  }
  if (release.has_azure) {
    json::object* const azure =
        filled.provider == "AKS" ? FillObject(spec, "azure") : ObjectAt(spec, "azure");
    if (azure != nullptr) Fill(*azure, "policyMode", "Default");
  }
  json::object* const policies = ObjectAt(spec, "networkPolicy");
  if (release.has_managed_policies && policies != nullptr) {
    Fill(*policies, "managePolicies", "Enabled");
  }
  const std::string_view registry = codec::TextAt(spec, "registry");
  if (release.ends_registry_with_slash && !registry.empty() && registry != "UseDefault" &&
      !registry.ends_with('/')) {
    spec["registry"] = std::string(registry) + "/";
  }
}

}  // namespace

json::object CompleteSpec(json::object spec, const ClusterFacts& facts) {
  const ReleaseTraits& release = TraitsOf(facts.release);
  DropNulls(spec);
  Fill(spec, "variant", "Calico");
  if (!facts.detected_provider.empty())
    FillText(spec, "kubernetesProvider", facts.detected_provider);
  Filled filled = {.provider = std::string(codec::TextAt(spec, "kubernetesProvider"))};
  const ProviderRow& provider = RowOf(filled.provider);
  if (filled.provider == "AKS") Fill(spec, "typhaAffinity", AksTyphaAffinity());
  FillCni(spec, facts, release, provider);
  if (const json::object* const cni = codec::FindObject(spec, "cni")) {
    filled.cni = codec::TextAt(*cni, "type");
  }
  FillNetwork(spec, facts, release, filled);
  if (const json::object* const network = codec::FindObject(spec, "calicoNetwork")) {
    FillWindows(spec, json::object(*network), provider);
  }
  if (filled.cni == "Calico") FillLogging(spec);
  FillNodes(spec, provider);
  FillByRelease(spec, release, filled);
  return spec;
}

}  // namespace calico::defaults
