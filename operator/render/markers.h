// Markers: places in a release's manifests that take a value.
//
//   ${spec.calicoNetwork.mtu}       a field of the completed Installation
//   ${inputs.apiServerHost}         a derived value (derived_values.h)
//   ${spec.nodeMetricsPort:-9091}   with a text for when there is none
//   $${                             "${" itself
//
// A text that is one marker becomes the value, with its JSON type, or as the type that the field
// has: a number in a field that takes text is its digits. Between other text a marker is text, too.
// In a map, keys may have markers, and the entry `$merge: ${inputs.NAME}` adds every entry of an
// object.
#ifndef CALICO_OPERATOR_RENDER_MARKERS_H_
#define CALICO_OPERATOR_RENDER_MARKERS_H_

#include <functional>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::render {

// The value at a path; null where there is none. Lifetime of the result: until the next call.
// Errors: InvalidArgument for a path that nothing is ever at, and for a value that cannot be used.
using MarkerValues = std::function<absl::StatusOr<const json::value*>(std::string_view path)>;

// Replaces every marker of an object, or of a patch of one, of a kind that the API server has
// (kube::Schema); in objects of other kinds values keep their types. What a value holds is never
// looked at again: a user's `${` stays.
// Errors: InvalidArgument naming the path and the marker: one without a value and without a text,
// one that is not closed, a value that its field cannot take.
absl::Status ExpandMarkers(json::object& object, const MarkerValues& values);

// As above for free JSON, such as a configuration that becomes a text. There a marker's own text
// that reads as a number, true or false is one.
absl::Status ExpandFreeMarkers(json::value& value, const MarkerValues& values);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_MARKERS_H_
