// Who set what: moves fields of other managers to us, in metadata.managedFields.
#ifndef CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_
#define CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_

#include <optional>
#include <string_view>

#include "pkg/codec/json.h"

namespace calico::kube {

// Whether an entry of managedFields is what `manager` has applied; updates, and what it has done to
// a subresource, do not count.
bool IsAppliedBy(const json::value& entry, std::string_view manager);

enum class TakeOver {
  // What stands in what `manager` has applied: a field beside its own, as `value` beside
  // `valueFrom`. Elements of lists and entries of annotations and labels that are all somebody
  // else's are left to him: a variable, a container, the time of a restart.
  kBesideOwn,
  kEverything,
};

// The managedFields of `live` in which that belongs to what `manager` has applied, so that its next
// apply removes what it does not send. Metadata and subresources (status, scale) stay as they are.
// nullopt: `manager` has applied nothing, or nobody else has set anything of the kind.
std::optional<json::array> TakeOverFields(const json::object& live, std::string_view manager,
                                          TakeOver what);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_
