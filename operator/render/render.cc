#include "operator/render/render.h"

#include <string>
#include <string_view>
#include <utility>

#include "operator/render/derived_values.h"
#include "operator/render/facts.h"
#include "operator/render/finish.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/overrides.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::render {

namespace {

using Objects = std::vector<json::object>;

// In every namespace that is made, since pods refer to those of their own.
Objects PullSecrets(const Objects& rendered, const Inputs& inputs) {
  Objects objects;
  for (const json::object& ns : rendered) {
    if (KindOf(ns) != api::kNamespaces.kind) continue;
    for (const PullSecret& secret : inputs.pull_secrets) {
      json::object copy = api::NewObject(api::kSecrets, {std::string(NameOf(ns)), secret.name});
      copy["type"] = secret.type;
      copy["data"] = secret.data;
      objects.push_back(std::move(copy));
    }
  }
  return objects;
}

// Copies of pull secrets, the only Secrets here, go with their namespace.
bool IsOfApiServer(const json::object& object, const Release& release) {
  if (KindOf(object) != api::kSecrets.kind) return release.IsOfApiServer(object);
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const std::string_view ns = metadata == nullptr ? "" : TextAt(*metadata, "namespace");
  return release.IsOfApiServer(api::NewObject(api::kNamespaces, {"", std::string(ns)}));
}

Owner OwnerOf(const json::object& object, const Release& release, const Inputs& inputs) {
  if (inputs.api_server.has_value() && IsOfApiServer(object, release)) {
    return {&api::kApiServers, inputs.api_server->uid, inputs.api_server->name};
  }
  return {&api::kInstallations, inputs.owner_uid};
}

}  // namespace

absl::StatusOr<std::vector<json::object>> Render(const Release& release,
                                                 const api::Installation& installation,
                                                 const Inputs& inputs) {
  const Facts facts = FactsOf(installation, inputs);
  RenderValues values(release, installation, inputs, facts);
  CALICO_ASSIGN_OR_RETURN(Objects objects, release.Select(facts, values.AsMarkerValues()));
  for (json::object& copy : PullSecrets(objects, inputs)) objects.push_back(std::move(copy));
  const OverrideSources overrides = {
      .spec = installation.spec,
      .api_server = inputs.api_server.has_value() ? &inputs.api_server->spec : nullptr,
      .has_annotation = release.Has(Release::Feature::kCustomOverridesAnnotation)};
  for (json::object& object : objects) {
    ApplyOverrides(object, overrides);
    CALICO_RETURN_IF_ERROR(FinishWorkload(object, release, installation, inputs));
    const Owner owner = OwnerOf(object, release, inputs);
    SetCommonLabels(
        object, owner,
        release.Has(Release::Feature::kLabelsOnPods) ? LabelsOnPods::kAll : LabelsOnPods::kByName);
    SetOwner(object, owner);
  }
  return objects;
}

}  // namespace calico::render
