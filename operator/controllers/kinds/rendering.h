// Rendering for an Installation and its APIServer, so that what is wrong with one of them does not
// stand in the way of the other.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_RENDERING_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_RENDERING_H_

#include <optional>
#include <vector>

#include <absl/status/status.h>

#include "operator/controllers/status/conditions.h"
#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::kinds {

struct Rendering {
  std::vector<json::object> objects;     // that belong to the Installation
  std::vector<json::object> api_server;  // that belong to the APIServer
  // Why there are no objects at all.
  std::optional<status::Obstacle> obstacle;
  // Why there are none of the APIServer, though there is one among the inputs.
  std::optional<status::Obstacle> api_server_obstacle;
  // Of an obstacle that is no fault of what users wrote: to be tried again.
  absl::Status error;
};

// Adds `objects` to the parts of the one that they belong to.
void TakeApart(std::vector<json::object> objects, Rendering& rendering);

// As render::Render. An ImageSet that lacks images is told with all that it lacks; one that lacks
// only those of the API server is the APIServer's obstacle.
Rendering RenderApart(const render::Release& release, const api::Installation& installation,
                      render::Inputs inputs);

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_RENDERING_H_
