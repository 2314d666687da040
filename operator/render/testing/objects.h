// For tests: looking into rendered objects. What is not there ends the test program.
#ifndef CALICO_OPERATOR_RENDER_TESTING_OBJECTS_H_
#define CALICO_OPERATOR_RENDER_TESTING_OBJECTS_H_

#include <string_view>
#include <vector>

#include "operator/render/inputs.h"
#include "operator/render/object_path.h"
#include "operator/render/release.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// Lifetime of every reference: until its parent changes.
json::object& ObjectAt(json::object& root, Path path);
json::array& ArrayAt(json::object& root, Path path);
json::object& Named(json::array& list, std::string_view name);
json::object& PodSpec(json::object& workload);
json::object& Container(json::object& workload, std::string_view name);
json::object& InitContainer(json::object& workload, std::string_view name);

// The default release inside the binary. Lifetime: static.
const Release& DefaultRelease();
std::vector<json::object> RenderDefault(const api::Installation& installation,
                                        const Inputs& inputs);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_TESTING_OBJECTS_H_
