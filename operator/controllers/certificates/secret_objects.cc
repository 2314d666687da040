#include "operator/controllers/certificates/secret_objects.h"

#include <utility>

#include "operator/render/finish.h"
#include "pkg/api/meta/resources.h"

namespace calico::certificates {

json::object MakeObject(const PlannedSecret& secret, const Owners& owners) {
  json::object object = ToObject(secret);
  const bool is_of_api_server = secret.owner == api::kApiServers.kind && !owners.api_server.empty();
  const render::Owner owner =
      is_of_api_server ? render::Owner{&api::kApiServers, owners.api_server, owners.api_server_name}
                       : render::Owner{&api::kInstallations, owners.installation};
  render::SetCommonLabels(object, owner);
  render::SetOwner(object, owner);
  if (!secret.uid.empty()) {
    json::object& metadata = object.at("metadata").get_object();
    metadata["uid"] = secret.uid;
    metadata["resourceVersion"] = secret.resource_version;
  }
  return object;
}

std::vector<json::object> MakeObjects(const Plan& plan, const Owners& owners) {
  std::vector<json::object> objects;
  for (const auto* const secrets : {&plan.originals, &plan.copies}) {
    for (const PlannedSecret& secret : *secrets) {
      if (secret.write == PlannedSecret::Write::kKeep) {
        objects.push_back(MakeObject(secret, owners));
      }
    }
  }
  return objects;
}

}  // namespace calico::certificates
