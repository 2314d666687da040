#include "operator/validation/spec_rules.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "operator/validation/container_rules.h"
#include "operator/validation/names.h"
#include "operator/validation/network_rules.h"
#include "operator/validation/pool_rules.h"
#include "operator/validation/quantity.h"
#include "operator/validation/release_rules.h"
#include "operator/validation/rollout_rules.h"
#include "operator/validation/scheduling_rules.h"
#include "operator/validation/spec_field.h"
#include "operator/validation/workload_overrides.h"
#include "pkg/api/meta/names.h"
#include "pkg/api/operator/installation_values.h"
#include "pkg/base/ip_prefix.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();
// The kernel chooses.
constexpr std::int64_t kAnyPort = 0;
constexpr std::string_view kMetricsPorts[] = {"nodeMetricsPort", "typhaMetricsPort"};
constexpr std::string_view kEnabledOrNot[] = {"Enabled", "Disabled"};

// Ports of calico-node and calico-typha on the host network.
struct UsedPort {
  int port;
  const char* use;
};
constexpr UsedPort kUsedPorts[] = {{179, "BGP"},
                                   {5473, "calico-typha"},
                                   {9098, "the health of calico-typha"},
                                   {9099, "the health of calico-node"}};

void CheckPort(const SpecField& field, Findings findings) {
  if (!field.set()) return;
  const std::optional<std::int64_t> port = field.number();
  if (!port.has_value() || *port < kAnyPort || *port > 65535) {
    findings.Add(field.path(),
                 fmt::format("{} is no port: choose one between 1 and 65535", field.shown()));
    return;
  }
  for (const UsedPort& used : kUsedPorts) {
    if (*port != used.port) continue;
    findings.Add(field.path(), fmt::format("{} is taken on every host by {}: choose another port",
                                           *port, used.use));
  }
}

void CheckPorts(const SpecField& spec, Findings findings) {
  const SpecField node = spec["nodeMetricsPort"];
  const SpecField typha = spec["typhaMetricsPort"];
  CheckPort(node, findings);
  CheckPort(typha, findings);
  if (!node.number().has_value() || node.number() != typha.number() || node.number() == kAnyPort) {
    return;
  }
  findings.Add(typha.path(), fmt::format("{} is the port of spec.nodeMetricsPort too, and both are "
                                         "ports of the host: choose another one",
                                         *typha.number()));
}

void CheckPullSecrets(const SpecField& secrets, Findings findings) {
  std::set<std::string_view> seen;
  for (const SpecField& secret : secrets.items()) {
    const SpecField name = secret["name"];
    if (!api::IsDnsSubdomain(name.text())) {
      findings.Add(name.path(), fmt::format("{} cannot be the name of a Secret: write the name of "
                                            "one in the operator's namespace",
                                            name.set() ? name.shown() : "nothing"));
    } else if (!seen.insert(name.text()).second) {
      findings.Add(name.path(), fmt::format("{} is listed twice: remove one", name.text()));
    }
  }
}

// Kubelets take no name of an image that is longer.
void CheckNameLength(const SpecField& spec, Findings findings) {
  constexpr size_t kMostBytes = 255;
  constexpr size_t kOurNames = 64;  // path and name where nothing else is asked for
  const SpecField* longest = nullptr;
  const SpecField fields[] = {spec["registry"], spec["imagePath"], spec["imagePrefix"]};
  size_t bytes = kOurNames;
  for (const SpecField& field : fields) {
    bytes += field.text().size();
    if (longest == nullptr || field.text().size() > longest->text().size()) longest = &field;
  }
  const bool is_told = !IsRegistry(fields[0].text()) || !IsImagePath(fields[1].text()) ||
                       !IsImagePrefix(fields[2].text());
  if (bytes <= kMostBytes || is_told) return;
  findings.Add(longest->path(),
               fmt::format("{} makes names of images too long: at most {} characters may stand "
                           "before them, and registry, imagePath and imagePrefix have {}",
                           longest->shown(), kMostBytes - kOurNames, bytes - kOurNames));
}

void CheckImages(const SpecField& spec, Findings findings) {
  static constexpr std::string_view kPolicies[] = {"Always", "IfNotPresent", "Never"};
  if (!IsRegistry(spec["registry"].text())) {
    findings.Add(spec["registry"].path(),
                 fmt::format("{} is no registry: write host, optional port and path, such as "
                             "registry.example.com:5000/, without a scheme",
                             spec["registry"].shown()));
  }
  if (!IsImagePath(spec["imagePath"].text())) {
    findings.Add(spec["imagePath"].path(),
                 fmt::format("{} is no image path: write lower-case names between slashes, such as "
                             "mirror/calico",
                             spec["imagePath"].shown()));
  }
  if (!IsImagePrefix(spec["imagePrefix"].text())) {
    findings.Add(spec["imagePrefix"].path(),
                 fmt::format("{} cannot begin an image's name: write lower-case letters, digits, "
                             "'.', '_' and '-'",
                             spec["imagePrefix"].shown()));
  }
  CheckNameLength(spec, findings);
  CheckOneOf(spec["imagePullPolicy"], kPolicies, findings);
  CheckPullSecrets(spec["imagePullSecrets"], findings);
}

void CheckPath(const SpecField& path, bool can_be_none, Findings findings) {
  constexpr size_t kMostBytes = 1024;
  if (!path.set() || (can_be_none && path.text() == "None")) return;
  if (!IsHostPath(path.text())) {
    findings.Add(path.path(), fmt::format("{} is not an absolute path: begin it with a slash, "
                                          "without \"..\"{}",
                                          path.shown(), can_be_none ? ", or write None" : ""));
  } else if (path.text().size() > kMostBytes) {
    findings.Add(path.path(), fmt::format("{} characters are too many: write at most {}",
                                          path.text().size(), kMostBytes));
  }
}

// The CSI driver mounts the folder at its own path, beside these.
void CheckMount(const SpecField& path, Findings findings) {
  static constexpr std::string_view kTaken[] = {"", "/csi", "/var/run", "/etc/calico"};
  std::string_view text = path.text();
  if (!text.starts_with('/')) return;
  while (text.ends_with('/')) text.remove_suffix(1);
  if (std::find(std::begin(kTaken), std::end(kTaken), text) == std::end(kTaken)) return;
  findings.Add(path.path(), fmt::format("{} is another folder in the CSI driver's container: write "
                                        "kubelet's own, such as /var/lib/kubelet, or None",
                                        path.shown()));
}

void CheckPaths(const SpecField& spec, Findings findings) {
  CheckMount(spec["kubeletVolumePluginPath"], findings);
  CheckPath(spec["flexVolumePath"], true, findings);
  CheckPath(spec["kubeletVolumePluginPath"], true, findings);
  CheckPath(spec["calicoRunHostPath"], false, findings);
  CheckPath(spec["calicoLibHostPath"], false, findings);
}

void CheckVariantAndProvider(const SpecField& spec, Findings findings) {
  static constexpr std::string_view kVariants[] = {"Calico"};
  static constexpr std::string_view kProviders[] = {
      "EKS", "GKE", "AKS", "OpenShift", "DockerEnterprise", "RKE2", "TKG", "Kind"};
  static constexpr std::string_view kPolicyModes[] = {"Default", "Manual"};
  CheckOneOf(spec["variant"], kVariants, findings);
  CheckOneOf(spec["kubernetesProvider"], kProviders, findings);
  const SpecField azure = spec["azure"];
  CheckOneOf(azure["policyMode"], kPolicyModes, findings);
  if (azure.set() && spec["kubernetesProvider"].text() != "AKS") {
    findings.Add(azure.path(),
                 "is for clusters of Azure: write kubernetesProvider: AKS, or "
                 "remove it");
  }
}

// Modes that some releases have and others have not.
void CheckModes(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  const SpecField fips = spec["fipsMode"];
  const SpecField non_privileged = spec["nonPrivileged"];
  CheckOneOf(fips, kEnabledOrNot, findings);
  if (fips.text() == "Enabled" && !release.takes_fips) {
    findings.Add(fips.path(), fmt::format("Enabled is not possible: Calico {} has no images for it "
                                          "any more; remove the field",
                                          release.release));
  }
  CheckOneOf(non_privileged, kEnabledOrNot, findings);
  if (non_privileged.text() != "Enabled") return;
  if (!release.takes_non_privileged) {
    findings.Add(non_privileged.path(),
                 fmt::format("Enabled is not possible: Calico {} runs calico-node privileged; "
                             "remove the field",
                             release.release));
  } else if (spec["calicoNetwork"]["linuxDataplane"].text() == "BPF") {
    findings.Add(non_privileged.path(),
                 "Enabled is not possible with the BPF data plane, which loads programs into the "
                 "kernel: write Disabled, or another linuxDataplane");
  }
}

void CheckLogFile(const SpecField& logging, Findings findings) {
  const SpecField size = logging["logFileMaxSize"];
  if (!size.set()) return;
  const std::optional<Quantity> quantity = ParseQuantity(size);
  if (quantity.has_value() && quantity->value > 0 && quantity->has_binary_suffix) return;
  findings.Add(size.path(), fmt::format("{} is no size of a file: write a number above 0 with Ki, "
                                        "Mi, Gi, Ti, Pi or Ei, such as 100Mi",
                                        size.shown()));
}

void CheckLogging(const SpecField& spec, Findings findings) {
  static constexpr std::string_view kSeverities[] = {"Error", "Warning", "Info", "Debug"};
  const SpecField logging = spec["logging"]["cni"];
  if (!logging.set()) return;
  if (IsForeignCni(spec["cni"]["type"])) {
    findings.Add(logging.path(), fmt::format("is for the CNI plug-in Calico, and spec.cni.type is "
                                             "{}: remove it",
                                             spec["cni"]["type"].text()));
    return;
  }
  CheckOneOf(logging["logSeverity"], kSeverities, findings);
  CheckLogFile(logging, findings);
  CheckNumber(logging["logFileMaxAgeDays"], 1, kMostInt32, findings);
  CheckNumber(logging["logFileMaxCount"], 1, kMostInt32, findings);
}

void CheckControlPlane(const SpecField& spec, Findings findings) {
  CheckNumber(spec["controlPlaneReplicas"], 1, kMostInt32, findings);
  CheckTolerations(spec["controlPlaneTolerations"], findings);
  const SpecField selector = spec["controlPlaneNodeSelector"];
  CheckLabels(selector, findings);
  for (const SpecField& label : selector.members()) {
    const bool is_system =
        label.key() == "kubernetes.io/os" || label.key() == "beta.kubernetes.io/os";
    if (!is_system || label.text() == "linux") continue;
    findings.Add(label.path(), fmt::format("{} is not possible: the components run on linux only",
                                           label.shown()));
  }
}

void CheckComponentResources(const SpecField& components, Findings findings) {
  static constexpr std::string_view kNames[] = {"Node",        "Typha",        "KubeControllers",
                                                "NodeWindows", "FelixWindows", "ConfdWindows"};
  std::set<std::string_view> seen;
  for (const SpecField& component : components.items()) {
    const SpecField name = component["componentName"];
    if (!name.set()) findings.Add(name.path(), "is required: Node, Typha or KubeControllers");
    CheckOneOf(name, kNames, findings);
    if (name.set() && !seen.insert(name.text()).second) {
      findings.Add(name.path(), fmt::format("{} is there twice: put both into one", name.shown()));
    }
    CheckResources(component["resourceRequirements"], findings);
  }
}

void CheckCiphers(const SpecField& suites, Findings findings) {
  for (const SpecField& suite : suites.items()) {
    if (!suite["name"].set()) findings.Add(suite["name"].path(), "is required");
    CheckOneOf(suite["name"], api::kCipherSuites, findings);
  }
}

void CheckServiceNetworks(const SpecField& cidrs, Findings findings) {
  for (const SpecField& cidr : cidrs.items()) {
    if (base::IpPrefix::Parse(cidr.text()).ok()) continue;
    findings.Add(cidr.path(),
                 fmt::format("{} is no network: write address, slash and length", cidr.shown()));
  }
}

void CheckBootstrap(const SpecField& spec, const SpecContext& context, Findings findings) {
  const SpecField bootstrap = spec["calicoNetwork"]["bpfNetworkBootstrap"];
  if (bootstrap.text() != "Enabled" || !context.has_api_endpoint) return;
  findings.Add(bootstrap.path(),
               "Enabled has no use beside the ConfigMap kubernetes-services-endpoint, which says "
               "already where the API server is: delete the ConfigMap, or write Disabled");
}

}  // namespace

std::vector<Problem> CheckSpec(const json::object& spec, const SpecContext& context) {
  std::vector<Problem> problems;
  const Findings findings(problems);
  const ReleaseRules& release = RulesOf(context.release);
  const SpecField root = SpecField::Root(spec);
  CheckVariantAndProvider(root, findings);
  CheckImages(root, findings);
  CheckCni(root, release, findings);
  CheckNetwork(root, release, findings);
  CheckPools(root, release, findings);
  CheckBootstrap(root, context, findings);
  CheckModes(root, release, findings);
  CheckPorts(root, findings);
  CheckPaths(root, findings);
  CheckLogging(root, findings);
  CheckNodeUpdateStrategy(root["nodeUpdateStrategy"], findings);
  CheckControlPlane(root, findings);
  CheckComponentResources(root["componentResources"], findings);
  CheckNodeAffinity(root["typhaAffinity"]["nodeAffinity"], findings);
  CheckDisruptionBudget(root["typhaPodDisruptionBudget"], findings);
  CheckOneOf(root["networkPolicy"]["managePolicies"], kEnabledOrNot, findings);
  CheckCiphers(root["tlsCipherSuites"], findings);
  CheckServiceNetworks(root["serviceCIDRs"], findings);
  CheckInstallationOverrides(root, release, findings);
  return problems;
}

std::vector<std::string> WarningsOf(const json::object& spec) {
  std::vector<std::string> warnings;
  const SpecField root = SpecField::Root(spec);
  for (const std::string_view name : kMetricsPorts) {
    const SpecField port = root[name];
    if (port.number() != kAnyPort) continue;
    warnings.push_back(
        fmt::format("{}: 0 is any port that is free, so that nobody knows where the metrics are: "
                    "choose one between 1 and 65535, or remove the field to have no metrics",
                    port.path()));
  }
  return warnings;
}

}  // namespace calico::validation
