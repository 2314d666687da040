#include "operator/validation/installation.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "operator/validation/ca_certificates.h"
#include "operator/validation/names.h"
#include "pkg/api/meta/names.h"

namespace calico::validation {
namespace {

constexpr std::string_view kManagement = "spec.certificateManagement";

// Ports of calico-node and calico-typha on the host network.
struct UsedPort {
  int port;
  const char* use;
};
constexpr UsedPort kUsedPorts[] = {{179, "BGP"},
                                   {5473, "calico-typha"},
                                   {9098, "the health of calico-typha"},
                                   {9099, "the health of calico-node"}};

// Collects problems under one path.
class Findings {
 public:
  explicit Findings(std::vector<Problem>& problems) : problems_(problems) {}
  void Add(std::string_view path, std::string text) {
    problems_.push_back({std::string(path), std::move(text)});
  }

 private:
  std::vector<Problem>& problems_;
};

std::string_view KeyFamily(std::string_view algorithm) {
  if (algorithm.empty() || algorithm.starts_with("RSA")) return "RSA";
  return "ECDSA";
}

std::string_view SignatureFamily(std::string_view algorithm) {
  return algorithm.ends_with("RSA") ? "RSA" : "ECDSA";
}

template <size_t N>
bool Contains(const std::string_view (&values)[N], std::string_view value) {
  return std::find(std::begin(values), std::end(values), value) != std::end(values);
}

void CheckSigner(std::string_view name, Findings findings) {
  const std::string path = fmt::format("{}.signerName", kManagement);
  if (name.empty()) {
    findings.Add(path,
                 "is required: the name that your signer listens to, such as "
                 "example.com/signer");
  } else if (!api::IsSignerName(name)) {
    findings.Add(path, fmt::format("\"{}\" is no signer name: write a domain of at least two "
                                   "labels, one slash and a path in lower case, such as "
                                   "example.com/signer",
                                   name));
  } else if (name.starts_with("kubernetes.io/")) {
    findings.Add(path, fmt::format("{} does not sign certificates for TLS servers that are clients "
                                   "too: choose a signer of your own domain",
                                   name));
  }
}

void CheckAlgorithms(const api::CertificateManagement& management, Findings findings) {
  const std::string& key = management.key_algorithm;
  const std::string& signature = management.signature_algorithm;
  const bool known_key = Contains(api::kKeyAlgorithms, key);
  const bool known_signature = Contains(api::kSignatureAlgorithms, signature);
  if (!known_key) {
    findings.Add(fmt::format("{}.keyAlgorithm", kManagement),
                 fmt::format("\"{}\" is not known: choose one of RSAWithSize2048, RSAWithSize4096, "
                             "RSAWithSize8192, ECDSAWithCurve256, ECDSAWithCurve384, "
                             "ECDSAWithCurve521",
                             key));
  }
  if (!known_signature) {
    findings.Add(fmt::format("{}.signatureAlgorithm", kManagement),
                 fmt::format("\"{}\" is not known: choose one of SHA256WithRSA, SHA384WithRSA, "
                             "SHA512WithRSA, ECDSAWithSHA256, ECDSAWithSHA384, ECDSAWithSHA512",
                             signature));
  }
  if (known_key && known_signature && !signature.empty() &&
      KeyFamily(key) != SignatureFamily(signature)) {
    findings.Add(
        fmt::format("{}.signatureAlgorithm", kManagement),
        fmt::format("{} cannot be made with {} key ({}): choose a signature algorithm of the key's "
                    "family, or leave it empty",
                    signature, KeyFamily(key) == "RSA" ? "an RSA" : "an ECDSA",
                    key.empty() ? "keyAlgorithm is empty, which means RSAWithSize2048" : key));
  }
}

void CheckManagement(const api::Installation& installation, absl::Time now,
                     std::span<const base::IpAddress> node_addresses,
                     InstallationVerdict& verdict) {
  Findings findings(verdict.problems);
  if (!installation.certificate_management.has_value()) {
    findings.Add(kManagement,
                 "is required: this version installs Calico with certificates of your "
                 "own signer only, certificates signed by the operator come with a "
                 "later one; set caCert and signerName");
    return;
  }
  const api::CertificateManagement& management = *installation.certificate_management;
  CaVerdict ca = CheckCaCertificates(management.ca_cert_pem, CalicoDemands(node_addresses), now);
  for (std::string& text : ca.problems) {
    findings.Add(fmt::format("{}.caCert", kManagement), std::move(text));
  }
  verdict.recheck_at = ca.recheck_at;
  verdict.ca_certificates = std::move(ca.certificates);
  for (const std::string& text : ca.warnings) {
    verdict.warnings.push_back(fmt::format("{}.caCert: {}", kManagement, text));
  }
  CheckSigner(management.signer_name, findings);
  CheckAlgorithms(management, findings);
}

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
  CheckManagement(installation, now, node_addresses, verdict);
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

}  // namespace calico::validation
