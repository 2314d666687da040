#include "operator/render/facts.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/certificates/plan.h"
#include "operator/render/key_pairs.h"
#include "operator/render/pools.h"
#include "operator/render/spec_path.h"

namespace calico::render {
namespace {

const FactDefinition* FindDefinition(std::string_view name) {
  const std::span<const FactDefinition> all = FactDefinitions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const FactDefinition& definition) {
    return definition.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

// The definition's own text, which lives as long as the program.
std::optional<std::string_view> ValueOf(const FactDefinition& definition, std::string_view text) {
  const auto found = std::find(definition.values.begin(), definition.values.end(), text);
  if (found == definition.values.end()) return std::nullopt;
  return *found;
}

// Reads fields of a completed spec.
struct SpecReader {
  const json::object& spec;

  bool Has(std::string_view path) const { return FindInSpec(spec, path) != nullptr; }
  std::string_view Text(std::string_view path) const {
    const json::value* const value = FindInSpec(spec, path);
    return value != nullptr && value->is_string() ? codec::View(value->get_string())
                                                  : std::string_view();
  }
  // An object that asks for a method: `firstFound: false` alone asks for none.
  bool HasAutodetection(std::string_view path) const {
    const json::value* const value = FindInSpec(spec, path);
    if (value == nullptr || !value->is_object()) return false;
    const json::object& method = value->get_object();
    return std::any_of(method.begin(), method.end(), [](const auto& member) {
      const json::value& set = member.value();
      if (set.is_bool()) return set.get_bool();
      if (set.is_string()) return !set.get_string().empty();
      return set.is_array() && !set.get_array().empty();
    });
  }
  bool Is(std::string_view path, std::int64_t number) const {
    const json::value* const value = FindInSpec(spec, path);
    return value != nullptr && value->is_int64() && value->get_int64() == number;
  }
  // A number other than 0.
  bool IsNumber(std::string_view path) const {
    const json::value* const value = FindInSpec(spec, path);
    return value != nullptr && value->is_int64() && value->get_int64() != 0;
  }
};

std::string_view EnabledIf(bool condition) { return condition ? "Enabled" : "Disabled"; }
// Port 0 is any that is free, of which nobody can make a Service.
std::string_view TyphaMetricsOf(const SpecReader& spec) {
  if (!spec.Has("typhaMetricsPort")) return "Disabled";
  return spec.IsNumber("typhaMetricsPort") ? "Enabled" : "AnyPort";
}
std::string_view PresentIf(bool condition) { return condition ? "Present" : "Absent"; }
std::string_view RequestIf(bool condition) { return condition ? "Request" : "Secret"; }

std::string_view NodeAppArmorProfile(const api::Installation& installation) {
  const auto found = installation.meta.annotations.find(api::kNodeAppArmorAnnotation);
  return found == installation.meta.annotations.end() ? std::string_view() : found->second;
}

// By what the other side knows who has the key pair. One name there always is.
std::string_view IdentityOf(const KeyPairUse& pair) {
  if (pair.uri_san.empty()) return "CommonName";
  return pair.common_name.empty() ? "UriSan" : "Both";
}

bool HasSystemRoots(const Inputs& inputs) {
  return inputs.certificates != nullptr && inputs.certificates->bundle.HasSystemRoots();
}

// The proxy on each host of Docker Enterprise answers in the host's network only.
bool IsOfHostOnly(const Inputs& inputs, std::string_view provider) {
  return provider == "DockerEnterprise" && inputs.api_endpoint.has_value() &&
         inputs.api_endpoint->host == "proxy.local";
}

std::string_view OfPool(const json::object* pool, std::string_view key) {
  return pool == nullptr ? std::string_view() : codec::TextAt(*pool, key);
}

}  // namespace

std::span<const FactDefinition> FactDefinitions() {
  static const auto& definitions = *new std::vector<FactDefinition>{
      {"admissionPolicies", {"NotServed", "Served"}},
      {"apiEndpoint", {"Unknown", "Known"}},
      {"apiEndpointReach", {"Everywhere", "Host"}},
      {"apiServer", {"Absent", "Present"}},
      {"apiServerCertificate", {"Secret", "Request"}},
      {"azurePolicyMode", {"Default", "Manual"}},
      {"bgp", {"Enabled", "Disabled"}},
      {"bgpBindMode", {"Default", "Given"}},
      {"bgpLayout", {"Absent", "Given"}},
      {"birdTemplates", {"Absent", "Given"}},
      {"bpfNetworkBootstrap", {"Disabled", "Enabled"}},
      {"certificates", {"Operator", "CertificateManagement"}},
      {"cgroupPath", {"Default", "Given"}},
      {"cni", {"Calico", "AmazonVPC", "AzureVNET", "GKE"}},
      {"cniInstallMode", {"All", "CalicoOnly"}},
      {"controlPlaneReplicas", {"Several", "One"}},
      {"dataplane", {"Iptables", "BPF", "Nftables", "VPP"}},
      {"fipsMode", {"Disabled", "Enabled"}},
      {"flexVolume", {"Path", "None"}},
      {"ipam", {"Calico", "AmazonVPC", "AzureVNET", "HostLocal"}},
      {"ipv4Autodetection", {"Disabled", "Enabled"}},
      {"ipv4Encapsulation", {"None", "IPIP", "IPIPCrossSubnet", "VXLAN", "VXLANCrossSubnet"}},
      {"ipv4NatOutgoing", {"Enabled", "Disabled"}},
      {"ipv4Pool", {"Absent", "Present"}},
      {"ipv6Autodetection", {"Disabled", "Enabled"}},
      {"ipv6Encapsulation", {"None", "VXLAN", "VXLANCrossSubnet"}},
      {"ipv6NatOutgoing", {"Disabled", "Enabled"}},
      {"ipv6Pool", {"Absent", "Present"}},
      {"kubeControllersMetrics", {"Disabled", "Enabled"}},
      {"kubeletVolumePlugin", {"Given", "None"}},
      {"mtu", {"Detected", "Given"}},
      {"nodeAppArmor", {"Default", "Given"}},
      {"nodeCertificate", {"Secret", "Request"}},
      {"nodeDnsConfig", {"Absent", "Given"}},
      {"nodeIdentity", {"CommonName", "UriSan", "Both"}},
      {"nodeMetrics", {"Disabled", "Enabled"}},
      {"nonPrivileged", {"Disabled", "Enabled"}},
      {"podApiEndpoint", {"Unknown", "Known"}},
      {"policySetupTimeout", {"None", "Given"}},
      {"provider",
       {"None", "AKS", "DockerEnterprise", "EKS", "GKE", "Kind", "OpenShift", "RKE2", "TKG"}},
      {"systemRoots", {"Absent", "Present"}},
      {"typhaCertificate", {"Secret", "Request"}},
      {"typhaIdentity", {"CommonName", "UriSan", "Both"}},
      {"typhaMetrics", {"Disabled", "Enabled", "AnyPort"}},
  };
  return definitions;
}

Facts FactsOf(const api::Installation& installation, const Inputs& inputs) {
  const SpecReader spec{installation.spec};
  const KeyPairUse node = NodeKeyPairUse(installation.spec, inputs);
  const KeyPairUse api_server = ApiServerKeyPairUse(installation.spec, inputs);
  const KeyPairUse typha = TyphaKeyPairUse(installation.spec, inputs);
  const json::object* const ipv4_pool = PoolOfFamily(installation.spec, false);
  const json::object* const ipv6_pool = PoolOfFamily(installation.spec, true);
  const std::pair<std::string_view, std::string_view> known[] = {
      {"admissionPolicies", inputs.has_admission_policies ? "Served" : "NotServed"},
      {"apiEndpoint", inputs.api_endpoint.has_value() ? "Known" : "Unknown"},
      {"apiEndpointReach",
       IsOfHostOnly(inputs, spec.Text("kubernetesProvider")) ? "Host" : "Everywhere"},
      {"apiServer", PresentIf(inputs.api_server.has_value())},
      {"apiServerCertificate", RequestIf(api_server.is_requested)},
      {"azurePolicyMode", spec.Text("azure.policyMode")},
      {"bgp", spec.Text("calicoNetwork.bgp")},
      {"bgpBindMode", inputs.settings.bgp_bind_mode.empty() ? "Default" : "Given"},
      {"bgpLayout", inputs.bgp_layout.has_value() ? "Given" : "Absent"},
      {"birdTemplates", inputs.bird_templates.empty() ? "Absent" : "Given"},
      {"bpfNetworkBootstrap", EnabledIf(!inputs.api_server_endpoints.empty())},
      {"certificates", spec.Has("certificateManagement") ? "CertificateManagement" : "Operator"},
      {"cgroupPath", inputs.settings.cgroup_path.empty() ? "Default" : "Given"},
      {"cni", spec.Text("cni.type")},
      {"cniInstallMode", spec.Text("cni.installMode")},
      {"controlPlaneReplicas", spec.Is("controlPlaneReplicas", 1) ? "One" : "Several"},
      {"dataplane", spec.Text("calicoNetwork.linuxDataplane")},
      {"fipsMode", spec.Text("fipsMode")},
      {"flexVolume", spec.Text("flexVolumePath") == "None" ? "None" : "Path"},
      {"ipam", spec.Text("cni.ipam.type")},
      {"ipv4Autodetection",
       EnabledIf(spec.HasAutodetection("calicoNetwork.nodeAddressAutodetectionV4"))},
      {"ipv4Encapsulation", OfPool(ipv4_pool, "encapsulation")},
      {"ipv4NatOutgoing", OfPool(ipv4_pool, "natOutgoing")},
      {"ipv4Pool", PresentIf(ipv4_pool != nullptr)},
      {"ipv6Autodetection",
       EnabledIf(spec.HasAutodetection("calicoNetwork.nodeAddressAutodetectionV6"))},
      {"ipv6Encapsulation", OfPool(ipv6_pool, "encapsulation")},
      {"ipv6NatOutgoing", OfPool(ipv6_pool, "natOutgoing")},
      {"ipv6Pool", PresentIf(ipv6_pool != nullptr)},
      {"kubeControllersMetrics", EnabledIf(inputs.kube_controllers_metrics_port.value_or(0) != 0)},
      {"kubeletVolumePlugin", spec.Text("kubeletVolumePluginPath") == "None" ? "None" : "Given"},
      {"mtu", spec.Has("calicoNetwork.mtu") ? "Given" : "Detected"},
      {"nodeAppArmor", NodeAppArmorProfile(installation).empty() ? "Default" : "Given"},
      {"nodeCertificate", RequestIf(node.is_requested)},
      {"nodeDnsConfig", inputs.node_dns.config.has_value() ? "Given" : "Absent"},
      {"nodeIdentity", IdentityOf(node)},
      {"nodeMetrics", EnabledIf(spec.Has("nodeMetricsPort"))},
      {"nonPrivileged", spec.Text("nonPrivileged")},
      {"podApiEndpoint", inputs.pod_api_endpoint.has_value() ? "Known" : "Unknown"},
      {"policySetupTimeout",
       spec.IsNumber("calicoNetwork.linuxPolicySetupTimeoutSeconds") ? "Given" : "None"},
      {"provider", spec.Text("kubernetesProvider")},
      {"systemRoots", HasSystemRoots(inputs) ? "Present" : "Absent"},
      {"typhaCertificate", RequestIf(typha.is_requested)},
      {"typhaIdentity", IdentityOf(typha)},
      {"typhaMetrics", TyphaMetricsOf(spec)},
  };
  Facts facts;
  for (const FactDefinition& definition : FactDefinitions()) {
    facts[definition.name] = definition.values.front();
  }
  for (const auto& [name, text] : known) {
    if (const auto value = ValueOf(*FindDefinition(name), text)) facts[name] = *value;
  }
  return facts;
}

absl::StatusOr<When> When::Parse(const json::object& object) {
  When when;
  for (const auto& member : object) {
    const std::string_view name = codec::KeyOf(member);
    const FactDefinition* const definition = FindDefinition(name);
    if (definition == nullptr) {
      return absl::InvalidArgumentError(fmt::format("when: there is no fact {}", name));
    }
    const json::array values =
        member.value().is_array() ? member.value().get_array() : json::array{member.value()};
    if (values.empty()) {
      return absl::InvalidArgumentError(fmt::format("when: {} names no value", name));
    }
    for (const json::value& value : values) {
      const std::string_view text =
          value.is_string() ? codec::View(value.get_string()) : std::string_view();
      const std::optional<std::string_view> known = ValueOf(*definition, text);
      if (!known.has_value()) {
        return absl::InvalidArgumentError(fmt::format("when: {} is one of {}, not {}", name,
                                                      fmt::join(definition->values, ", "),
                                                      codec::Serialize(value)));
      }
      when.values_[definition->name].push_back(*known);
    }
  }
  if (when.values_.empty()) return absl::InvalidArgumentError("when: names no fact");
  return when;
}

bool When::Holds(const Facts& facts) const {
  return std::all_of(values_.begin(), values_.end(), [&](const auto& entry) {
    const auto fact = facts.find(entry.first);
    return fact != facts.end() &&
           std::find(entry.second.begin(), entry.second.end(), fact->second) != entry.second.end();
  });
}

}  // namespace calico::render
