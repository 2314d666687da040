// Everything that applying an object would change, for people to read before it is done. What is
// decided by it is compare.h's: an object without a FirstDifference has no Changes.
#ifndef CALICO_PKG_KUBE_SCHEMA_CHANGES_H_
#define CALICO_PKG_KUBE_SCHEMA_CHANGES_H_

#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/schema.h"

namespace calico::kube {

struct FieldChange {
  std::string path;    // "spec.template.spec.containers[calico-node].image"
  json::value before;  // null: absent
  json::value after;

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// The fields of `desired` that `live` does not hold, each as deep as the API server tells it from
// its neighbours: one variable of a container, but a role's rules as a whole. A list whose elements
// are there in another order is one change of " (order)", with the keys as its values. Of kinds
// that are compared whole (IsComparedWhole) also what `live` has too much.
std::vector<FieldChange> Changes(const Schema& schema, const json::object& live,
                                 const json::object& desired);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_CHANGES_H_
