// From an Installation to the objects that it asks for.
//
// Pure: no clock, no network, no environment. Equal arguments give byte-equal objects, whatever
// version of the operator renders them: nothing of the operator itself goes in, or an upgrade of
// the operator would restart pods.
#ifndef CALICO_OPERATOR_RENDER_RENDER_H_
#define CALICO_OPERATOR_RENDER_RENDER_H_

#include <vector>

#include <absl/status/statusor.h>

#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// Every object, in the release's order, with values, labels and owner; the copies of image pull
// secrets come after the namespace. What an Installation does not ask for is not among them, and
// is deleted where it was before.
// Errors: InvalidArgument for a release that does not hold together, naming object and path;
// nothing that an Installation can say causes one, as releases_test shows.
// Requires: the installation passed validation, and its `spec` is complete (operator/defaults):
// nothing is filled in here.
absl::StatusOr<std::vector<json::object>> Render(const Release& release,
                                                 const api::Installation& installation,
                                                 const Inputs& inputs);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RENDER_H_
