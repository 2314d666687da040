#include "operator/validation/installation.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "operator/validation/certificate_rules.h"
#include "operator/validation/names.h"
#include "pkg/api/meta/names.h"

namespace calico::validation {
namespace {

// Ports of calico-node and calico-typha on the host network.
struct UsedPort {
  int port;
  const char* use;
};
constexpr UsedPort kUsedPorts[] = {{179, "BGP"},
                                   {5473, "calico-typha"},
                                   {9098, "the health of calico-typha"},
                                   {9099, "the health of calico-node"}};

void CheckPort(std::string_view path, std::optional<std::int32_t> port, Findings findings) {
  if (!port.has_value()) return;
  if (*port < 1 || *port > 65535) {
    findings.Add(path, fmt::format("{} is no port: choose one between 1 and 65535", *port));
    return;
  }
  for (const UsedPort& used : kUsedPorts) {
    if (*port == used.port) {
      findings.Add(path, fmt::format("{} is taken on every host by {}: choose another port", *port,
                                     used.use));
    }
  }
}

void CheckPorts(const api::Installation& installation, Findings findings) {
  CheckPort("spec.nodeMetricsPort", installation.node_metrics_port, findings);
  CheckPort("spec.typhaMetricsPort", installation.typha_metrics_port, findings);
  if (installation.node_metrics_port.has_value() &&
      installation.node_metrics_port == installation.typha_metrics_port) {
    findings.Add("spec.typhaMetricsPort",
                 fmt::format("{} is the port of spec.nodeMetricsPort too, and both are ports of "
                             "the host: choose another one",
                             *installation.typha_metrics_port));
  }
}

void CheckPullSecrets(const std::vector<std::string>& names, Findings findings) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string path = fmt::format("spec.imagePullSecrets[{}].name", i);
    if (!api::IsDnsSubdomain(names[i])) {
      findings.Add(path, fmt::format("\"{}\" cannot be the name of a Secret: write the name of one "
                                     "in the operator's namespace",
                                     names[i]));
    } else if (!seen.insert(names[i]).second) {
      findings.Add(path, fmt::format("{} is listed twice: remove one", names[i]));
    }
  }
}

void CheckImages(const api::Installation& installation, Findings findings) {
  if (!IsRegistry(installation.registry)) {
    findings.Add("spec.registry",
                 fmt::format("\"{}\" is no registry: write host, optional port and path, such as "
                             "registry.example.com:5000/, without a scheme",
                             installation.registry));
  }
  if (!IsImagePath(installation.image_path)) {
    findings.Add(
        "spec.imagePath",
        fmt::format("\"{}\" is no image path: write lower-case names between slashes, such "
                    "as mirror/calico",
                    installation.image_path));
  }
  if (!IsImagePrefix(installation.image_prefix)) {
    findings.Add("spec.imagePrefix", fmt::format("\"{}\" cannot begin an image's name: write "
                                                 "lower-case letters, digits, '.', '_' and '-'",
                                                 installation.image_prefix));
  }
}

void CheckNetwork(const api::Installation& installation, Findings findings) {
  const std::optional<std::int32_t> mtu = installation.calico_network.mtu;
  // 0 asks for detection. Below 68 IPv4 cannot work (RFC 791), above 65535 no interface can.
  if (mtu.has_value() && *mtu != 0 && (*mtu < 68 || *mtu > 65535)) {
    findings.Add("spec.calicoNetwork.mtu",
                 fmt::format("{} is no MTU: choose one between 68 and 65535, or leave it away to "
                             "have it detected",
                             *mtu));
  }
}

// A value that changes what Calico is must not be passed over in silence.
void CheckSupported(std::string_view path, std::string_view value,
                    std::initializer_list<std::string_view> supported, Findings findings) {
  if (value.empty()) return;
  if (std::find(supported.begin(), supported.end(), value) != supported.end()) return;
  findings.Add(path, fmt::format("{} is not supported by this version: remove the field, or set it "
                                 "to {}",
                                 value, *supported.begin()));
}

// What is rendered is the same for every provider. Where that cannot work the provider is refused
// with what it would need; the others get it, and the field is reported as one without effect where
// Tigera's operator would render something else for it.
void CheckProvider(std::string_view provider, Findings findings) {
  constexpr std::string_view kPath = "spec.kubernetesProvider";
  if (provider == "OpenShift") {
    findings.Add(
        kPath,
        "OpenShift is not supported by this version: calico-node needs the "
        "SecurityContextConstraints \"privileged\" and OpenShift's own folders for CNI and "
        "FlexVolume plug-ins, and neither is rendered yet; removing the field would not "
        "change that");
  } else if (provider == "GKE") {
    findings.Add(
        kPath,
        "GKE is not supported by this version: it installs the FlexVolume driver in "
        "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/, which GKE's own node images do "
        "not let be written, and not where GKE's kubelet looks for it; on nodes with other "
        "images remove the field, nothing else differs");
  } else if (provider == "DockerEnterprise") {
    findings.Add(kPath,
                 "DockerEnterprise is not supported by this version: the role cluster-admin for "
                 "calico-node and the interfaces that address detection must skip there are not "
                 "rendered; remove the field where neither is needed, nothing else differs");
  }
}

void CheckAutodetection(std::string_view path,
                        const std::optional<api::NodeAddressAutodetection>& detection,
                        Findings findings) {
  if (!detection.has_value()) return;
  std::vector<std::string_view> methods;
  // `false` does not choose a method.
  if (detection->first_found.value_or(false)) methods.push_back("firstFound");
  if (!detection->kubernetes.empty()) methods.push_back("kubernetes");
  if (!detection->interface.empty()) methods.push_back("interface");
  if (!detection->skip_interface.empty()) methods.push_back("skipInterface");
  if (!detection->can_reach.empty()) methods.push_back("canReach");
  if (!detection->cidrs.empty()) methods.push_back("cidrs");
  if (methods.size() <= 1) return;
  findings.Add(path, fmt::format("{} are set, but a node finds its address by one method: keep one "
                                 "and remove the others",
                                 fmt::join(methods, ", ")));
}

void CheckPath(std::string_view path, std::string_view value, Findings findings) {
  if (value.empty() || value == "None" || value.starts_with('/')) return;
  findings.Add(path, fmt::format("\"{}\" is not an absolute path: begin it with a slash, or write "
                                 "None",
                                 value));
}

void CheckCertificates(const api::Installation& installation, absl::Time now,
                       std::span<const base::IpAddress> node_addresses, bool is_required,
                       InstallationVerdict& verdict) {
  if (installation.certificate_management.has_value()) {
    CheckCertificateManagement(*installation.certificate_management, now, node_addresses, verdict);
  } else if (is_required) {
    RequireCertificateManagement(verdict);
  }
}

}  // namespace

std::string ToString(std::span<const Problem> problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", problem.path, problem.text);
  }
  return text;
}

InstallationVerdict ValidateInstallation(const api::Installation& installation, absl::Time now,
                                         std::span<const base::IpAddress> node_addresses) {
  InstallationVerdict verdict;
  const Findings findings(verdict.problems);
  CheckCertificates(installation, now, node_addresses, true, verdict);
  CheckSupported("spec.variant", installation.variant, {"Calico"}, findings);
  CheckProvider(installation.kubernetes_provider, findings);
  CheckSupported("spec.cni.type", installation.cni.type, {"Calico"}, findings);
  CheckSupported("spec.cni.ipam.type", installation.cni.ipam_type, {"Calico"}, findings);
  CheckSupported("spec.calicoNetwork.linuxDataplane", installation.calico_network.linux_dataplane,
                 {"Iptables"}, findings);
  CheckImages(installation, findings);
  CheckPullSecrets(installation.image_pull_secrets, findings);
  CheckPorts(installation, findings);
  CheckNetwork(installation, findings);
  CheckAutodetection("spec.calicoNetwork.nodeAddressAutodetectionV4",
                     installation.calico_network.node_address_autodetection_v4, findings);
  CheckAutodetection("spec.calicoNetwork.nodeAddressAutodetectionV6",
                     installation.calico_network.node_address_autodetection_v6, findings);
  CheckPath("spec.flexVolumePath", installation.flex_volume_path, findings);
  CheckPath("spec.kubeletVolumePluginPath", installation.kubelet_volume_plugin_path, findings);
  return verdict;
}

InstallationVerdict ValidateCompleted(const api::Installation& installation,
                                      const InstallationContext& context) {
  InstallationVerdict verdict;
  CheckCertificates(installation, context.now, context.node_addresses,
                    context.requires_certificate_management, verdict);
  std::vector<Problem> others = CheckSpec(installation.spec, context.spec);
  verdict.problems.insert(verdict.problems.end(), std::make_move_iterator(others.begin()),
                          std::make_move_iterator(others.end()));
  return verdict;
}

}  // namespace calico::validation
