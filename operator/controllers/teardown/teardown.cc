#include "operator/controllers/teardown/teardown.h"

#include <memory>
#include <string_view>
#include <utility>

#include "operator/render/names.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"

namespace calico::teardown {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(2);

struct Last {
  const api::Resource* resource;
  std::string_view name;
};
// The account goes with the namespace.
constexpr Last kLast[] = {
    {&api::kClusterRoleBindings, render::kCniPlugin},
    {&api::kClusterRoles, render::kCniPlugin},
    {&api::kNamespaces, render::kCalicoNamespace},
};

struct Doomed {
  const api::Resource* resource;
  std::shared_ptr<const kube::LiveObject> live;
};

// Whether the pod has a network that the CNI plugin takes down.
bool IsOnThePodNetwork(const json::object& pod) {
  const json::object* const spec = codec::FindObject(pod, "spec");
  const json::object* const status = codec::FindObject(pod, "status");
  const std::string_view phase = status == nullptr ? "" : codec::TextAt(*status, "phase");
  if (spec == nullptr || phase == "Succeeded" || phase == "Failed") return false;
  const json::value* const host = spec->if_contains("hostNetwork");
  return host == nullptr || *host != true;
}

}  // namespace

aio::Task<absl::StatusOr<std::vector<std::string>>> Teardown::PodsOfThePodNetwork() {
  std::vector<std::string> pods;
  const auto add = [&](json::object pod) {
    if (IsOnThePodNetwork(pod)) pods.push_back(api::ObjectMetaOf(pod).name);
    return absl::OkStatus();
  };
  const absl::StatusOr<std::string> version =
      co_await client_.List(api::kPods, {.ns = std::string(render::kCalicoNamespace)}, add);
  if (!version.ok()) co_return version.status();
  co_return pods;
}

aio::Task<absl::StatusOr<controller::Result>> Teardown::Run() {
  std::vector<Doomed> doomed;
  for (const Last& last : kLast) {
    std::shared_ptr<const kube::LiveObject> live =
        owned_.Get(*last.resource, {"", std::string(last.name)});
    // One with an owner goes with that; one that we have not applied is somebody else's.
    if (live == nullptr || !live->applied_by_us || !live->controller_uid.empty()) continue;
    if (!live->deleting) doomed.push_back({last.resource, std::move(live)});
  }
  if (doomed.empty()) co_return controller::Result{};
  CALICO_CO_ASSIGN_OR_RETURN(const std::vector<std::string> pods, co_await PodsOfThePodNetwork());
  if (!pods.empty()) {
    if (std::exchange(told_pods_, pods.size()) != pods.size()) {
      logger_.Info("the Installation is gone, waiting for pods that need the CNI plugin",
                   {{"pods", pods.size()}, {"first", pods.front()}});
    }
    co_return controller::Result{.requeue_after = kInterval};
  }
  // Another one may have been made meanwhile, which goes on with what is there.
  const absl::Status installation =
      (co_await client_.Get(api::kInstallations, {"", std::string(api::kInstallationName)}))
          .status();
  if (!absl::IsNotFound(installation)) co_return controller::Result{.requeue_after = kInterval};
  for (const Doomed& one : doomed) {
    const absl::Status status =
        co_await client_.Delete(*one.resource, one.live->key, {.uid = one.live->uid});
    if (!status.ok() && !absl::IsNotFound(status)) co_return status;
    logger_.Info("deleted, the Installation is gone",
                 {{"kind", one.resource->kind}, {"name", one.live->key.name}});
  }
  told_pods_ = 0;
  co_return controller::Result{};
}

}  // namespace calico::teardown
