#include "operator/render/patches.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/check.h"

namespace calico::render {
namespace {

bool HasTemplate(const json::object& object) {
  const std::string_view kind = KindOf(object);
  return kind == "DaemonSet" || kind == "Deployment";
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
void ForEachContainer(json::object& workload, Function function) {
  json::object& spec = PodSpec(workload);
  for (const std::string_view list : {"initContainers", "containers"}) {
    if (!spec.contains(list)) continue;
    for (json::value& container : ArrayAt(spec, {list})) function(container.as_object());
  }
}

// The plugin chain in a ConfigMap cni-config, changed by `change` and written back.
template <class Function>
void ChangeCniConfig(json::object& config_map, Function change) {
  json::value& text = ObjectAt(config_map, {"data"})["config"];
  absl::StatusOr<json::object> config = codec::ParseJsonObject(codec::View(text.as_string()));
  CALICO_CHECK(config.ok());
  for (json::value& plugin : ArrayAt(*config, {"plugins"})) {
    if (TextAt(plugin.as_object(), "type") == "calico") change(plugin.as_object());
  }
  text = codec::Serialize(*config);
}

}  // namespace

void SetCommonLabels(json::object& object) {
  std::string name(NameOf(object));
  std::replace(name.begin(), name.end(), ':', '_');  // not allowed in a label value
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

void SetImages(json::object& workload, const ImageTable& table, const ImageSource& source) {
  ForEachContainer(workload, [&](json::object& container) {
    container["image"] = table.Reference(TextAt(container, "image"), source);
  });
}

void SetImagePullPolicy(json::object& workload, std::string_view policy) {
  if (policy.empty()) return;
  ForEachContainer(workload,
                   [&](json::object& container) { container["imagePullPolicy"] = policy; });
}

void SetPullSecrets(json::object& workload, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json::array references;
  for (const std::string& name : names) references.push_back(json::object{{"name", name}});
  PodSpec(workload)["imagePullSecrets"] = std::move(references);
}

void SetTemplateAnnotation(json::object& workload, std::string_view key, std::string_view value) {
  EnsureObject(workload, {"spec", "template", "metadata", "annotations"})[key] = value;
}

void SetPrometheusAnnotations(json::object& workload, std::int32_t port) {
  SetTemplateAnnotation(workload, "prometheus.io/scrape", "true");
  SetTemplateAnnotation(workload, "prometheus.io/port", fmt::to_string(port));
}

void SetReplicas(json::object& deployment, int replicas) {
  ObjectAt(deployment, {"spec"})["replicas"] = replicas;
}

void SetDns(json::object& workload, const DnsSettings& dns) {
  PodSpec(workload)["dnsPolicy"] = dns.policy;
  if (dns.config.has_value()) PodSpec(workload)["dnsConfig"] = *dns.config;
}

void SetApiEndpoint(json::object& container, const ApiEndpoint& endpoint) {
  SetEnvironment(container, "KUBERNETES_SERVICE_HOST", endpoint.host);
  SetEnvironment(container, "KUBERNETES_SERVICE_PORT", endpoint.port);
}

void SetCertificateManagement(json::object& provisioner,
                              const api::CertificateManagement& management,
                              std::string_view ca_pem) {
  SetEnvironment(provisioner, "SIGNER", management.signer_name);
  SetEnvironment(provisioner, "KEY_ALGORITHM", management.key_algorithm);
  SetEnvironment(provisioner, "SIGNATURE_ALGORITHM", management.signature_algorithm);
  SetEnvironment(provisioner, "CA_CERT", base::Base64Encode(ca_pem, base::Base64::kUrl));
}

void SetFelixMtu(json::object& container, std::int32_t mtu) {
  for (const std::string_view name : {"FELIX_VXLANMTU", "FELIX_WIREGUARDMTU", "FELIX_IPINIPMTU"}) {
    SetEnvironment(container, name, fmt::to_string(mtu));
  }
}

void SetFelixMetrics(json::object& container, std::int32_t port) {
  SetEnvironment(container, "FELIX_PROMETHEUSMETRICSENABLED", "true");
  SetEnvironment(container, "FELIX_PROMETHEUSMETRICSPORT", fmt::to_string(port));
}

void SetTyphaMetrics(json::object& container, std::int32_t port) {
  SetEnvironment(container, "TYPHA_PROMETHEUSMETRICSENABLED", "true");
  SetEnvironment(container, "TYPHA_PROMETHEUSMETRICSPORT", fmt::to_string(port));
}

void SetCniApiRoot(json::object& config_map, std::string_view url) {
  ChangeCniConfig(config_map, [&](json::object& plugin) {
    ObjectAt(plugin, {"kubernetes"})["k8s_api_root"] = url;
  });
}

void SetCniMtu(json::object& config_map, std::int32_t mtu) {
  ChangeCniConfig(config_map, [&](json::object& plugin) { plugin["mtu"] = mtu; });
}

void SetCaBundle(json::object& config_map, std::string_view ca_pem,
                 std::string_view operator_namespace) {
  // The comment tells apart what came from where, as in the bundles of Calico's own operator.
  const std::string bundle =
      fmt::format("# certificate name: {}/tigera-ca-private\n{}", operator_namespace, ca_pem);
  json::object& data = ObjectAt(config_map, {"data"});
  data["ca.crt"] = bundle;
  data["tigera-ca-bundle.crt"] = bundle;
}

void SetServicePort(json::object& service, std::int32_t port) {
  json::object& first = ArrayAt(service, {"spec", "ports"}).front().as_object();
  first["port"] = port;
  first["targetPort"] = port;
}

void SetPolicySigner(json::object& policy, std::string_view signer_name) {
  // A valid signer name has no character that needs an escape in a CEL string.
  CALICO_CHECK(signer_name.find_first_of("'\\\n") == std::string_view::npos);
  Named(ArrayAt(policy, {"spec", "variables"}), "signer")["expression"] =
      fmt::format("'{}'", signer_name);
}

void SetSubject(json::object& binding, const api::ObjectKey& account) {
  for (json::value& subject : ArrayAt(binding, {"subjects"})) {
    subject.as_object()["namespace"] = account.ns;
    subject.as_object()["name"] = account.name;
  }
}

}  // namespace calico::render
