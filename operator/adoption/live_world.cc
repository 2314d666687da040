#include "operator/adoption/live_world.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/calico_config.h"
#include "operator/defaults/provider.h"
#include "operator/render/names.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"

namespace calico::adoption {
namespace {

using offline::World;

constexpr char kSource[] = "the cluster";
constexpr char kKubeSystem[] = "kube-system";
// Where Calico's API server was up to Calico v3.27.
constexpr char kApiServerNamespace[] = "calico-apiserver";
constexpr api::Resource kClusterVersions{"config.openshift.io", "v1", "clusterversions",
                                         "ClusterVersion", false};
constexpr api::Resource kNetworks{"config.openshift.io", "v1", "networks", "Network", false};

// What no rendering looks at, which is most of a Node. Who has set what decides about Calico's own
// configuration only.
json::object Trimmed(json::object object) {
  object.erase("status");
  if (codec::TextAt(object, "apiVersion") == calico_config::kApiVersion) return object;
  if (json::value* const metadata = object.if_contains("metadata")) {
    if (metadata->is_object()) metadata->get_object().erase("managedFields");
  }
  return object;
}

class WorldReader {
 public:
  explicit WorldReader(kube::Client& client) : client_(client) {}

  // `ns` is empty for all.
  aio::Task<absl::Status> List(const api::Resource& resource, std::string ns = "") {
    const bool keeps_status = resource == api::kInstallations;
    const auto add = [&](json::object object) {
      return world_.Add(kSource, keeps_status ? std::move(object) : Trimmed(std::move(object)));
    };
    const absl::StatusOr<std::string> version =
        co_await client_.List(resource, {.ns = std::move(ns)}, add);
    if (absl::IsNotFound(version.status())) co_return absl::OkStatus();
    co_return version.status();
  }

  // Does nothing for an object that was listed.
  aio::Task<absl::Status> Get(const api::Resource& resource, api::ObjectKey key) {
    if (world_.Find(resource.kind, key) != nullptr) co_return absl::OkStatus();
    absl::StatusOr<json::object> object = co_await client_.Get(resource, std::move(key));
    if (absl::IsNotFound(object.status())) co_return absl::OkStatus();
    if (!object.ok()) co_return object.status();
    co_return world_.Add(kSource, Trimmed(*std::move(object)));
  }

  World Take() { return std::move(world_); }

 private:
  kube::Client& client_;
  World world_;
};

}  // namespace

aio::Task<absl::StatusOr<World>> ReadWorld(kube::Client& client, api::ObjectKey operator_key) {
  WorldReader reader(client);
  for (const api::Resource* const resource :
       {&api::kInstallations, &api::kApiServers, &api::kImageSets, &api::kNodes, &api::kIpPools,
        &api::kFelixConfigurations, &api::kBgpConfigurations, &kClusterVersions, &kNetworks}) {
    CALICO_CO_RETURN_IF_ERROR(co_await reader.List(*resource));
  }
  for (const std::string& ns :
       {operator_key.ns, std::string(render::kCalicoNamespace), std::string(kApiServerNamespace)}) {
    CALICO_CO_RETURN_IF_ERROR(co_await reader.List(api::kSecrets, ns));
  }
  CALICO_CO_RETURN_IF_ERROR(co_await reader.List(api::kConfigMaps, operator_key.ns));
  CALICO_CO_RETURN_IF_ERROR(co_await reader.Get(
      api::kConfigMaps, {std::string(render::kCalicoNamespace), std::string(render::kCaBundle)}));
  CALICO_CO_RETURN_IF_ERROR(co_await reader.Get(api::kDeployments, operator_key));
  CALICO_CO_RETURN_IF_ERROR(co_await reader.Get(api::kServices, {"default", "kubernetes"}));
  CALICO_CO_RETURN_IF_ERROR(co_await reader.Get(api::kConfigMaps, {kKubeSystem, "kubeadm-config"}));
  CALICO_CO_RETURN_IF_ERROR(co_await reader.Get(api::kDaemonSets, {kKubeSystem, "aws-node"}));
  for (const std::string_view name : defaults::kProviderConfigMaps) {
    CALICO_CO_RETURN_IF_ERROR(
        co_await reader.Get(api::kConfigMaps, {kKubeSystem, std::string(name)}));
  }
  for (const std::string_view name : defaults::kProviderServices) {
    CALICO_CO_RETURN_IF_ERROR(
        co_await reader.Get(api::kServices, {kKubeSystem, std::string(name)}));
  }
  co_return reader.Take();
}

std::optional<render::ApiEndpoint> ServiceEndpoint(const World& world) {
  const json::object* const service = world.Find("Service", {"default", "kubernetes"});
  const json::object* const spec =
      service == nullptr ? nullptr : codec::FindObject(*service, "spec");
  if (spec == nullptr) return std::nullopt;
  const json::array* const ports = codec::FindArray(*spec, "ports");
  const std::string_view address = codec::TextAt(*spec, "clusterIP");
  if (ports == nullptr || ports->empty() || address.empty()) return std::nullopt;
  const json::object* const first = ports->front().if_object();
  const json::value* const port = first == nullptr ? nullptr : first->if_contains("port");
  if (port == nullptr || !port->is_int64()) return std::nullopt;
  return render::ApiEndpoint{std::string(address), fmt::format("{}", port->get_int64())};
}

std::string ReleaseInStatus(const World& world) {
  const json::object* const installation =
      world.Find("Installation", {"", std::string(api::kInstallationName)});
  const json::object* const status =
      installation == nullptr ? nullptr : codec::FindObject(*installation, "status");
  if (status == nullptr) return "";
  std::string_view version = codec::TextAt(*status, "calicoVersion");
  // "release-v3.33" of a branch.
  const size_t start = version.find("v3.");
  if (start == std::string_view::npos) return "";
  version.remove_prefix(start);
  const size_t second_dot = version.find('.', version.find('.') + 1);
  return std::string(version.substr(0, second_dot));
}

}  // namespace calico::adoption
