#include "operator/render/markers.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/kube/schema/schema.h"

namespace calico::render {
namespace {

using kube::FieldType;

constexpr std::string_view kOpen = "${";
constexpr std::string_view kDefault = ":-";
constexpr std::string_view kMergeKey = "$merge";

struct Marker {
  std::string_view text;  // "${spec.a:-b}"
  std::string_view path;
  std::string_view default_text;
  bool has_default = false;
};

// The marker at the beginning of `text`.
absl::StatusOr<Marker> ParseMarker(std::string_view text) {
  const size_t end = text.find('}');
  if (end == std::string_view::npos) {
    return absl::InvalidArgumentError(fmt::format("{} is not closed", text.substr(0, 40)));
  }
  Marker marker{.text = text.substr(0, end + 1),
                .path = text.substr(kOpen.size(), end - kOpen.size())};
  const size_t separator = marker.path.find(kDefault);
  if (separator == std::string_view::npos) return marker;
  marker.default_text = marker.path.substr(separator + kDefault.size());
  marker.path = marker.path.substr(0, separator);
  marker.has_default = true;
  return marker;
}

absl::Status Unfit(const Marker& marker, std::string_view expected, const json::value& value) {
  return absl::InvalidArgumentError(
      fmt::format("{}: expected {}, got {}", marker.text, expected, codec::KindName(value)));
}

// A text that reads as a number, true or false as such.
json::value ScalarOf(std::string_view text) {
  const absl::StatusOr<json::value> value = codec::ParseJson(text);
  if (value.ok() && (value->is_number() || value->is_bool())) return *value;
  return json::value(text);
}

absl::StatusOr<json::value> ValueOf(const Marker& marker, const MarkerValues& values,
                                    bool is_free) {
  const absl::StatusOr<const json::value*> value = values(marker.path);
  if (!value.ok()) return base::Annotate(value.status(), marker.text);
  if (*value != nullptr) return **value;
  if (marker.has_default && is_free) return ScalarOf(marker.default_text);
  if (marker.has_default) return json::value(marker.default_text);
  return absl::InvalidArgumentError(fmt::format("{} has no value", marker.text));
}

absl::StatusOr<std::string> TextOf(const Marker& marker, const json::value& value) {
  if (value.is_string()) return std::string(codec::View(value.get_string()));
  if (value.is_object() || value.is_array() || value.is_null()) {
    return Unfit(marker, "one value", value);
  }
  return codec::Serialize(value);
}

// As the type that the field has.
absl::StatusOr<json::value> Fit(const Marker& marker, const FieldType* field, json::value value) {
  if (field == nullptr || field->holds != FieldType::Holds::kOne) return value;
  if (field->value == FieldType::Value::kString) {
    CALICO_ASSIGN_OR_RETURN(const std::string text, TextOf(marker, value));
    return json::value(text);
  }
  if (!value.is_string()) return value;
  const std::string text(codec::View(value.get_string()));
  if (field->value == FieldType::Value::kInteger) {
    std::int64_t number = 0;
    if (!absl::SimpleAtoi(text, &number)) return Unfit(marker, "integer", value);
    return json::value(number);
  }
  if (field->value == FieldType::Value::kBoolean) {
    if (text != "true" && text != "false") return Unfit(marker, "boolean", value);
    return json::value(text == "true");
  }
  return value;
}

// Replaces the markers in a text that is more than one marker.
absl::StatusOr<std::string> ExpandText(std::string_view text, const MarkerValues& values) {
  std::string result;
  while (true) {
    const size_t at = text.find(kOpen);
    if (at == std::string_view::npos) return result.append(text);
    result.append(text.substr(0, at));
    if (at > 0 && text[at - 1] == '$') {
      result.append(kOpen.substr(1));
      text.remove_prefix(at + kOpen.size());
      continue;
    }
    CALICO_ASSIGN_OR_RETURN(const Marker marker, ParseMarker(text.substr(at)));
    CALICO_ASSIGN_OR_RETURN(const json::value value, ValueOf(marker, values, false));
    CALICO_ASSIGN_OR_RETURN(const std::string piece, TextOf(marker, value));
    result.append(piece);
    text.remove_prefix(at + marker.text.size());
  }
}

bool HasMarker(std::string_view text) { return text.find(kOpen) != std::string_view::npos; }

// Walks through a value beside what the API server knows about it.
class Expander {
 public:
  explicit Expander(const MarkerValues& values) : values_(values) {}

  // `field` is null where nothing is known.
  // NOLINTNEXTLINE(misc-no-recursion): as deep as a manifest.
  absl::Status Expand(const FieldType* field, json::value& value) {
    if (value.is_string()) return ExpandScalar(field, value);
    if (value.is_array()) return ExpandList(field, value.get_array());
    if (!value.is_object()) return absl::OkStatus();
    const bool is_struct = field != nullptr && field->type != nullptr && !IsMap(*field);
    return is_struct ? ExpandStruct(*field->type, value.get_object())
                     : ExpandMap(field, value.get_object());
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  absl::Status ExpandStruct(const kube::StructType& type, json::object& object) {
    for (auto& member : object) {
      const std::string_view key = codec::KeyOf(member);
      CALICO_RETURN_IF_ERROR(At(key, Expand(type.Find(key), member.value())));
    }
    return absl::OkStatus();
  }

 private:
  static bool IsMap(const FieldType& field) {
    return field.holds == FieldType::Holds::kMap || field.holds == FieldType::Holds::kAtomicMap;
  }

  // The field's type for one entry or element of it.
  static FieldType ElementOf(const FieldType& field) {
    FieldType element;
    element.value = field.value;
    element.type = field.type;
    return element;
  }

  // Puts a step before the path of an error.
  static absl::Status At(std::string_view step, const absl::Status& status) {
    if (status.ok()) return status;
    const std::string_view rest(status.message().data(), status.message().size());
    // The innermost message has no path yet.
    const bool is_first = rest.starts_with(kOpen);
    return {status.code(),
            is_first ? fmt::format("{}: {}", step, rest) : kube::JoinPath(step, rest)};
  }

  absl::Status ExpandScalar(const FieldType* field, json::value& value) {
    const std::string_view text = codec::View(value.get_string());
    if (!HasMarker(text)) return absl::OkStatus();
    if (text.starts_with(kOpen)) {
      CALICO_ASSIGN_OR_RETURN(const Marker marker, ParseMarker(text));
      if (marker.text.size() == text.size()) {
        CALICO_ASSIGN_OR_RETURN(json::value found, ValueOf(marker, values_, field == nullptr));
        CALICO_ASSIGN_OR_RETURN(value, Fit(marker, field, std::move(found)));
        return absl::OkStatus();
      }
    }
    CALICO_ASSIGN_OR_RETURN(const std::string result, ExpandText(text, values_));
    value = result;
    return absl::OkStatus();
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  absl::Status ExpandList(const FieldType* field, json::array& list) {
    const FieldType element = field == nullptr ? FieldType() : ElementOf(*field);
    for (size_t i = 0; i < list.size(); ++i) {
      const absl::Status status = Expand(field == nullptr ? nullptr : &element, list[i]);
      if (status.ok()) continue;
      const std::string_view name =
          list[i].is_object() ? codec::TextAt(list[i].get_object(), "name") : std::string_view();
      return At(name.empty() ? fmt::format("[{}]", i) : fmt::format("[{}]", name), status);
    }
    return absl::OkStatus();
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  absl::Status ExpandMap(const FieldType* field, json::object& map) {
    const FieldType element = field == nullptr ? FieldType() : ElementOf(*field);
    bool has_keys = false;
    for (auto& member : map) {
      const std::string_view key = codec::KeyOf(member);
      has_keys = has_keys || HasMarker(key) || key == kMergeKey;
      const bool is_whole = key == kMergeKey || field == nullptr;
      CALICO_RETURN_IF_ERROR(At(key, Expand(is_whole ? nullptr : &element, member.value())));
    }
    return has_keys ? ExpandKeys(map) : absl::OkStatus();
  }

  absl::Status ExpandKeys(json::object& map) {
    json::object result;
    for (auto& member : map) {
      const std::string_view key = codec::KeyOf(member);
      if (key == kMergeKey) {
        if (!member.value().is_object()) {
          return absl::InvalidArgumentError(fmt::format("{}: no object", kMergeKey));
        }
        for (auto& entry : member.value().get_object()) {
          result.insert_or_assign(entry.key(), std::move(entry.value()));
        }
        continue;
      }
      absl::StatusOr<std::string> text = ExpandText(key, values_);
      if (!text.ok()) return At(key, text.status());
      result.insert_or_assign(*text, std::move(member.value()));
    }
    map = std::move(result);
    return absl::OkStatus();
  }

  const MarkerValues& values_;
};

}  // namespace

absl::Status ExpandMarkers(json::object& object, const MarkerValues& values) {
  const kube::KindSchema* const kind = kube::Schema::Kubernetes().Find(object);
  Expander expander(values);
  if (kind != nullptr) return expander.ExpandStruct(*kind->type, object);
  json::value value = std::move(object);
  const absl::Status status = expander.Expand(nullptr, value);
  object = std::move(value.get_object());
  return status;
}

absl::Status ExpandFreeMarkers(json::value& value, const MarkerValues& values) {
  return Expander(values).Expand(nullptr, value);
}

}  // namespace calico::render
