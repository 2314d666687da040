// Would applying an object change anything? Answered here, so that an idle program sends nothing.
#ifndef CALICO_PKG_KUBE_APPLY_COMPARE_H_
#define CALICO_PKG_KUBE_APPLY_COMPARE_H_

#include <optional>
#include <string>

#include "pkg/codec/json.h"

namespace calico::kube {

// The path of the first field of `desired` that `live` does not hold, such as
// "spec.template.spec.containers[calico-node].image"; nullopt when it holds them all.
//
// `live` may hold more: defaults, fields and list elements of other managers. Lists that the API
// server merges by key (containers, env, volumes, ports, ...) are compared element by element; all
// other lists must be equal. An empty text, list or object, null, false and 0 equal an absent
// field. Quantities are compared by amount.
std::optional<std::string> FirstDifference(const json::object& live, const json::object& desired);

// Whether the API server would refuse to turn `live` into `desired`, so that it must be deleted
// first: another roleRef of a binding, another type of a Secret.
bool NeedsRecreation(const json::object& live, const json::object& desired);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_COMPARE_H_
