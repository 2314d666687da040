#include "operator/render/render.h"

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

Objects PullSecrets(const Inputs& inputs) {
  Objects objects;
  for (const PullSecret& secret : inputs.pull_secrets) {
    json::object copy = api::NewObject(api::kSecrets, {std::string(kCalicoNamespace), secret.name});
    copy["type"] = secret.type;
    copy["data"] = secret.data;
    objects.push_back(std::move(copy));
  }
  return objects;
}

}  // namespace

absl::StatusOr<std::vector<json::object>> Render(const Release& release,
                                                 const api::Installation& installation,
                                                 const Inputs& inputs) {
  const Facts facts = FactsOf(installation, inputs);
  RenderValues values(release, installation, inputs, facts);
  CALICO_ASSIGN_OR_RETURN(Objects objects, release.Select(facts, values.AsMarkerValues()));
  for (json::object& copy : PullSecrets(inputs)) objects.push_back(std::move(copy));
  const OverrideSources overrides = {
      .spec = installation.spec,
      .has_annotation = release.Has(Release::Feature::kCustomOverridesAnnotation)};
  for (json::object& object : objects) {
    ApplyOverrides(object, overrides);
    CALICO_RETURN_IF_ERROR(FinishWorkload(object, release, installation, inputs));
    SetCommonLabels(object);
    SetOwner(object, inputs.owner_uid);
  }
  return objects;
}

}  // namespace calico::render
