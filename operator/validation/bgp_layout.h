// CheckBgpLayout: whether the user's ConfigMap for early networking can be mounted.
#ifndef CALICO_OPERATOR_VALIDATION_BGP_LAYOUT_H_
#define CALICO_OPERATOR_VALIDATION_BGP_LAYOUT_H_

#include <string_view>

#include <absl/status/status.h>

#include "pkg/api/meta/object_meta.h"

namespace calico::validation {

// Of ConfigMap bgp-layout in namespace `ns`, whose data is `data`: calico-node mounts one key of
// it. Errors: InvalidArgument naming the ConfigMap, the key and what to do.
absl::Status CheckBgpLayout(const api::StringMap& data, std::string_view ns);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_BGP_LAYOUT_H_
