// Reading and filling fields of a spec whose shape nobody has checked yet.
#ifndef CALICO_OPERATOR_DEFAULTS_SPEC_FIELDS_H_
#define CALICO_OPERATOR_DEFAULTS_SPEC_FIELDS_H_

#include <string_view>

#include "pkg/codec/json.h"

namespace calico::defaults {

// The field says something: it is there, not null and no empty string.
bool IsSet(const json::object& object, std::string_view key);

// Puts `value` where the field says nothing.
void Fill(json::object& object, std::string_view key, json::value value);
void FillText(json::object& object, std::string_view key, std::string_view text);

// The object in the field, made when the field says nothing; null when something else is there.
json::object* FillObject(json::object& object, std::string_view key);

// The object in the field, or null.
json::object* ObjectAt(json::object& object, std::string_view key);

// Removes members that are null, at any depth.
void DropNulls(json::object& object);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_SPEC_FIELDS_H_
