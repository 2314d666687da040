#include "operator/render/values.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/openssl/digest.h"

namespace calico::render {
namespace {

constexpr size_t kMaxLabelValue = 63;

bool HasTemplate(const json::object& object) {
  const std::string_view kind = KindOf(object);
  return kind == "DaemonSet" || kind == "Deployment";
}

// A name as a label's value, which has 63 characters at most and no colon, and ends with a letter
// or digit.
std::string LabelValue(std::string_view name) {
  std::string value(name.substr(0, kMaxLabelValue));
  std::replace(value.begin(), value.end(), ':', '_');
  while (!value.empty() && !absl::ascii_isalnum(value.back())) value.pop_back();
  return value;
}

void Label(json::object& metadata, std::string_view name) {
  json::object& labels = EnsureObject(metadata, {"labels"});
  labels["app.kubernetes.io/component"] = "Installation.operator.tigera.io";
  labels[kInstanceLabel] = api::kInstallationName;
  labels[kManagedByLabel] = kManagedBy;
  labels["app.kubernetes.io/name"] = name;
  labels["app.kubernetes.io/part-of"] = "Calico";
  labels["k8s-app"] = name;
}

template <class Function>
void ForEachContainer(ObjectEditor& edit, Function function) {
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (json::value& container : edit.ArrayAt(edit.PodSpec(), {list})) {
      if (container.is_object()) function(container.get_object());
    }
  }
}

void SetImages(ObjectEditor& edit, const ValueSources& sources) {
  const ImageSource source = ImageSource::Of(sources.installation);
  ForEachContainer(edit, [&](json::object& container) {
    const absl::StatusOr<std::string> reference =
        sources.release.images().Reference(TextAt(container, "image"), source);
    if (!reference.ok()) return edit.Fail(std::string(reference.status().message()));
    container["image"] = *reference;
    if (!sources.installation.image_pull_policy.empty()) {
      container["imagePullPolicy"] = sources.installation.image_pull_policy;
    }
  });
}

void SetPullSecrets(ObjectEditor& edit, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json::array references;
  for (const std::string& name : names) references.push_back(json::object{{"name", name}});
  edit.PodSpec()["imagePullSecrets"] = std::move(references);
}

void SetTemplateAnnotation(ObjectEditor& edit, std::string_view key, std::string_view value) {
  EnsureObject(edit.ObjectAt(edit.root(), {"spec", "template", "metadata"}), {"annotations"})[key] =
      value;
}

// Where a scraper finds the pod's metrics.
void SetPrometheusAnnotations(ObjectEditor& edit, std::int32_t port) {
  SetTemplateAnnotation(edit, "prometheus.io/scrape", "true");
  SetTemplateAnnotation(edit, "prometheus.io/port", fmt::to_string(port));
}

void SetApiEndpoint(ObjectEditor& edit, json::object& container, const ValueSources& sources) {
  const std::optional<ApiEndpoint>& endpoint = sources.inputs.api_endpoint;
  if (!endpoint.has_value()) return;
  edit.SetEnvironment(container, "KUBERNETES_SERVICE_HOST", endpoint->host);
  edit.SetEnvironment(container, "KUBERNETES_SERVICE_PORT", endpoint->port);
}

// What the init container asks for, and whom it trusts.
void SetCertificateManagement(ObjectEditor& edit, json::object& provisioner,
                              const ValueSources& sources) {
  const auto& management = sources.installation.certificate_management;
  if (!management.has_value()) return edit.Fail("no certificateManagement");
  edit.SetEnvironment(provisioner, "SIGNER", management->signer_name);
  edit.SetEnvironment(provisioner, "KEY_ALGORITHM", management->key_algorithm);
  edit.SetEnvironment(provisioner, "SIGNATURE_ALGORITHM", management->signature_algorithm);
  edit.SetEnvironment(provisioner, "CA_CERT",
                      base::Base64Encode(sources.ca_pem, base::Base64::kUrl));
}

// What both workloads have in common. The annotation makes them follow a change of caCert.
void SetWorkload(ObjectEditor& edit, std::string_view provisioner, const ValueSources& sources) {
  SetImages(edit, sources);
  SetPullSecrets(edit, sources.installation.image_pull_secrets);
  SetTemplateAnnotation(edit,
                        fmt::format("{}.hash.operator.tigera.io/tigera-ca-private",
                                    sources.inputs.operator_namespace),
                        openssl::Sha256Hex(sources.ca_pem));
  json::object& init = edit.InitContainer(provisioner);
  SetCertificateManagement(edit, init, sources);
  SetApiEndpoint(edit, init, sources);
}

void SetNode(ObjectEditor& edit, const ValueSources& sources) {
  const api::Installation& installation = sources.installation;
  SetWorkload(edit, kNodeProvisioner, sources);
  edit.PodSpec()["dnsPolicy"] = sources.inputs.node_dns.policy;
  if (const auto& config = sources.inputs.node_dns.config) edit.PodSpec()["dnsConfig"] = *config;
  SetTemplateAnnotation(edit, "hash.operator.tigera.io/cni-config",
                        openssl::Sha256Hex(sources.cni_config));
  json::object& node = edit.Container(kNode);
  if (const std::int32_t mtu = installation.calico_network.mtu.value_or(0); mtu != 0) {
    for (const char* name : {"FELIX_VXLANMTU", "FELIX_WIREGUARDMTU", "FELIX_IPINIPMTU"}) {
      edit.SetEnvironment(node, name, fmt::to_string(mtu));
    }
  }
  if (const auto port = installation.node_metrics_port) {
    edit.SetEnvironment(node, "FELIX_PROMETHEUSMETRICSPORT", fmt::to_string(*port));
    SetPrometheusAnnotations(edit, *port);
  }
  SetApiEndpoint(edit, node, sources);
  SetApiEndpoint(edit, edit.InitContainer("install-cni"), sources);
}

void SetTypha(ObjectEditor& edit, const ValueSources& sources) {
  SetWorkload(edit, kTyphaProvisioner, sources);
  edit.ObjectAt(edit.root(), {"spec"})["replicas"] = sources.inputs.typha_replicas;
  json::object& typha = edit.Container(kTypha);
  SetApiEndpoint(edit, typha, sources);
  if (const auto port = sources.installation.typha_metrics_port) {
    edit.SetEnvironment(typha, "TYPHA_PROMETHEUSMETRICSPORT", fmt::to_string(*port));
    SetPrometheusAnnotations(edit, *port);
  }
}

void SetTyphaMetrics(ObjectEditor& edit, const ValueSources& sources) {
  const auto port = sources.installation.typha_metrics_port;
  json::array& ports = edit.ArrayAt(edit.root(), {"spec", "ports"});
  if (!port.has_value() || ports.empty() || !ports.front().is_object()) {
    return edit.Fail("no port");
  }
  ports.front().get_object()["port"] = *port;
  ports.front().get_object()["targetPort"] = *port;
}

void SetCniConfig(ObjectEditor& edit, const ValueSources& sources) {
  edit.ObjectAt(edit.root(), {"data"})["config"] = sources.cni_config;
}

void SetCaBundle(ObjectEditor& edit, const ValueSources& sources) {
  // The comment tells apart what came from where, as in the bundles of Calico's own operator.
  const std::string bundle = fmt::format("# certificate name: {}/tigera-ca-private\n{}",
                                         sources.inputs.operator_namespace, sources.ca_pem);
  json::object& data = edit.ObjectAt(edit.root(), {"data"});
  data["ca.crt"] = bundle;
  data["tigera-ca-bundle.crt"] = bundle;
}

void SetPolicySigner(ObjectEditor& edit, const ValueSources& sources) {
  const auto& management = sources.installation.certificate_management;
  const std::string signer = management.has_value() ? management->signer_name : "";
  // A valid signer name has no character that needs an escape in a CEL string.
  if (signer.find_first_of("'\\\n") != std::string::npos) return edit.Fail("bad signer name");
  edit.Named(edit.ArrayAt(edit.root(), {"spec", "variables"}), "signer")["expression"] =
      fmt::format("'{}'", signer);
}

// The objects that take values.
struct Taker {
  std::string_view kind;
  std::string_view name;
  void (*set)(ObjectEditor& edit, const ValueSources& sources);
  bool is_always_there = true;
};
constexpr Taker kTakers[] = {
    {"ConfigMap", kCaBundle, &SetCaBundle},
    {"ConfigMap", kCniConfig, &SetCniConfig},
    {"DaemonSet", kNode, &SetNode},
    {"Deployment", kTypha, &SetTypha},
    {"Service", kTyphaMetrics, &SetTyphaMetrics, false},
    {"ValidatingAdmissionPolicy", "calico-system-csr-names", &SetPolicySigner, false},
};

bool Is(const json::object& object, std::string_view kind, std::string_view name) {
  return KindOf(object) == kind && NameOf(object) == name;
}

// The plugin chain in the ConfigMap, with its values.
std::string CniConfigText(ObjectEditor& edit, const api::Installation& installation,
                          const Inputs& inputs) {
  const std::string_view text = TextAt(edit.ObjectAt(edit.root(), {"data"}), "config");
  absl::StatusOr<json::object> config = codec::ParseJsonObject(text);
  if (!config.ok()) {
    edit.Fail("data.config: no CNI configuration");
    return "";
  }
  bool is_calico = false;
  for (json::value& plugin : edit.ArrayAt(*config, {"plugins"})) {
    if (!plugin.is_object() || TextAt(plugin.get_object(), "type") != "calico") continue;
    is_calico = true;
    plugin.get_object()["mtu"] = installation.calico_network.mtu.value_or(0);
    if (!inputs.api_endpoint.has_value()) continue;
    edit.ObjectAt(plugin.get_object(), {"kubernetes"})["k8s_api_root"] = inputs.api_endpoint->Url();
  }
  if (!is_calico) edit.Fail("data.config: no plugin calico");
  return codec::Serialize(*config);
}

}  // namespace

absl::StatusOr<ValueSources> MakeValueSources(const Release& release,
                                              const api::Installation& installation,
                                              const Inputs& inputs,
                                              const std::vector<json::object>& objects) {
  ValueSources sources{.release = release,
                       .installation = installation,
                       .inputs = inputs,
                       .ca_pem = pki::ToPemBundle(inputs.ca_certificates)};
  for (const json::object& object : objects) {
    if (!Is(object, "ConfigMap", kCniConfig)) continue;
    json::object copy = object;
    ObjectEditor edit(copy);
    sources.cni_config = CniConfigText(edit, installation, inputs);
    CALICO_RETURN_IF_ERROR(edit.status());
  }
  return sources;
}

absl::Status SetValues(json::object& object, const ValueSources& sources) {
  for (const Taker& taker : kTakers) {
    if (!Is(object, taker.kind, taker.name)) continue;
    ObjectEditor edit(object);
    taker.set(edit, sources);
    return edit.status();
  }
  return absl::OkStatus();
}

absl::Status CheckAllTakeValues(const std::vector<json::object>& objects) {
  for (const Taker& taker : kTakers) {
    const bool is_there =
        std::any_of(objects.begin(), objects.end(),
                    [&](const json::object& object) { return Is(object, taker.kind, taker.name); });
    if (taker.is_always_there && !is_there) {
      return absl::InvalidArgumentError(fmt::format("no {} {}", taker.kind, taker.name));
    }
  }
  return absl::OkStatus();
}

void SetCommonLabels(json::object& object) {
  const std::string name = LabelValue(NameOf(object));
  Label(EnsureObject(object, {"metadata"}), name);
  if (HasTemplate(object)) Label(EnsureObject(object, {"spec", "template", "metadata"}), name);
}

void SetOwner(json::object& object, std::string_view installation_uid) {
  const api::OwnerReference owner = {.api_version = api::kInstallations.ApiVersion(),
                                     .kind = std::string(api::kInstallations.kind),
                                     .name = std::string(api::kInstallationName),
                                     .uid = std::string(installation_uid),
                                     .controller = true,
                                     .block_owner_deletion = true};
  EnsureObject(object, {"metadata"})["ownerReferences"] = json::array{owner.Encode()};
}

}  // namespace calico::render
