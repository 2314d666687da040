// Has an object only fields of its kind, and values of the right shape? What strict field
// validation of the API server would say, known before anything is sent.
#ifndef CALICO_PKG_KUBE_SCHEMA_SHAPE_H_
#define CALICO_PKG_KUBE_SCHEMA_SHAPE_H_

#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/schema.h"

namespace calico::kube {

// Errors: InvalidArgument with the path: a field that is not known, a value of another shape, two
// elements of a list with equal keys, an element without one; a kind that `schema` does not know.
absl::Status CheckShape(const Schema& schema, const json::object& object);

// As CheckShape, for one value of a field; the path begins with `path`.
absl::Status CheckShape(const FieldType& field, const json::value& value, const std::string& path);

// Whether `value` is one element of that type, nothing deeper: "expected string" if not. Null is
// no value of any type.
absl::Status CheckElement(const FieldType& field, const json::value& value, std::string_view path);

// The error of a field that is not known.
absl::Status UnknownField(std::string_view path, const StructType& type);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_SHAPE_H_
