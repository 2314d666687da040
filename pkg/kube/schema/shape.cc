#include "pkg/kube/schema/shape.h"

#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::kube {
namespace {

absl::Status Expected(std::string_view path, std::string_view what, const json::value& value) {
  return absl::InvalidArgumentError(
      fmt::format("{}: expected {}, got {}", path, what, codec::KindName(value)));
}

absl::Status CheckStruct(const StructType* type, const json::object& object,
                         const std::string& path) {
  if (type == nullptr) return absl::OkStatus();
  for (const auto& member : object) {
    const std::string_view key = codec::KeyOf(member);
    const std::string where = JoinPath(path, key);
    const FieldType* const field = type->Find(key);
    if (field == nullptr) return UnknownField(where, *type);
    CALICO_RETURN_IF_ERROR(CheckShape(*field, member.value(), where));
  }
  return absl::OkStatus();
}

absl::Status CheckOne(const FieldType& field, const json::value& value, const std::string& path) {
  CALICO_RETURN_IF_ERROR(CheckElement(field, value, path));
  if (field.value != FieldType::Value::kStruct) return absl::OkStatus();
  return CheckStruct(field.type, value.get_object(), path);
}

absl::Status CheckKeys(const FieldType& list, const json::array& elements, size_t index,
                       const std::string& path) {
  const json::object& element = elements[index].get_object();
  for (const std::string& key : list.keys) {
    if (!KeyText(list, element, key).empty()) continue;
    return absl::InvalidArgumentError(fmt::format("{}: no {}", path, key));
  }
  for (size_t i = 0; i < index; ++i) {
    if (!HaveSameKeys(list, elements[i], elements[index])) continue;
    return absl::InvalidArgumentError(
        fmt::format("{}: {} is there twice", path, KeyTexts(list, element)));
  }
  return absl::OkStatus();
}

absl::Status CheckList(const FieldType& field, const json::value& value, const std::string& path) {
  if (!value.is_array()) return Expected(path, "array", value);
  const json::array& elements = value.get_array();
  for (size_t i = 0; i < elements.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", path, i);
    CALICO_RETURN_IF_ERROR(CheckOne(field, elements[i], where));
    if (field.holds == FieldType::Holds::kKeyedList) {
      CALICO_RETURN_IF_ERROR(CheckKeys(field, elements, i, where));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMap(const FieldType& field, const json::value& value, const std::string& path) {
  if (!value.is_object()) return Expected(path, "object", value);
  for (const auto& member : value.get_object()) {
    CALICO_RETURN_IF_ERROR(CheckOne(field, member.value(), JoinPath(path, codec::KeyOf(member))));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status UnknownField(std::string_view path, const StructType& type) {
  return absl::InvalidArgumentError(fmt::format("{}: {} has no such field", path, type.name));
}

absl::Status CheckElement(const FieldType& field, const json::value& value, std::string_view path) {
  const bool is_integer = value.is_int64() || value.is_uint64();
  switch (field.value) {
    case FieldType::Value::kString:
      return value.is_string() ? absl::OkStatus() : Expected(path, "string", value);
    case FieldType::Value::kInteger:
      return is_integer ? absl::OkStatus() : Expected(path, "integer", value);
    case FieldType::Value::kNumber:
      return value.is_number() ? absl::OkStatus() : Expected(path, "number", value);
    case FieldType::Value::kBoolean:
      return value.is_bool() ? absl::OkStatus() : Expected(path, "boolean", value);
    case FieldType::Value::kQuantity:
      return value.is_string() || value.is_number() ? absl::OkStatus()
                                                    : Expected(path, "quantity", value);
    case FieldType::Value::kIntOrString:
      return value.is_string() || is_integer ? absl::OkStatus()
                                             : Expected(path, "integer or string", value);
    case FieldType::Value::kStruct:
      return value.is_object() ? absl::OkStatus() : Expected(path, "object", value);
    case FieldType::Value::kAny:
      return value.is_null() ? Expected(path, "a value", value) : absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status CheckShape(const FieldType& field, const json::value& value, const std::string& path) {
  switch (field.holds) {
    case FieldType::Holds::kOne:
      return CheckOne(field, value, path);
    case FieldType::Holds::kAtomicList:
    case FieldType::Holds::kSet:
    case FieldType::Holds::kKeyedList:
      return CheckList(field, value, path);
    case FieldType::Holds::kMap:
    case FieldType::Holds::kAtomicMap:
      return CheckMap(field, value, path);
  }
  return absl::OkStatus();
}

absl::Status CheckShape(const Schema& schema, const json::object& object) {
  const KindSchema* const kind = schema.Find(object);
  if (kind == nullptr) return absl::InvalidArgumentError("unknown kind");
  return CheckStruct(kind->type, object, "");
}

}  // namespace calico::kube
