#include "operator/defaults/spec_fields.h"

#include <string>
#include <utility>
#include <vector>

namespace calico::defaults {
namespace {

void DropNullsIn(json::value& value) {
  if (json::object* const object = value.if_object()) {
    DropNulls(*object);
  } else if (json::array* const array = value.if_array()) {
    for (json::value& item : *array) DropNullsIn(item);
  }
}

}  // namespace

bool IsSet(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return false;
  const json::string* const text = value->if_string();
  return text == nullptr || !text->empty();
}

void Fill(json::object& object, std::string_view key, json::value value) {
  if (!IsSet(object, key)) object[key] = std::move(value);
}

void FillText(json::object& object, std::string_view key, std::string_view text) {
  if (!IsSet(object, key)) object[key] = json::string(text);
}

json::object* FillObject(json::object& object, std::string_view key) {
  if (!IsSet(object, key)) object[key] = json::object();
  return object.at(key).if_object();
}

json::object* ObjectAt(json::object& object, std::string_view key) {
  json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

void DropNulls(json::object& object) {
  std::vector<std::string> nulls;
  for (json::key_value_pair& member : object) {
    if (member.value().is_null()) {
      nulls.emplace_back(codec::KeyOf(member));
    } else {
      DropNullsIn(member.value());
    }
  }
  for (const std::string& key : nulls) object.erase(key);
}

}  // namespace calico::defaults
