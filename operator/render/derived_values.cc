#include "operator/render/derived_values.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/plan.h"
#include "operator/render/cni_config.h"
#include "operator/render/control_plane_values.h"
#include "operator/render/key_pairs.h"
#include "operator/render/node_values.h"
#include "operator/render/release.h"
#include "operator/render/spec_path.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate.h"

namespace calico::render {
namespace {

using Result = absl::StatusOr<std::optional<json::value>>;

constexpr std::string_view kSpec = "spec.";
constexpr std::string_view kInputs = "inputs.";

Result Text(std::string_view text) { return json::value(text); }
Result None() { return std::nullopt; }

std::string CaPem(const RenderValues& values) {
  return pki::ToPemBundle(values.inputs().ca_certificates);
}

Result ApiServerHost(RenderValues& values) {
  const auto& endpoint = values.inputs().api_endpoint;
  return endpoint.has_value() ? Text(endpoint->host) : None();
}

Result ApiServerPort(RenderValues& values) {
  const auto& endpoint = values.inputs().api_endpoint;
  return endpoint.has_value() ? Text(endpoint->port) : None();
}

Result ApiServerUrl(RenderValues& values) {
  const auto& endpoint = values.inputs().api_endpoint;
  return endpoint.has_value() ? Text(endpoint->Url()) : None();
}

// The comment tells apart what came from where, as in the bundles of Calico's own operator.
Result CaBundle(RenderValues& values) {
  if (const auto& plan = values.inputs().certificates) return Text(plan->bundle.text);
  return Text(fmt::format("# certificate name: {}/tigera-ca-private\n{}",
                          values.inputs().operator_namespace, CaPem(values)));
}

Result CaCertificatesBase64Url(RenderValues& values) {
  return Text(base::Base64Encode(CaPem(values), base::Base64::kUrl));
}

// What calico-node's environment IP_AUTODETECTION_METHOD says for one family.
Result AutodetectionMethod(RenderValues& values, std::string_view family) {
  const json::value* const found =
      values.FindInSpec(fmt::format("calicoNetwork.nodeAddressAutodetection{}", family));
  if (found == nullptr || !found->is_object()) return None();
  const json::object& method = found->get_object();
  const json::value* const first = method.if_contains("firstFound");
  if (first != nullptr && *first == true) return Text("first-found");
  constexpr std::pair<std::string_view, std::string_view> kMethods[] = {
      {"interface", "interface"}, {"skipInterface", "skip-interface"}, {"canReach", "can-reach"}};
  for (const auto& [field, name] : kMethods) {
    const std::string_view text = codec::TextAt(method, field);
    if (!text.empty()) return Text(fmt::format("{}={}", name, text));
  }
  if (codec::TextAt(method, "kubernetes") == "NodeInternalIP") {
    return Text("kubernetes-internal-ip");
  }
  const json::array* const cidrs = codec::FindArray(method, "cidrs");
  if (cidrs == nullptr || cidrs->empty()) return None();
  std::vector<std::string_view> texts;
  for (const json::value& cidr : *cidrs) {
    if (cidr.is_string()) texts.push_back(codec::View(cidr.get_string()));
  }
  return Text(fmt::format("cidr={}", absl::StrJoin(texts, ",", [](std::string* out, auto text) {
                            out->append(text);
                          })));
}

Result Ipv4AutodetectionMethod(RenderValues& values) { return AutodetectionMethod(values, "V4"); }
Result Ipv6AutodetectionMethod(RenderValues& values) { return AutodetectionMethod(values, "V6"); }

Result NodeDnsConfig(RenderValues& values) {
  const auto& config = values.inputs().node_dns.config;
  if (!config.has_value()) return None();
  return json::value(*config);
}

Result NodeDnsPolicy(RenderValues& values) { return Text(values.inputs().node_dns.policy); }

Result OperatorNamespace(RenderValues& values) { return Text(values.inputs().operator_namespace); }

// A valid signer name has no character that needs an escape in a CEL string.
Result SignerNameInCel(RenderValues& values) {
  const std::string_view signer = values.SpecText("certificateManagement.signerName");
  if (signer.empty()) return None();
  if (signer.find_first_of("'\\\n") != std::string_view::npos) {
    return absl::InvalidArgumentError("spec.certificateManagement.signerName: bad signer name");
  }
  return Text(fmt::format("'{}'", signer));
}

// Annotations that make pods follow a change of what they trust.
json::object TrustHashes(const RenderValues& values) {
  json::object annotations;
  if (const auto& plan = values.inputs().certificates) {
    for (const auto& [key, hash] : plan->bundle.annotations) annotations[key] = hash;
    return annotations;
  }
  annotations[certificates::HashAnnotation(values.inputs().operator_namespace,
                                           certificates::kCaSecret)] =
      certificates::AnnotationHash(CaPem(values));
  return annotations;
}

Result TrustAnnotations(RenderValues& values) { return json::value(TrustHashes(values)); }

Result TyphaAnnotations(RenderValues& values) {
  json::object annotations = TrustHashes(values);
  const KeyPairUse pair = TyphaKeyPairUse(values.installation().spec, values.inputs());
  annotations[pair.hash_annotation] = pair.hash;
  return json::value(std::move(annotations));
}

Result SystemRoots(RenderValues& values) {
  const auto& plan = values.inputs().certificates;
  if (plan == nullptr || !plan->bundle.HasSystemRoots()) return None();
  return Text(*plan->bundle.system_roots);
}

Result TyphaReplicas(RenderValues& values) { return json::value(values.inputs().typha_replicas); }

// Sorted by name.
constexpr DerivedValue kDerivedValues[] = {
    // Addresses with ports, in order, behind commas; condition `bpfNetworkBootstrap`.
    {"apiServerEndpoints", R"("192.0.2.1:6443")", &ApiServerEndpoints},
    // Where pods reach the API server before the service network works; condition `apiEndpoint`.
    {"apiServerHost", R"("192.0.2.1")", &ApiServerHost},
    {"apiServerPort", R"("6443")", &ApiServerPort},
    {"apiServerUrl", R"("https://192.0.2.1:6443")", &ApiServerUrl},
    // Makes BIRD start anew with another bind mode; condition `bgpBindMode`.
    {"bgpBindModeHash", R"("00ff")", &BgpBindModeHash},
    // Of the user's ConfigMap and of its copy; condition `bgpLayout`.
    {"bgpLayout", R"({"earlyNetworkConfiguration": "text"})", &BgpLayout},
    {"bgpLayoutHash", R"("00ff")", &BgpLayoutHash},
    // By the name of the file; condition `birdTemplates`.
    {"birdTemplates", R"({"bird.cfg.template": "text"})", &BirdTemplates},
    // Makes calico-node start anew with other templates; condition `birdTemplates`.
    {"birdTemplatesHash", R"("00ff")", &BirdTemplatesHash},
    // What pods trust, as PEM.
    {"caBundle", R"("pem")", &CaBundle},
    // What the init container trusts: PEM in base64.
    {"caCertificatesBase64Url", R"("cGVt")", &CaCertificatesBase64Url},
    // Calico's API server (control_plane_values.h).
    {"calicoApiAnnotations", R"({"example.com/hash": "00ff"})", &CalicoApiAnnotations},
    {"calicoApiCaBundle", R"("cGVt")", &CalicoApiCaBundle},
    {"calicoApiLogLevel", R"("info")", &CalicoApiLogLevel},
    {"calicoApiPort", "5443", &CalicoApiPort},
    {"calicoLibHostPath", R"("/var/lib/calico")", &CalicoLibHostPath},
    {"calicoRunHostPath", R"("/var/run/calico")", &CalicoRunHostPath},
    // Condition `cgroupPath`.
    {"cgroupPath", R"("/run/calico/cgroup")", &CgroupPath},
    {"clusterDomain", R"("cluster.local")", &ClusterDomain},
    // What kind of cluster it is: "k8s,operator,ecs,bgp".
    {"clusterType", R"("k8s,operator")", &ClusterType},
    // The text that install-cni writes (cni_config.h); and the hash that pods carry.
    {"cniConfig", R"("{}")", &CniConfigText},
    {"cniConfigHash", R"("00ff")", &CniConfigHash},
    {"controlPlaneReplicas", "2", &ControlPlaneReplicas},
    // Ports of health checks.
    {"felixHealthPort", "9099", &FelixHealthPort},
    // "first-found", "can-reach=8.8.8.8", "interface=eth.*", "skip-interface=..", "cidr=a,b",
    // "kubernetes-internal-ip".
    {"ipv4AutodetectionMethod", R"("first-found")", &Ipv4AutodetectionMethod},
    {"ipv4PoolBlockSize", "26", &Ipv4PoolBlockSize},
    // The first pool of the family, as calico-node of Calico 3.27 makes it.
    {"ipv4PoolCidr", R"("192.0.2.0/24")", &Ipv4PoolCidr},
    {"ipv4PoolDisableBgpExport", R"("false")", &Ipv4PoolDisableBgpExport},
    {"ipv4PoolNodeSelector", R"("all")", &Ipv4PoolNodeSelector},
    {"ipv6AutodetectionMethod", R"("first-found")", &Ipv6AutodetectionMethod},
    {"ipv6PoolBlockSize", "26", &Ipv6PoolBlockSize},
    // The first pool of the family, as calico-node of Calico 3.27 makes it.
    {"ipv6PoolCidr", R"("192.0.2.0/24")", &Ipv6PoolCidr},
    {"ipv6PoolDisableBgpExport", R"("false")", &Ipv6PoolDisableBgpExport},
    {"ipv6PoolNodeSelector", R"("all")", &Ipv6PoolNodeSelector},
    // Condition `kubeControllersMetrics`.
    {"kubeControllersMetricsPort", "9094", &KubeControllersMetricsPort},
    // Condition `kubeletVolumePlugin`.
    {"kubeletFolder", R"("/var/lib/kubelet")", &KubeletFolder},
    {"kubernetesServiceAddresses", R"("10.96.0.1:443")", &KubernetesServiceAddresses},
    {"multiInterfaceMode", R"("none")", &MultiInterfaceMode},
    // Condition `nodeAppArmor`.
    {"nodeAppArmorProfile", R"("localhost/calico")", &NodeAppArmorProfile},
    // Names in certificates by which the other side is known; conditions `nodeIdentity` and
    // `typhaIdentity`.
    {"nodeCommonName", R"("typha-client")", &NodeCommonName},
    // PodSpec.dnsConfig and dnsPolicy of calico-node; condition `nodeDnsConfig`.
    {"nodeDnsConfig", R"({"nameservers": ["192.0.2.53"]})", &NodeDnsConfig},
    {"nodeDnsPolicy", R"("ClusterFirstWithHostNet")", &NodeDnsPolicy},
    {"nodeMaxSurge", "0", &NodeMaxSurge},
    {"nodeUriSan", R"("urn:node")", &NodeUriSan},
    {"operatorNamespace", R"("tigera-operator")", &OperatorNamespace},
    // Where pods of the pods' network reach the API server; condition `podApiEndpoint`.
    {"podApiServerHost", R"("192.0.2.1")", &PodApiServerHost},
    {"podApiServerPort", R"("6443")", &PodApiServerPort},
    // certificateManagement.signerName as a CEL string, quotes included.
    {"signerNameInCel", R"("'example.com/signer'")", &SignerNameInCel},
    // The public roots of the system, as PEM; condition `systemRoots`.
    {"systemRoots", R"("pem")", &SystemRoots},
    // Annotations for pod templates: hashes of what the bundle holds.
    {"trustAnnotations", R"({"example.com/hash": "00ff"})", &TrustAnnotations},
    // The same, and the hash of typha's certificate.
    {"typhaAnnotations", R"({"example.com/hash": "00ff"})", &TyphaAnnotations},
    {"typhaCommonName", R"("typha-server")", &TyphaCommonName},
    {"typhaHealthPort", "9098", &TyphaHealthPort},
    {"typhaProgressDeadlineSeconds", "600", &TyphaProgressDeadlineSeconds},
    {"typhaReplicas", "3", &TyphaReplicas},
    // typha's grace period, which it shares out among its clients.
    {"typhaShutdownSeconds", "300", &TyphaShutdownSeconds},
    {"typhaUriSan", R"("urn:typha")", &TyphaUriSan},
};

const DerivedValue* FindDerived(std::string_view name) {
  const auto* const found = std::lower_bound(
      std::begin(kDerivedValues), std::end(kDerivedValues), name,
      [](const DerivedValue& value, std::string_view text) { return value.name < text; });
  return found != std::end(kDerivedValues) && found->name == name ? found : nullptr;
}

absl::Status NoSuchPath(std::string_view path) {
  if (path.starts_with(kSpec)) {
    return absl::InvalidArgumentError(fmt::format("an Installation has no field {}", path));
  }
  return absl::InvalidArgumentError(
      fmt::format("there is no {}: a path begins with spec. or inputs.", path));
}

// Of a field's type in InstallationFields.
json::value SampleOf(std::string_view type) {
  if (type == "integer") return 7;
  if (type == "boolean") return true;
  if (type == "array") return json::array();
  if (type == "object") return json::object();
  if (type == "bytes") return "c2FtcGxl";
  return "7";
}

using Samples = std::map<std::string, json::value, std::less<>>;

Samples MakeSamples() {
  Samples samples;
  for (const api::InstallationField& field : api::InstallationFields()) {
    samples.emplace(field.path, SampleOf(field.type));
  }
  for (const DerivedValue& value : kDerivedValues) {
    absl::StatusOr<json::value> sample = codec::ParseJson(value.sample);
    samples.emplace(fmt::format("{}{}", kInputs, value.name), sample.value_or(json::value()));
  }
  return samples;
}

}  // namespace

std::span<const DerivedValue> DerivedValues() { return kDerivedValues; }

RenderValues::RenderValues(const Release& release, const api::Installation& installation,
                           const Inputs& inputs, const Facts& facts)
    : release_(release),
      installation_(installation),
      inputs_(inputs),
      facts_(facts),
      computed_(std::size(kDerivedValues)) {}

absl::StatusOr<const json::value*> RenderValues::Find(std::string_view path) {
  if (path.starts_with(kSpec)) return FindInSpec(path.substr(kSpec.size()));
  const DerivedValue* const derived =
      path.starts_with(kInputs) ? FindDerived(path.substr(kInputs.size())) : nullptr;
  if (derived == nullptr) return NoSuchPath(path);
  Computed& computed = computed_[static_cast<size_t>(derived - kDerivedValues)];
  if (!computed.is_done) {
    CALICO_ASSIGN_OR_RETURN(computed.value, derived->compute(*this));
    computed.is_done = true;
  }
  return computed.value.has_value() ? &*computed.value : nullptr;
}

const json::value* RenderValues::FindInSpec(std::string_view path) const {
  return render::FindInSpec(installation_.spec, path);
}

std::string_view RenderValues::SpecText(std::string_view path) const {
  const json::value* const value = FindInSpec(path);
  return value != nullptr && value->is_string() ? codec::View(value->get_string())
                                                : std::string_view();
}

MarkerValues RenderValues::AsMarkerValues() {
  return [this](std::string_view path) { return Find(path); };
}

MarkerValues SampleValues() {
  static const Samples& samples = *new Samples(MakeSamples());
  return [](std::string_view path) -> absl::StatusOr<const json::value*> {
    const auto found = samples.find(path);
    if (found == samples.end()) return NoSuchPath(path);
    return &found->second;
  };
}

}  // namespace calico::render
