// From an Installation to the objects that it asks for.
//
// Pure: no clock, no network, no environment. Equal arguments give byte-equal objects, whatever
// version of the operator renders them: nothing of the operator itself goes in, or an upgrade of
// the operator would restart pods.
#ifndef CALICO_OPERATOR_RENDER_RENDER_H_
#define CALICO_OPERATOR_RENDER_RENDER_H_

#include <vector>

#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// One component: a part of Calico with the objects that it consists of. A component whose objects
// an Installation does not ask for gives none, and what it gave before is then deleted.
struct Component {
  const char* name;
  std::vector<json::object> (*render)(const Release& release, const api::Installation& installation,
                                      const Inputs& inputs);
};

// In the order in which objects are listed; applying has an order of its own.
const std::vector<Component>& Components();

// Every object of every component, with labels and owner.
// Requires: the installation passed validation (it has certificateManagement).
std::vector<json::object> Render(const Release& release, const api::Installation& installation,
                                 const Inputs& inputs);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RENDER_H_
