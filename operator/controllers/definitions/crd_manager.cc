#include "operator/controllers/definitions/crd_manager.h"

#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "crds/crds.h"
#include "operator/render/names.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/kube/schema/compare.h"

namespace calico::definitions {
namespace {

constexpr absl::Duration kEstablishTimeout = absl::Seconds(10);
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

bool IsEstablished(const json::object& definition) {
  codec::Decoder decoder("CustomResourceDefinition");
  const std::vector<api::Condition> conditions =
      api::ReadConditions(decoder.Read(definition).Object("status"));
  const api::Condition* const established = api::FindCondition(conditions, "Established");
  return established != nullptr && established->IsTrue();
}

bool IsChange(const json::object& live, const json::object& desired) {
  return kube::FirstDifference(kube::Schema::Kubernetes(), live, desired).has_value();
}

aio::Task<absl::Status> WaitUntilEstablished(kube::Client& client, api::ObjectKey key,
                                             json::object definition) {
  for (absl::Duration waited; !IsEstablished(definition); waited += kPollInterval) {
    if (waited >= kEstablishTimeout) {
      co_return absl::UnavailableError(
          fmt::format("apply CustomResourceDefinition {}: not established", key.name));
    }
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(kPollInterval));
    CALICO_CO_ASSIGN_OR_RETURN(definition,
                               co_await client.Get(api::kCustomResourceDefinitions, key));
  }
  co_return absl::OkStatus();
}

// Whether the API server serves all kinds of this operator, so that no definition is missing: one
// small answer in place of every definition as a whole. What cannot be asked counts as no.
aio::Task<bool> ServesAll(kube::Client& client) {
  for (const api::Resource* const resource : OwnKinds()) {
    const absl::StatusOr<bool> serves = co_await client.Serves(*resource);
    if (!serves.ok() || !*serves) co_return false;
  }
  co_return true;
}

struct AppliedCrd {
  api::ObjectKey key;
  json::object live;
};

aio::Task<absl::StatusOr<AppliedCrd>> ApplyCrd(kube::Client& client, Crds which,
                                               const base::Logger& logger,
                                               json::object definition) {
  CALICO_CO_ASSIGN_OR_RETURN(const kube::DesiredObject desired,
                             kube::MakeDesired(std::move(definition), render::kAppliedAnnotation));
  absl::StatusOr<json::object> live = co_await client.Get(*desired.resource, desired.key);
  if (!live.ok() && !absl::IsNotFound(live.status())) co_return live.status();
  const bool may_update = which == Crds::kAll;
  if (!live.ok() || (may_update && IsChange(*live, desired.object))) {
    live =
        co_await client.Apply(*desired.resource, desired.object,
                              {.field_manager = std::string(render::kFieldManager), .force = true});
    CALICO_CO_RETURN_IF_ERROR(live);
    logger.Info("applied", {{"kind", desired.resource->kind}, {"name", desired.key.name}});
  }
  co_return AppliedCrd{.key = desired.key, .live = *std::move(live)};
}

}  // namespace

std::vector<const api::Resource*> OwnKinds() {
  return {&api::kInstallations, &api::kTigeraStatuses, &api::kApiServers,
          &api::kImageSets,     &api::kGoldmanes,      &api::kWhiskers};
}

aio::Task<absl::Status> ApplyCrds(kube::Client& client, Crds which, const base::Logger& logger) {
  if (which == Crds::kMissing && co_await ServesAll(client)) co_return absl::OkStatus();
  absl::Status first_error;
  std::vector<AppliedCrd> applied;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    CALICO_CO_ASSIGN_OR_RETURN(json::value document, codec::ParseYaml(file.content));
    absl::StatusOr<AppliedCrd> crd =
        co_await ApplyCrd(client, which, logger, std::move(document.as_object()));
    if (absl::IsCancelled(crd.status())) co_return crd.status();
    first_error.Update(crd.status());
    if (crd.ok()) applied.push_back(*std::move(crd));
  }
  CALICO_CO_RETURN_IF_ERROR(first_error);
  for (AppliedCrd& crd : applied) {
    CALICO_CO_RETURN_IF_ERROR(
        co_await WaitUntilEstablished(client, std::move(crd.key), std::move(crd.live)));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> ManageCrds(kube::Client& client, Crds which, const base::Logger& logger,
                                   std::function<void(const absl::Status&)> tell) {
  base::Backoff backoff({.initial = absl::Milliseconds(200)});
  while (true) {
    const absl::Status status = co_await ApplyCrds(client, which, logger);
    if (absl::IsCancelled(status)) co_return status;
    if (tell) tell(status);
    if (status.ok()) co_return status;
    logger.Error("cannot apply the CustomResourceDefinitions", {{"error", status}});
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(backoff.Next(base::RandomUnit())));
  }
}

}  // namespace calico::definitions
