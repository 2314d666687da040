// Strategic merge patches (Kubernetes' own rules for `kubectl patch`), on parsed objects.
//
//   - structs and maps merge, field by field; `null` removes a field or an entry
//   - lists with keys merge element by element; new elements come last
//   - sets are united
//   - lists and maps that the API treats as one value are replaced, as scalars are
//   - `$patch: delete` in a struct or in an element removes it, `$patch: replace` in a struct
//     makes it what else stands there, and an element `{$patch: replace}` does that to its list
//   - a first element `{$patch: append}` (Kubernetes has no such directive) lets what follows come
//     after what a list holds that would be replaced otherwise
//
// Strict where Kubernetes is lax, since the patch comes from a manifest of ours or from a user who
// wants to be told: a field that the kind does not have, a value of another shape, an element
// without its key and an unknown directive are errors.
#ifndef CALICO_PKG_KUBE_SCHEMA_MERGE_H_
#define CALICO_PKG_KUBE_SCHEMA_MERGE_H_

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/schema.h"

namespace calico::kube {

// `base` changed by `patch`. The kind is that of `base`; the patch's apiVersion and kind, where it
// has them, must be the same.
// Errors: InvalidArgument with the path ("spec.template.spec.containers[calico-node].env: ...");
// also for a kind that `schema` does not know.
absl::StatusOr<json::object> Merge(const Schema& schema, json::object base,
                                   const json::object& patch);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_MERGE_H_
