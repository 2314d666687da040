// The CNI configuration that install-cni writes on every node, as text.
//
// Its shape varies with the Installation (plugins that are there or not), so that code makes it, to
// the letter as Calico's own operator does: calico-node's pods carry a hash of it, and another
// letter would restart them all when the operators change places.
#ifndef CALICO_OPERATOR_RENDER_CNI_CONFIG_H_
#define CALICO_OPERATOR_RENDER_CNI_CONFIG_H_

#include <string>
#include <string_view>

#include "operator/render/inputs.h"
#include "pkg/codec/json.h"

namespace calico::render {

// `spec` is a completed one (operator/defaults) with cni.type Calico; `release` is a folder,
// "v3.33", and one that is not known is made like the newest before it. What the spec leaves out is
// left out.
std::string CniConfig(std::string_view release, const json::object& spec, const Inputs& inputs);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_CNI_CONFIG_H_
