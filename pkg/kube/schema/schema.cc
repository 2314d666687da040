#include "pkg/kube/schema/schema.h"

#include <algorithm>

#include <absl/status/status.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/kubernetes.h"

namespace calico::kube {
namespace {

using codec::TextAt;

struct NamedValue {
  std::string_view name;
  FieldType::Value value;
};
// Times and bytes are texts for whoever compares and merges them.
constexpr NamedValue kScalars[] = {{"string", FieldType::Value::kString},
                                   {"integer", FieldType::Value::kInteger},
                                   {"number", FieldType::Value::kNumber},
                                   {"boolean", FieldType::Value::kBoolean},
                                   {"Quantity", FieldType::Value::kQuantity},
                                   {"IntOrString", FieldType::Value::kIntOrString},
                                   {"Time", FieldType::Value::kString},
                                   {"bytes", FieldType::Value::kString},
                                   {"any", FieldType::Value::kAny}};

struct NamedHolds {
  std::string_view name;
  FieldType::Holds holds;
};
constexpr NamedHolds kLists[] = {{"atomic", FieldType::Holds::kAtomicList},
                                 {"set", FieldType::Holds::kSet},
                                 {"keyed", FieldType::Holds::kKeyedList}};
constexpr NamedHolds kMaps[] = {{"granular", FieldType::Holds::kMap},
                                {"atomic", FieldType::Holds::kAtomicMap}};

template <class Table>
auto Lookup(const Table& table, std::string_view name) {
  return std::find_if(std::begin(table), std::end(table),
                      [&](const auto& entry) { return entry.name == name; });
}

}  // namespace

// Reads kubernetes.yaml: first the names of all types, then their fields, which refer to them.
class SchemaReader {
 public:
  absl::StatusOr<Schema> Read(const json::object& root) {
    codec::Decoder decoder("schema");
    const codec::ObjectReader reader = decoder.Read(root);
    const codec::ObjectReader types = reader.RequiredObject("types");
    const json::array* const kinds = root.contains("kinds") ? root.at("kinds").if_array() : nullptr;
    CALICO_RETURN_IF_ERROR(decoder.status());
    if (kinds == nullptr) return absl::InvalidArgumentError("schema.kinds: expected array");
    for (const auto& entry : types.object()) {
      auto type = std::make_unique<StructType>();
      type->name = std::string(entry.key());
      schema_.types_.emplace(type->name, std::move(type));
    }
    for (const auto& entry : types.object()) {
      if (!entry.value().is_object()) return Bad(entry.key(), "", "expected object");
      CALICO_RETURN_IF_ERROR(ReadType(entry.key(), entry.value().get_object()));
    }
    for (const json::value& kind : *kinds) CALICO_RETURN_IF_ERROR(ReadKind(kind));
    return std::move(schema_);
  }

 private:
  static absl::Status Bad(std::string_view type, std::string_view field, std::string_view what) {
    return absl::InvalidArgumentError(
        fmt::format("schema type {}{}{}: {}", type, field.empty() ? "" : ".", field, what));
  }

  absl::Status ReadType(std::string_view name, const json::object& text) {
    StructType& type = *schema_.types_.find(name)->second;
    const json::value* const atomic = text.if_contains("atomic");
    type.is_atomic = atomic != nullptr && *atomic == true;
    const json::value* const fields = text.if_contains("fields");
    if (fields == nullptr || !fields->is_object()) return Bad(name, "", "no fields");
    for (const auto& entry : fields->get_object()) {
      absl::StatusOr<FieldType> field = ReadField(entry.value());
      if (!field.ok()) return Bad(name, entry.key(), std::string(field.status().message()));
      type.fields.emplace(std::string(entry.key()), *std::move(field));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<FieldType> ReadField(const json::value& text) {
    FieldType field;
    if (text.is_string()) {
      CALICO_RETURN_IF_ERROR(ReadValue(codec::View(text.get_string()), field));
      return field;
    }
    if (!text.is_object()) return absl::InvalidArgumentError("expected a name or an object");
    const json::object& object = text.get_object();
    const json::value* const of = object.if_contains("of");
    // A map of lists: nothing of ours goes into such elements.
    const bool is_nested = of != nullptr && of->is_object();
    CALICO_RETURN_IF_ERROR(ReadValue(is_nested ? "any" : TextAt(object, "of"), field));
    CALICO_RETURN_IF_ERROR(ReadHolds(object, field));
    if (const json::value* const atomic = object.if_contains("atomic")) {
      field.is_atomic = *atomic == true;
    }
    CALICO_RETURN_IF_ERROR(ReadDefault(object, field));
    return field;
  }

  static absl::Status ReadDefault(const json::object& object, FieldType& field) {
    if (const json::value* const value = object.if_contains("default")) {
      field.default_value = *value;
    }
    const json::value* const when = object.if_contains("when");
    if (when == nullptr) return absl::OkStatus();
    if (!when->is_object() || when->get_object().size() != 1) {
      return absl::InvalidArgumentError("when: expected one field");
    }
    const auto& condition = *when->get_object().begin();
    field.default_when_field = std::string(condition.key());
    if (!condition.value().is_array()) return absl::InvalidArgumentError("when: expected values");
    for (const json::value& value : condition.value().get_array()) {
      if (!value.is_string()) return absl::InvalidArgumentError("when: expected texts");
      field.default_when_values.emplace_back(codec::View(value.get_string()));
    }
    return absl::OkStatus();
  }

  absl::Status ReadValue(std::string_view name, FieldType& field) {
    if (name.ends_with('?')) {
      field.is_pointer = true;
      name.remove_suffix(1);
    }
    if (const auto* const scalar = Lookup(kScalars, name); scalar != std::end(kScalars)) {
      field.value = scalar->value;
      return absl::OkStatus();
    }
    const auto type = schema_.types_.find(name);
    if (type == schema_.types_.end()) {
      return absl::InvalidArgumentError(fmt::format("unknown type \"{}\"", name));
    }
    field.value = FieldType::Value::kStruct;
    field.type = type->second.get();
    return absl::OkStatus();
  }

  static absl::Status ReadHolds(const json::object& object, FieldType& field) {
    const std::string_view list = TextAt(object, "list");
    const std::string_view map = TextAt(object, "map");
    const NamedHolds* const found = list.empty() ? Lookup(kMaps, map) : Lookup(kLists, list);
    const bool is_known = found != (list.empty() ? std::end(kMaps) : std::end(kLists));
    if (list.empty() && map.empty()) return absl::OkStatus();
    if (!is_known) return absl::InvalidArgumentError("unknown kind of list or map");
    field.holds = found->holds;
    if (field.holds != FieldType::Holds::kKeyedList) return absl::OkStatus();
    const json::value* const keys = object.if_contains("keys");
    if (keys == nullptr || !keys->is_array() || keys->get_array().empty()) {
      return absl::InvalidArgumentError("a keyed list without keys");
    }
    if (field.type == nullptr) return absl::InvalidArgumentError("a keyed list of scalars");
    for (const json::value& key : keys->get_array()) {
      if (!key.is_string()) return absl::InvalidArgumentError("a key that is no text");
      field.keys.emplace_back(codec::View(key.get_string()));
    }
    return absl::OkStatus();
  }

  absl::Status ReadKind(const json::value& text) {
    if (!text.is_object()) return absl::InvalidArgumentError("schema.kinds: expected objects");
    const json::object& object = text.get_object();
    const auto type = schema_.types_.find(TextAt(object, "type"));
    if (type == schema_.types_.end()) {
      return absl::InvalidArgumentError(
          fmt::format("schema kind {}: unknown type", TextAt(object, "kind")));
    }
    KindSchema kind{.type = type->second.get()};
    if (const json::value* const paths = object.if_contains("immutable")) {
      if (!paths->is_array()) return absl::InvalidArgumentError("schema.kinds: immutable: no list");
      for (const json::value& path : paths->get_array()) {
        if (!path.is_string())
          return absl::InvalidArgumentError("schema.kinds: immutable: no path");
        kind.immutable.push_back(absl::StrSplit(std::string(codec::View(path.get_string())), '.'));
      }
    }
    schema_.kinds_.emplace(
        std::pair<std::string, std::string>(TextAt(object, "apiVersion"), TextAt(object, "kind")),
        std::move(kind));
    return absl::OkStatus();
  }

  Schema schema_;
};

const FieldType* StructType::Find(std::string_view field) const {
  const auto found = fields.find(field);
  return found == fields.end() ? nullptr : &found->second;
}

absl::StatusOr<Schema> Schema::Parse(std::string_view yaml) {
  CALICO_ASSIGN_OR_RETURN(const json::value root, codec::ParseYaml(yaml));
  if (!root.is_object()) return absl::InvalidArgumentError("schema: expected object");
  return SchemaReader().Read(root.get_object());
}

const Schema& Schema::Kubernetes() {
  static const auto& schema = *new Schema([] {
    absl::StatusOr<Schema> parsed = Parse(KubernetesSchema().front().content);
    CALICO_CHECK(parsed.ok());  // constant text; schema_test parses it
    return *std::move(parsed);
  }());
  return schema;
}

const KindSchema* Schema::Find(std::string_view api_version, std::string_view kind) const {
  const auto found = kinds_.find({std::string(api_version), std::string(kind)});
  return found == kinds_.end() ? nullptr : &found->second;
}

const KindSchema* Schema::Find(const json::object& object) const {
  return Find(TextAt(object, "apiVersion"), TextAt(object, "kind"));
}

std::string KeyText(const FieldType& list, const json::object& element, std::string_view key) {
  const json::value* value = element.if_contains(key);
  if (value == nullptr) {
    const FieldType* const field = list.type == nullptr ? nullptr : list.type->Find(key);
    if (field == nullptr || field->default_value.is_null()) return "";
    value = &field->default_value;
  }
  return value->is_string() ? std::string(codec::View(value->get_string()))
                            : codec::Serialize(*value);
}

std::string KeyTexts(const FieldType& list, const json::object& element) {
  return absl::StrJoin(list.keys, ",", [&](std::string* out, const std::string& key) {
    out->append(KeyText(list, element, key));
  });
}

bool HaveSameKeys(const FieldType& list, const json::value& a, const json::value& b) {
  return a.is_object() && b.is_object() &&
         std::all_of(list.keys.begin(), list.keys.end(), [&](const std::string& key) {
           return KeyText(list, a.get_object(), key) == KeyText(list, b.get_object(), key);
         });
}

std::string JoinPath(std::string_view parent, std::string_view rest) {
  if (rest.empty() || parent.empty()) return fmt::format("{}{}", parent, rest);
  return rest.front() == '[' ? fmt::format("{}{}", parent, rest)
                             : fmt::format("{}.{}", parent, rest);
}

}  // namespace calico::kube
