#include "pkg/codec/json.h"

#include <utility>

#include <absl/status/status.h>
#include <boost/json/error.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::codec {

absl::StatusOr<json::value> ParseJson(std::string_view text, const ParseLimits& limits,
                                      json::storage_ptr storage) {
  if (text.size() > limits.max_bytes) {
    return absl::ResourceExhaustedError(fmt::format(
        "parse JSON: {} bytes, more than the {} allowed", text.size(), limits.max_bytes));
  }
  json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::system::error_code error;
  // The storage holds what the parser keeps meanwhile, too: keys and tokens that are parsed into
  // memory that is wiped must not be left elsewhere.
  json::parser parser(storage, options);
  parser.reset(std::move(storage));
  parser.write({text.data(), text.size()}, error);
  if (error == json::error::too_deep) {
    return absl::ResourceExhaustedError(
        fmt::format("parse JSON: nested deeper than {}", limits.max_depth));
  }
  if (error) return absl::InvalidArgumentError(fmt::format("parse JSON: {}", error.message()));
  return parser.release();
}

absl::StatusOr<json::object> ParseJsonObject(std::string_view text, const ParseLimits& limits,
                                             json::storage_ptr storage) {
  CALICO_ASSIGN_OR_RETURN(json::value value, ParseJson(text, limits, std::move(storage)));
  if (!value.is_object()) {
    return absl::InvalidArgumentError(
        fmt::format("parse JSON: expected object, got {}", KindName(value)));
  }
  return std::move(value.get_object());
}

std::string Serialize(const json::value& value) { return json::serialize(value); }

std::string Serialize(const json::object& object) { return json::serialize(object); }

const json::object* FindObject(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* FindArray(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

std::string_view TextAt(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
}

std::string_view KindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "unknown";
}

}  // namespace calico::codec
