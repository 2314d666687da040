// JSON text <-> boost::json values, bounded. The alias `json` is visible in every calico namespace.
//
//   CALICO_ASSIGN_OR_RETURN(json::object pod, codec::ParseJsonObject(body));
//
// To read fields of a parsed object with errors that name them use ObjectReader; to read a List
// response use ListSplitter.
#ifndef CALICO_PKG_CODEC_JSON_H_
#define CALICO_PKG_CODEC_JSON_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

namespace calico {

namespace json = boost::json;

namespace codec {

struct ParseLimits {
  // Longer texts are refused. The API server's own limit for one object is 3 MiB.
  std::size_t max_bytes = 16 << 20;
  // Objects and arrays inside each other.
  std::size_t max_depth = 64;
};

// Parses exactly one JSON value (white space around it is fine). A key given twice: the last value
// counts, as in Go's encoding/json. Invalid UTF-8, comments and trailing commas are refused.
// The value allocates from `storage`, which must outlive it; by default from the heap.
// Errors: InvalidArgument, whose message never quotes the text; ResourceExhausted beyond `limits`.
absl::StatusOr<json::value> ParseJson(std::string_view text, const ParseLimits& limits = {},
                                      json::storage_ptr storage = {});

// As ParseJson; a value that is not an object is an InvalidArgument error too.
absl::StatusOr<json::object> ParseJsonObject(std::string_view text, const ParseLimits& limits = {},
                                             json::storage_ptr storage = {});

// Compact text, keys in the order in which they were put in: equal values built the same way give
// equal bytes.
std::string Serialize(const json::value& value);
std::string Serialize(const json::object& object);

// `text` as std::string_view (boost::json has string types of its own).
inline std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

inline std::string_view KeyOf(const json::key_value_pair& member) {
  return {member.key().data(), member.key().size()};
}

// A member of `object` for code that takes what comes: null, or empty, when it is absent or of
// another type. Lifetime: as long as `object` is not changed.
const json::object* FindObject(const json::object& object, std::string_view key);
const json::array* FindArray(const json::object& object, std::string_view key);
std::string_view TextAt(const json::object& object, std::string_view key);

// JSON's name of the value's type for messages: "object", "array", "string", "number", "boolean",
// "null".
std::string_view KindName(const json::value& value);

}  // namespace codec
}  // namespace calico

#endif  // CALICO_PKG_CODEC_JSON_H_
