#include "operator/render/control_plane_values.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/strings/ascii.h>

#include "operator/render/key_pairs.h"
#include "operator/render/spec_path.h"
#include "pkg/base/base64.h"
#include "pkg/pki/certificate.h"

namespace calico::render {
namespace {

constexpr std::int64_t kCalicoApiPort = 5443;
constexpr std::int64_t kControlPlaneReplicas = 2;
constexpr std::string_view kApiServerContainer = "calico-apiserver";

DerivedResult Text(std::string_view text) { return json::value(text); }
DerivedResult None() { return std::nullopt; }

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  absl::AsciiStrToLower(&lowered);
  return lowered;
}

// A field of the APIServer's spec; null if it says nothing.
const json::value* FindInApiServer(const RenderValues& values, std::string_view path) {
  const auto& api_server = values.inputs().api_server;
  return api_server.has_value() ? FindInSpec(api_server->spec, path) : nullptr;
}

const json::value* FirstPort(const json::object& container) {
  const json::array* const ports = codec::FindArray(container, "ports");
  if (ports == nullptr || ports->empty() || !ports->front().is_object()) return nullptr;
  return ports->front().get_object().if_contains("containerPort");
}

}  // namespace

DerivedResult CalicoApiAnnotations(RenderValues& values) {
  const KeyPairUse pair = ApiServerKeyPairUse(values.installation().spec, values.inputs());
  return json::value(json::object{{pair.hash_annotation, pair.hash}});
}

DerivedResult CalicoApiCaBundle(RenderValues& values) {
  const KeyPairUse pair = ApiServerKeyPairUse(values.installation().spec, values.inputs());
  if (!pair.issuer_pem.empty()) return Text(base::Base64Encode(pair.issuer_pem));
  return Text(base::Base64Encode(pki::ToPemBundle(values.inputs().ca_certificates)));
}

DerivedResult CalicoApiLogLevel(RenderValues& values) {
  const json::value* const level = FindInApiServer(values, "logging.apiServer.logSeverity");
  if (level == nullptr || !level->is_string()) return Text("info");
  return Text(Lowered(codec::View(level->get_string())));
}

DerivedResult CalicoApiPort(RenderValues& values) {
  const json::value* const containers =
      FindInApiServer(values, "apiServerDeployment.spec.template.spec.containers");
  if (containers == nullptr || !containers->is_array()) return json::value(kCalicoApiPort);
  for (const json::value& container : containers->get_array()) {
    if (!container.is_object()) continue;
    if (codec::TextAt(container.get_object(), "name") != kApiServerContainer) continue;
    const json::value* const port = FirstPort(container.get_object());
    if (port != nullptr && port->is_int64()) return *port;
  }
  return json::value(kCalicoApiPort);
}

DerivedResult ClusterDomain(RenderValues& values) { return Text(values.inputs().cluster_domain); }

DerivedResult ControlPlaneReplicas(RenderValues& values) {
  const json::value* const given = values.FindInSpec("controlPlaneReplicas");
  return given != nullptr && given->is_int64() ? *given : json::value(kControlPlaneReplicas);
}

DerivedResult KubeControllersMetricsPort(RenderValues& values) {
  const auto& port = values.inputs().kube_controllers_metrics_port;
  if (!port.has_value()) return None();
  return json::value(*port);
}

DerivedResult KubeletFolder(RenderValues& values) {
  const std::string_view folder = values.SpecText("kubeletVolumePluginPath");
  return Text(folder.substr(0, folder.find_last_not_of('/') + 1));
}

DerivedResult MultiInterfaceMode(RenderValues& values) {
  const std::string_view mode = values.SpecText("calicoNetwork.multiInterfaceMode");
  return Text(mode.empty() ? "none" : Lowered(mode));
}

DerivedResult PodApiServerHost(RenderValues& values) {
  const auto& endpoint = values.inputs().pod_api_endpoint;
  return endpoint.has_value() ? Text(endpoint->host) : None();
}

DerivedResult PodApiServerPort(RenderValues& values) {
  const auto& endpoint = values.inputs().pod_api_endpoint;
  return endpoint.has_value() ? Text(endpoint->port) : None();
}

}  // namespace calico::render
