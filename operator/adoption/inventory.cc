#include "operator/adoption/inventory.h"

#include <utility>

#include "operator/adoption/former_operator.h"
#include "operator/render/names.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::adoption {
namespace {

constexpr char kOldApiServerNamespace[] = "calico-apiserver";
constexpr char kKubeSystem[] = "kube-system";

constexpr const api::Resource* kOfTheCluster[] = {
    &api::kNamespaces,
    &api::kApiServices,
    &api::kClusterRoles,
    &api::kClusterRoleBindings,
    &api::kCsiDrivers,
    &api::kValidatingAdmissionPolicies,
    &api::kValidatingAdmissionPolicyBindings,
};
constexpr const api::Resource* kOfANamespace[] = {
    &api::kDeployments,  &api::kDaemonSets,      &api::kPodDisruptionBudgets, &api::kServices,
    &api::kConfigMaps,   &api::kSecrets,         &api::kServiceAccounts,      &api::kRoles,
    &api::kRoleBindings, &api::kNetworkPolicies,
};
constexpr const api::Resource* kOfKubeSystem[] = {&api::kRoles, &api::kRoleBindings};

aio::Task<absl::Status> List(kube::Client& client, const api::Resource& resource, std::string ns,
                             std::vector<FoundObject>& found) {
  const auto keep = [&](json::object object) {
    if (!IsOfAnOperator(object)) return absl::OkStatus();
    const api::ObjectKey key = api::ObjectMetaOf(object).Key();
    json::object kept;
    for (const char* const member : {"apiVersion", "kind", "metadata"}) {
      if (object.contains(member)) kept[member] = std::move(object.at(member));
    }
    found.push_back({&resource, key, std::move(kept)});
    return absl::OkStatus();
  };
  const absl::StatusOr<std::string> version =
      co_await client.List(resource, {.ns = std::move(ns)}, keep);
  if (absl::IsNotFound(version.status())) co_return absl::OkStatus();
  co_return version.status();
}

}  // namespace

std::vector<std::string> CalicoNamespaces() {
  return {std::string(render::kCalicoNamespace), kOldApiServerNamespace};
}

aio::Task<absl::StatusOr<std::vector<FoundObject>>> ReadInventory(kube::Client& client,
                                                                  std::string operator_namespace) {
  std::vector<FoundObject> found;
  for (const api::Resource* const resource : kOfTheCluster) {
    CALICO_CO_RETURN_IF_ERROR(co_await List(client, *resource, "", found));
  }
  std::vector<std::string> namespaces = CalicoNamespaces();
  namespaces.push_back(std::move(operator_namespace));
  for (const api::Resource* const resource : kOfANamespace) {
    for (const std::string& ns : namespaces) {
      CALICO_CO_RETURN_IF_ERROR(co_await List(client, *resource, ns, found));
    }
  }
  for (const api::Resource* const resource : kOfKubeSystem) {
    CALICO_CO_RETURN_IF_ERROR(co_await List(client, *resource, kKubeSystem, found));
  }
  co_return found;
}

}  // namespace calico::adoption
