#include "operator/removal/removal_plan.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/adoption/former_operator.h"
#include "operator/adoption/inventory.h"
#include "operator/render/names.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"

namespace calico::removal {
namespace {

using codec::FindObject;
using codec::TextAt;

constexpr std::string_view kOperatorGroup = "operator.tigera.io";
constexpr std::string_view kCalicoGroup = "crd.projectcalico.org";
constexpr char kServedGroup[] = "projectcalico.org";

// The kinds of the stock file and the status of each; what an ImageSet says is the user's.
constexpr const api::Resource* kAskedKinds[] = {&api::kInstallations, &api::kApiServers,
                                                &api::kGoldmanes, &api::kWhiskers,
                                                &api::kTigeraStatuses};

struct Named {
  const api::Resource* resource;
  const char* ns;  // null: the operator's
  const char* name;
};
// What operator.yaml and image-pull-secrets.yaml make, but for the Deployment.
constexpr Named kOfManifests[] = {
    {&api::kClusterRoleBindings, "", "calico-operator"},
    {&api::kClusterRoles, "", "calico-operator"},
    {&api::kClusterRoles, "", "tigera-operator-secrets"},
    {&api::kRoleBindings, "kube-system", "tigera-operator-cluster-signs"},
    {&api::kRoles, "kube-system", "tigera-operator-cluster-signs"},
    {&api::kRoleBindings, "default", "tigera-operator-events"},
    {&api::kRoles, "default", "tigera-operator-events"},
    {&api::kRoleBindings, nullptr, "tigera-operator"},
    {&api::kRoles, nullptr, "tigera-operator"},
    {&api::kServiceAccounts, nullptr, "tigera-operator"},
    {&api::kLeases, nullptr, "operator-lock"},
};
// What every namespace has.
constexpr std::string_view kOfEveryNamespace[] = {"kube-root-ca.crt", "openshift-service-ca.crt"};

bool IsCalicoNamespace(std::string_view ns) {
  const std::vector<std::string> all = adoption::CalicoNamespaces();
  return std::find(all.begin(), all.end(), ns) != all.end();
}

Stage StageOf(const api::Resource& resource, const api::ObjectKey& key) {
  if (resource == api::kApiServices) return Stage::kApiService;
  if (resource == api::kNamespaces) return Stage::kNamespaces;
  if (resource != api::kDaemonSets && resource != api::kDeployments) return Stage::kOthers;
  return key.name == render::kNode || key.name == render::kTypha ? Stage::kHostNetwork
                                                                 : Stage::kPodNetwork;
}

class Planner {
 public:
  Planner(kube::Client& client, RemovalOptions options)
      : client_(client), options_(std::move(options)) {}

  aio::Task<absl::StatusOr<RemovalPlan>> Run() {
    CALICO_CO_RETURN_IF_ERROR(co_await AddOperator());
    CALICO_CO_RETURN_IF_ERROR(co_await AddInventory());
    CALICO_CO_RETURN_IF_ERROR(co_await AddWorkloads());
    CALICO_CO_RETURN_IF_ERROR(co_await AddApiService());
    CALICO_CO_RETURN_IF_ERROR(co_await AddAsked());
    CALICO_CO_RETURN_IF_ERROR(co_await AddManifests());
    CALICO_CO_RETURN_IF_ERROR(co_await AddDefinitions());
    SortByStage();
    co_return std::move(plan_);
  }

 private:
  void Add(Stage stage, const api::Resource& resource, const json::object& object) {
    api::ObjectKey key = api::ObjectMetaOf(object).Key();
    if (!known_.emplace(resource.kind, key).second) return;
    plan_.doomed.push_back({.stage = stage,
                            .resource = &resource,
                            .key = std::move(key),
                            .former_finalizers = adoption::FormerFinalizersOf(object)});
  }

  // Those of one stage stay in their order.
  void SortByStage() {
    std::vector<Doomed> sorted;
    for (const Stage stage : kStages) {
      std::copy_if(plan_.doomed.begin(), plan_.doomed.end(), std::back_inserter(sorted),
                   [&](const Doomed& one) { return one.stage == stage; });
    }
    plan_.doomed = std::move(sorted);
  }

  // Calls `visit` for each object; a kind that is not served has none.
  template <class Visit>
  aio::Task<absl::Status> ForEach(const api::Resource& resource, std::string ns, Visit visit) {
    const auto sink = [&](json::object object) {
      visit(object);
      return absl::OkStatus();
    };
    const absl::StatusOr<std::string> version =
        co_await client_.List(resource, {.ns = std::move(ns)}, sink);
    co_return absl::IsNotFound(version.status()) ? absl::OkStatus() : version.status();
  }

  aio::Task<absl::Status> AddIfThere(Stage stage, const api::Resource& resource,
                                     api::ObjectKey key) {
    const absl::StatusOr<json::object> object = co_await client_.Get(resource, std::move(key));
    if (object.ok()) Add(stage, resource, *object);
    co_return absl::IsNotFound(object.status()) ? absl::OkStatus() : object.status();
  }

  aio::Task<absl::Status> AddOperator() {
    co_return co_await ForEach(api::kDeployments, "", [this](const json::object& deployment) {
      const std::string why = adoption::WhyInTheWay(deployment, options_.operator_key);
      if (!why.empty()) {
        plan_.problems.push_back(why);
      } else if (api::ObjectMetaOf(deployment).Key() == options_.operator_key) {
        Add(Stage::kOperator, api::kDeployments, deployment);
      }
    });
  }

  aio::Task<absl::Status> AddInventory() {
    CALICO_CO_ASSIGN_OR_RETURN(const std::vector<adoption::FoundObject> found,
                               co_await adoption::ReadInventory(client_, options_.operator_key.ns));
    for (const adoption::FoundObject& object : found) {
      // What has nothing to keep it goes with its namespace.
      const bool goes_along = IsCalicoNamespace(object.key.ns) &&
                              StageOf(*object.resource, object.key) == Stage::kOthers &&
                              adoption::FormerFinalizersOf(object.object).empty();
      if (!goes_along) Add(StageOf(*object.resource, object.key), *object.resource, object.object);
    }
    for (const std::string& ns : adoption::CalicoNamespaces()) {
      CALICO_CO_RETURN_IF_ERROR(
          co_await AddIfThere(Stage::kNamespaces, api::kNamespaces, {"", ns}));
    }
    co_return absl::OkStatus();
  }

  // Whoever has made them: they go with the namespace, and may go before the role only.
  aio::Task<absl::Status> AddWorkloads() {
    for (const std::string& ns : adoption::CalicoNamespaces()) {
      for (const api::Resource* const resource : {&api::kDeployments, &api::kDaemonSets}) {
        CALICO_CO_RETURN_IF_ERROR(
            co_await ForEach(*resource, ns, [&, resource](const json::object& object) {
              Add(StageOf(*resource, api::ObjectMetaOf(object).Key()), *resource, object);
            }));
      }
    }
    co_return absl::OkStatus();
  }

  // Also one that has lost its labels and its owner, as long as it points to Calico's namespaces.
  aio::Task<absl::Status> AddApiService() {
    co_return co_await ForEach(api::kApiServices, "", [this](const json::object& object) {
      const json::object* const spec = FindObject(object, "spec");
      const json::object* const service = spec == nullptr ? nullptr : FindObject(*spec, "service");
      if (service == nullptr || TextAt(*spec, "group") != kServedGroup) return;
      if (IsCalicoNamespace(TextAt(*service, "namespace"))) {
        Add(Stage::kApiService, api::kApiServices, object);
      }
    });
  }

  aio::Task<absl::Status> AddAsked() {
    for (const api::Resource* const resource : kAskedKinds) {
      CALICO_CO_RETURN_IF_ERROR(co_await ForEach(
          *resource, "",
          [this, resource](const json::object& object) { Add(Stage::kAsked, *resource, object); }));
    }
    int image_sets = 0;
    CALICO_CO_RETURN_IF_ERROR(
        co_await ForEach(api::kImageSets, "", [&](const json::object&) { ++image_sets; }));
    if (image_sets > 0 && options_.keep_crds) {
      plan_.left.push_back(fmt::format("{} ImageSet objects", image_sets));
    }
    co_return absl::OkStatus();
  }

  aio::Task<absl::Status> AddManifests() {
    const std::string& ns = options_.operator_key.ns;
    for (const Named& named : kOfManifests) {
      CALICO_CO_RETURN_IF_ERROR(
          co_await AddIfThere(Stage::kManifests, *named.resource,
                              {named.ns == nullptr ? ns : std::string(named.ns), named.name}));
    }
    std::vector<std::string> kept;
    for (const api::Resource* const resource : {&api::kSecrets, &api::kConfigMaps}) {
      CALICO_CO_RETURN_IF_ERROR(co_await ForEach(*resource, ns, [&](const json::object& object) {
        const api::ObjectKey key = api::ObjectMetaOf(object).Key();
        const bool is_usual = std::find(std::begin(kOfEveryNamespace), std::end(kOfEveryNamespace),
                                        key.name) != std::end(kOfEveryNamespace) ||
                              TextAt(object, "type") == "kubernetes.io/service-account-token";
        if (is_usual || known_.contains({resource->kind, key})) return;
        kept.push_back(fmt::format("{} {}", resource->kind, key.name));
      }));
    }
    if (kept.empty() || options_.remove_user_data) {
      co_return co_await AddIfThere(Stage::kManifests, api::kNamespaces, {"", ns});
    }
    plan_.left.push_back(fmt::format("Namespace {}, because of what users have put there: {}", ns,
                                     fmt::join(kept, ", ")));
    co_return absl::OkStatus();
  }

  aio::Task<absl::Status> AddDefinitions() {
    int calico = 0;
    CALICO_CO_RETURN_IF_ERROR(
        co_await ForEach(api::kCustomResourceDefinitions, "", [&](const json::object& object) {
          const json::object* const spec = FindObject(object, "spec");
          const std::string_view group = spec == nullptr ? "" : TextAt(*spec, "group");
          if (group == kOperatorGroup && !options_.keep_crds) {
            Add(Stage::kDefinitions, api::kCustomResourceDefinitions, object);
          } else if (group == kCalicoGroup && options_.remove_user_data) {
            Add(Stage::kDefinitions, api::kCustomResourceDefinitions, object);
          } else if (group == kCalicoGroup) {
            ++calico;
          }
        }));
    if (calico > 0) {
      plan_.left.push_back(
          fmt::format("{} definitions of {}, with every pool, policy and setting in them", calico,
                      kCalicoGroup));
    }
    co_return absl::OkStatus();
  }

  kube::Client& client_;
  const RemovalOptions options_;
  RemovalPlan plan_;
  std::set<std::pair<std::string_view, api::ObjectKey>> known_;
};

}  // namespace

std::string_view ToString(Stage stage) {
  switch (stage) {
    case Stage::kOperator:
      return "the operator";
    case Stage::kApiService:
      return "Calico's API";
    case Stage::kPodNetwork:
      return "workloads of the pod network";
    case Stage::kHostNetwork:
      return "calico-node and typha";
    case Stage::kOthers:
      return "roles, bindings and the like";
    case Stage::kNamespaces:
      return "Calico's namespaces";
    case Stage::kAsked:
      return "what was asked for";
    case Stage::kManifests:
      return "what the operator's manifests have brought";
    case Stage::kDefinitions:
      return "definitions";
  }
  return "";
}

aio::Task<absl::StatusOr<RemovalPlan>> MakeRemovalPlan(kube::Client& client,
                                                       RemovalOptions options) {
  Planner planner(client, std::move(options));
  co_return co_await planner.Run();
}

}  // namespace calico::removal
