#include "operator/render/render.h"

#include <utility>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/patches.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/check.h"
#include "pkg/openssl/digest.h"

namespace calico::render {

std::string ApiEndpoint::Url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("https://[{}]:{}", host, port)
               : fmt::format("https://{}:{}", host, port);
}

namespace {

using Objects = std::vector<json::object>;

const api::CertificateManagement& Management(const api::Installation& installation) {
  CALICO_CHECK(installation.certificate_management.has_value());
  return *installation.certificate_management;
}

json::object& Find(Objects& objects, std::string_view kind) {
  for (json::object& object : objects) {
    if (KindOf(object) == kind) return object;
  }
  CALICO_CHECK(false && "the manifest lacks a kind");
}

// An MTU of 0 asks for detection, as no MTU does.
std::int32_t MtuOf(const api::Installation& installation) {
  return installation.calico_network.mtu.value_or(0);
}

json::object CniConfig(const Release& release, const api::Installation& installation,
                       const Inputs& inputs) {
  Objects objects = release.Manifest("calico-cni");
  json::object config = std::move(Find(objects, "ConfigMap"));
  SetCniMtu(config, MtuOf(installation));
  if (inputs.api_endpoint.has_value()) SetCniApiRoot(config, inputs.api_endpoint->Url());
  return config;
}

// What both workloads have in common. The annotation makes them follow a change of caCert.
void PatchWorkload(json::object& workload, std::string_view provisioner, const Release& release,
                   const api::Installation& installation, const Inputs& inputs) {
  const std::string ca_pem = pki::ToPemBundle(inputs.ca_certificates);
  SetImages(workload, release.images(), ImageSource::Of(installation));
  SetImagePullPolicy(workload, installation.image_pull_policy);
  SetPullSecrets(workload, installation.image_pull_secrets);
  SetTemplateAnnotation(
      workload,
      fmt::format("{}.hash.operator.tigera.io/tigera-ca-private", inputs.operator_namespace),
      openssl::Sha256Hex(ca_pem));
  json::object& init = InitContainer(workload, provisioner);
  SetCertificateManagement(init, Management(installation), ca_pem);
  if (inputs.api_endpoint.has_value()) SetApiEndpoint(init, *inputs.api_endpoint);
}

Objects RenderNamespace(const Release& release, const api::Installation& installation,
                        const Inputs& inputs) {
  Objects objects = release.Manifest("namespace");
  for (json::object object : release.Manifest("operator-access")) {
    SetSubject(object, {inputs.operator_namespace, inputs.operator_account});
    objects.push_back(std::move(object));
  }
  return objects;
}

Objects RenderPullSecrets(const Release& release, const api::Installation& installation,
                          const Inputs& inputs) {
  Objects objects;
  for (const PullSecret& secret : inputs.pull_secrets) {
    json::object copy = api::NewObject(api::kSecrets, {std::string(kCalicoNamespace), secret.name});
    copy["type"] = secret.type;
    copy["data"] = secret.data;
    objects.push_back(std::move(copy));
  }
  return objects;
}

Objects RenderCertificateManagement(const Release& release, const api::Installation& installation,
                                    const Inputs& inputs) {
  Objects objects = release.Manifest("certificate-management");
  SetCaBundle(Find(objects, "ConfigMap"), pki::ToPemBundle(inputs.ca_certificates),
              inputs.operator_namespace);
  if (!inputs.has_admission_policies) return objects;
  for (json::object object : release.Manifest("csr-names-policy")) {
    if (KindOf(object) == api::kValidatingAdmissionPolicies.kind) {
      SetPolicySigner(object, Management(installation).signer_name);
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

Objects RenderTypha(const Release& release, const api::Installation& installation,
                    const Inputs& inputs) {
  Objects objects = release.Manifest("calico-typha");
  json::object& deployment = Find(objects, "Deployment");
  PatchWorkload(deployment, kTyphaProvisioner, release, installation, inputs);
  SetReplicas(deployment, inputs.typha_replicas);
  json::object& typha = Container(deployment, kTypha);
  if (inputs.api_endpoint.has_value()) SetApiEndpoint(typha, *inputs.api_endpoint);
  if (installation.typha_metrics_port.has_value()) {
    const std::int32_t port = *installation.typha_metrics_port;
    SetTyphaMetrics(typha, port);
    SetPrometheusAnnotations(deployment, port);
    for (json::object object : release.Manifest("calico-typha-metrics")) {
      SetServicePort(object, port);
      objects.push_back(std::move(object));
    }
  }
  return objects;
}

Objects RenderCni(const Release& release, const api::Installation& installation,
                  const Inputs& inputs) {
  Objects objects = release.Manifest("calico-cni");
  Find(objects, "ConfigMap") = CniConfig(release, installation, inputs);
  return objects;
}

Objects RenderNode(const Release& release, const api::Installation& installation,
                   const Inputs& inputs) {
  Objects objects = release.Manifest("calico-node");
  json::object& daemon_set = Find(objects, "DaemonSet");
  PatchWorkload(daemon_set, kNodeProvisioner, release, installation, inputs);
  SetDns(daemon_set, inputs.node_dns);
  json::object config = CniConfig(release, installation, inputs);
  SetTemplateAnnotation(daemon_set, "hash.operator.tigera.io/cni-config",
                        openssl::Sha256Hex(TextAt(ObjectAt(config, {"data"}), "config")));
  json::object& node = Container(daemon_set, kNode);
  if (MtuOf(installation) != 0) SetFelixMtu(node, MtuOf(installation));
  if (installation.node_metrics_port.has_value()) {
    SetFelixMetrics(node, *installation.node_metrics_port);
    SetPrometheusAnnotations(daemon_set, *installation.node_metrics_port);
  }
  if (inputs.api_endpoint.has_value()) {
    SetApiEndpoint(node, *inputs.api_endpoint);
    SetApiEndpoint(InitContainer(daemon_set, "install-cni"), *inputs.api_endpoint);
  }
  return objects;
}

}  // namespace

const std::vector<Component>& Components() {
  static const std::vector<Component> components = {
      {"namespace", &RenderNamespace},
      {"pull-secrets", &RenderPullSecrets},
      {"certificate-management", &RenderCertificateManagement},
      {"cni", &RenderCni},
      {"typha", &RenderTypha},
      {"node", &RenderNode},
  };
  return components;
}

std::vector<json::object> Render(const Release& release, const api::Installation& installation,
                                 const Inputs& inputs) {
  std::vector<json::object> objects;
  for (const Component& component : Components()) {
    for (json::object& object : component.render(release, installation, inputs)) {
      SetCommonLabels(object);
      SetOwner(object, inputs.owner_uid);
      objects.push_back(std::move(object));
    }
  }
  return objects;
}

}  // namespace calico::render
