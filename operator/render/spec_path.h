// Fields of an Installation's spec by their path.
#ifndef CALICO_OPERATOR_RENDER_SPEC_PATH_H_
#define CALICO_OPERATOR_RENDER_SPEC_PATH_H_

#include <string_view>

#include "pkg/codec/json.h"

namespace calico::render {

// The field at "calicoNetwork.mtu"; null if it says nothing: absent, null or "", as everywhere in
// an Installation. Lifetime: the spec's.
const json::value* FindInSpec(const json::object& spec, std::string_view path);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_SPEC_PATH_H_
