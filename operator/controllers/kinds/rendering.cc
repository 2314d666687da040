#include "operator/controllers/kinds/rendering.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/render/images.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/render.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/image_set.h"
#include "pkg/api/operator/tigera_status.h"

namespace calico::kinds {
namespace {

using Objects = std::vector<json::object>;

bool IsOfApiServer(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const owners =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "ownerReferences");
  return owners != nullptr && !owners->empty() && owners->front().is_object() &&
         codec::TextAt(owners->front().get_object(), "kind") == api::kApiServers.kind;
}

// Keys of the release's images that containers of `object` have, by full name.
void AddImages(const json::object& object,
               const std::map<std::string, std::string, std::less<>>& keys,
               std::set<std::string>& images) {
  const json::object* pod = &object;
  for (const std::string_view step : {"spec", "template", "spec"}) {
    pod = codec::FindObject(*pod, step);
    if (pod == nullptr) return;
  }
  for (const std::string_view list : {"initContainers", "containers"}) {
    const json::array* const containers = codec::FindArray(*pod, list);
    if (containers == nullptr) continue;
    for (const json::value& container : *containers) {
      if (!container.is_object()) continue;
      const auto key = keys.find(codec::TextAt(container.get_object(), "image"));
      if (key != keys.end() && key->second != render::kProvisionerImage) images.insert(key->second);
    }
  }
}

// What keeps the set among `inputs` from being used: for the Installation, and for its APIServer.
struct Shortcomings {
  std::vector<std::string> installation;
  std::vector<std::string> api_server;
};
Shortcomings FindShortcomings(const render::Release& release, const api::Installation& installation,
                              render::Inputs inputs) {
  Shortcomings found;
  if (!inputs.image_set.has_value()) return found;
  const api::ImageSet set = *std::exchange(inputs.image_set, std::nullopt);
  const absl::StatusOr<Objects> objects = render::Render(release, installation, inputs);
  if (!objects.ok()) return found;
  const std::map<std::string, std::string, std::less<>> keys =
      release.images().KeysByReference(render::ImageSource::Of(installation));
  std::set<std::string> images;
  std::set<std::string> api_server_images;
  for (const json::object& object : *objects) {
    AddImages(object, keys, IsOfApiServer(object) ? api_server_images : images);
  }
  const auto problems = [&set](const std::set<std::string>& wanted) {
    return api::ImageSetProblems(set, std::vector<std::string>(wanted.begin(), wanted.end()));
  };
  found.installation = problems(images);
  found.api_server = problems(api_server_images);
  return found;
}

status::Obstacle ShortOf(const std::vector<std::string>& problems) {
  return {std::string(api::kReasonResourceValidationError), absl::StrJoin(problems, "; ")};
}

}  // namespace

void TakeApart(std::vector<json::object> objects, Rendering& rendering) {
  for (json::object& object : objects) {
    Objects& part = IsOfApiServer(object) ? rendering.api_server : rendering.objects;
    part.push_back(std::move(object));
  }
}

Rendering RenderApart(const render::Release& release, const api::Installation& installation,
                      render::Inputs inputs) {
  Rendering rendering;
  absl::StatusOr<Objects> objects = render::Render(release, installation, inputs);
  if (objects.ok()) {
    TakeApart(*std::move(objects), rendering);
    return rendering;
  }
  const Shortcomings shortcomings = FindShortcomings(release, installation, inputs);
  const status::Obstacle broken = {
      std::string(api::kReasonResourceRenderingError),
      fmt::format("release {}: {}", release.version(), std::string(objects.status().message()))};
  if (!shortcomings.installation.empty()) {
    rendering.obstacle = ShortOf(shortcomings.installation);
    return rendering;
  }
  if (inputs.api_server.has_value()) {
    inputs.api_server.reset();
    objects = render::Render(release, installation, inputs);
    rendering.api_server_obstacle =
        shortcomings.api_server.empty() ? broken : ShortOf(shortcomings.api_server);
  }
  if (objects.ok()) {
    TakeApart(*std::move(objects), rendering);
  } else {
    rendering.obstacle = broken;
    rendering.error = objects.status();
  }
  return rendering;
}

}  // namespace calico::kinds
