// Sets of fields of an object, as server-side apply counts them, and changes by such sets. Pure.
//
// The schema is a table of the lists that merge by key (containers by name, conditions by type,
// ...); every other list is one value. Maps always merge by key.
#ifndef CALICO_PKG_KUBE_TESTING_FIELD_SET_H_
#define CALICO_PKG_KUBE_TESTING_FIELD_SET_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::kube {

// Elements as in fieldsV1: `f:spec`, `k:{"name":"a"}`, `v:"finalizer"`; `.` is a list's item
// itself.
using FieldPath = std::vector<std::string>;
using FieldSet = std::set<FieldPath>;

// All leaves of `object` that somebody can own: not apiVersion, kind and what the server sets in
// metadata.
FieldSet FieldsOf(const json::object& object);

// Leaves of `after` that are absent from `before` or differ from it.
FieldSet ChangedFields(const json::object& before, const json::object& after);

// fieldsV1 and back. A malformed one gives what can be read.
json::object EncodeFields(const FieldSet& fields);
FieldSet DecodeFields(const json::object& fields);

// The value at `path`, or nullptr. The list item itself for a path that ends in `.`.
const json::value* FindField(const json::object& object, const FieldPath& path);

// Removes the leaf at `path`, and the maps and lists that become empty by it.
void RemoveField(json::object& object, const FieldPath& path);

// Puts every leaf of `applied` into `live`; lists with keys are merged, in the order of `applied`.
void MergeApplied(json::object& live, const json::object& applied);

// `.spec.containers[name="a"].image`, as conflict messages print it.
std::string PrintField(const FieldPath& path);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_FIELD_SET_H_
