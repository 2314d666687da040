#include "operator/render/render.h"

#include <utility>

#include "operator/render/facts.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/values.h"
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
  CALICO_ASSIGN_OR_RETURN(Objects objects, release.Select(FactsOf(installation, inputs)));
  CALICO_RETURN_IF_ERROR(CheckAllTakeValues(objects));
  CALICO_ASSIGN_OR_RETURN(const ValueSources sources,
                          MakeValueSources(release, installation, inputs, objects));
  for (json::object& copy : PullSecrets(inputs)) objects.push_back(std::move(copy));
  for (json::object& object : objects) {
    CALICO_RETURN_IF_ERROR(SetValues(object, sources));
    SetCommonLabels(object);
    SetOwner(object, inputs.owner_uid);
  }
  return objects;
}

}  // namespace calico::render
