// Who set what: moves fields of other managers to us, in metadata.managedFields, and tells what
// goes with that.
#ifndef CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_
#define CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_

#include <optional>
#include <string_view>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/schema.h"

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

// The managedFields of `live` in which what `from` has set by updates is what `to` has applied, as
// if it had applied it all along. Metadata and subresources stay as they are. nullopt: `from` has
// set nothing of the kind.
std::optional<json::array> TransferFields(const json::object& live, std::string_view from,
                                          std::string_view to);

// `live` without the fields outside of metadata that `from` alone has set and that `desired` lacks:
// what is left when `desired` is applied after TransferFields. The API server fills in what it
// would have filled in anyway. nullopt: nothing goes.
std::optional<json::object> WithoutFieldsOf(const Schema& schema, const json::object& live,
                                            const json::object& desired, std::string_view from);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_TAKE_OVER_H_
