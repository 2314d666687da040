#include "pkg/kube/schema/compare.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pkg/kube/schema/quantity.h"

namespace calico::kube {
namespace {

using codec::KeyOf;
using codec::TextAt;

using Kind = Difference::Kind;
using Found = std::optional<Difference>;

// kSubset: `live` may hold more. kWhole: nothing but what is desired and the server's defaults.
enum class Mode { kSubset, kWhole };

// Kinds of which an addition by somebody else is never harmless.
constexpr std::string_view kWholeKinds[] = {"ClusterRole",
                                            "ClusterRoleBinding",
                                            "Role",
                                            "RoleBinding",
                                            "ValidatingAdmissionPolicy",
                                            "ValidatingAdmissionPolicyBinding",
                                            "PodDisruptionBudget",
                                            "NetworkPolicy",
                                            "APIService"};
// Structs of which a member excludes others: a variable with `value` takes no `valueFrom`.
constexpr std::string_view kWholeTypes[] = {"EnvVar"};
// What is never compared whole: others label objects, and the server writes the status.
constexpr std::string_view kOpenMembers[] = {"apiVersion", "kind", "metadata", "status"};

// A field that nothing is known about. Lifetime: static.
const FieldType& UnknownField() {
  static const auto& field = *new FieldType;
  return field;
}

template <class Table>
bool Contains(const Table& table, std::string_view text) {
  return std::find(std::begin(table), std::end(table), text) != std::end(table);
}

Difference Here(Kind kind) { return {kind, ""}; }

Difference Below(std::string_view parent, Difference inside) {
  return {inside.kind, JoinPath(parent, inside.path)};
}

bool IsEmptyStruct(const StructType* type, const json::object& object);

// Whether the server takes `value` for an absent field.
bool EqualsAbsent(const FieldType& field, const json::value& value) {
  if (value.is_null()) return true;
  if (field.is_pointer && field.holds == FieldType::Holds::kOne) return false;
  switch (value.kind()) {
    case json::kind::bool_:
      return !value.get_bool();
    case json::kind::int64:
      return value.get_int64() == 0;
    case json::kind::uint64:
      return value.get_uint64() == 0;
    case json::kind::double_:
      return value.get_double() == 0;
    case json::kind::string:
      return value.get_string().empty();
    case json::kind::array:
      return value.get_array().empty();
    case json::kind::object:
      return field.holds == FieldType::Holds::kOne ? IsEmptyStruct(field.type, value.get_object())
                                                   : value.get_object().empty();
    case json::kind::null:
      return true;
  }
  return false;
}

bool IsEmptyStruct(const StructType* type, const json::object& object) {
  return std::all_of(object.begin(), object.end(), [&](const json::key_value_pair& member) {
    return EqualsAbsent(FieldOf(type, KeyOf(member)), member.value());
  });
}

// Compares by the schema; every function gives a path below what it was given.
class Comparison {
 public:
  Found Structs(const StructType* type, const json::object& live, const json::object& desired,
                Mode mode) const {
    for (const json::key_value_pair& member : desired) {
      if (Found inside = Member(type, live, member, mode)) return inside;
    }
    return mode == Mode::kWhole ? Addition(type, live, desired) : std::nullopt;
  }

  // Of the members of `live` that `desired` lacks, the first that is more than a default.
  Found Addition(const StructType* type, const json::object& live,
                 const json::object& desired) const {
    for (const json::key_value_pair& member : live) {
      const FieldType& field = FieldOf(type, KeyOf(member));
      if (desired.contains(member.key()) || EqualsAbsent(field, member.value())) continue;
      if (HasDefault(field, live, member.value())) continue;
      return Difference{Kind::kExtra, std::string(KeyOf(member))};
    }
    return std::nullopt;
  }

  Found Member(const StructType* type, const json::object& live,
               const json::key_value_pair& desired, Mode mode) const {
    const FieldType& field = FieldOf(type, KeyOf(desired));
    const json::value* const found = live.if_contains(desired.key());
    if (found == nullptr) {
      if (EqualsAbsent(field, desired.value())) return std::nullopt;
      return Difference{Kind::kAbsent, std::string(KeyOf(desired))};
    }
    Found inside = Values(field, *found, desired.value(), mode);
    if (!inside.has_value()) return std::nullopt;
    return Below(KeyOf(desired), *std::move(inside));
  }

  // Whether the server itself would have given a field of `parent` this value.
  bool HasDefault(const FieldType& field, const json::object& parent,
                  const json::value& value) const {
    if (field.default_value.is_null()) return false;
    const bool applies =
        field.default_when_field.empty() ||
        Contains(field.default_when_values, TextAt(parent, field.default_when_field));
    return applies && !Values(field, value, field.default_value, Mode::kWhole).has_value();
  }

  Found Values(const FieldType& field, const json::value& live, const json::value& desired,
               Mode mode) const {
    if (EqualsAbsent(field, live) && EqualsAbsent(field, desired)) return std::nullopt;
    switch (field.holds) {
      case FieldType::Holds::kOne:
        return One(field, live, desired, mode);
      case FieldType::Holds::kMap:
        return Maps(field, live, desired, mode);
      case FieldType::Holds::kAtomicMap:
        return Maps(field, live, desired, Mode::kWhole);
      case FieldType::Holds::kAtomicList:
        return AtomicLists(field, live, desired);
      case FieldType::Holds::kSet:
        return Sets(live, desired, mode);
      case FieldType::Holds::kKeyedList:
        return KeyedLists(field, live, desired, mode);
    }
    return std::nullopt;
  }

 private:
  // One element, whatever the list or map around it is.
  Found One(const FieldType& field, const json::value& live, const json::value& desired,
            Mode mode) const {
    if (live.is_object() && desired.is_object()) {
      return Structs(field.type, live.get_object(), desired.get_object(),
                     IsOneValue(field) ? Mode::kWhole : mode);
    }
    if (live.is_array() && desired.is_array()) return AtomicLists(field, live, desired);
    if (field.value == FieldType::Value::kQuantity && SameAmount(live, desired)) {
      return std::nullopt;
    }
    if (live == desired) return std::nullopt;
    return Here(Kind::kOther);
  }

  // A manifest may write `cpu: 1`; the server always answers with a text.
  static bool SameAmount(const json::value& live, const json::value& desired) {
    const auto text = [](const json::value& value) {
      return value.is_string() ? std::string(codec::View(value.get_string()))
                               : codec::Serialize(value);
    };
    return SameQuantity(text(live), text(desired));
  }

  Found Maps(const FieldType& field, const json::value& live, const json::value& desired,
             Mode mode) const {
    if (!live.is_object() || !desired.is_object()) return Here(Kind::kOther);
    for (const json::key_value_pair& member : desired.get_object()) {
      const json::value* const found = live.get_object().if_contains(member.key());
      if (found == nullptr) return Difference{Kind::kAbsent, std::string(KeyOf(member))};
      if (Found inside = One(field, *found, member.value(), mode)) {
        return Below(KeyOf(member), *std::move(inside));
      }
    }
    if (mode == Mode::kSubset) return std::nullopt;
    for (const json::key_value_pair& member : live.get_object()) {
      if (desired.get_object().contains(member.key())) continue;
      return Difference{Kind::kExtra, std::string(KeyOf(member))};
    }
    return std::nullopt;
  }

  Found AtomicLists(const FieldType& field, const json::value& live,
                    const json::value& desired) const {
    if (!live.is_array() || !desired.is_array()) return Here(Kind::kOther);
    const json::array& now = live.get_array();
    const json::array& wanted = desired.get_array();
    if (now.size() != wanted.size()) return Here(Kind::kOther);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (Found inside = One(field, now[i], wanted[i], Mode::kWhole)) {
        return Below(fmt::format("[{}]", i), *std::move(inside));
      }
    }
    return std::nullopt;
  }

  static Found Sets(const json::value& live, const json::value& desired, Mode mode) {
    if (!live.is_array() || !desired.is_array()) return Here(Kind::kOther);
    const json::array& now = live.get_array();
    for (const json::value& wanted : desired.get_array()) {
      if (std::find(now.begin(), now.end(), wanted) == now.end()) return Here(Kind::kAbsent);
    }
    const bool has_more = now.size() > desired.get_array().size();
    return mode == Mode::kWhole && has_more ? Found(Here(Kind::kExtra)) : std::nullopt;
  }

  Found KeyedLists(const FieldType& list, const json::value& live, const json::value& desired,
                   Mode mode) const {
    if (!live.is_array() || !desired.is_array()) return Here(Kind::kOther);
    const json::array& now = live.get_array();
    size_t at_least = 0;  // where the next element may stand
    for (const json::value& wanted : desired.get_array()) {
      if (!wanted.is_object()) return Here(Kind::kOther);
      const std::string where =
          fmt::format("[{}]", KeyText(list, wanted.get_object(), list.keys[0]));
      const auto is_it = [&](const json::value& other) {
        return HaveSameKeys(list, other, wanted);
      };
      const auto* const found = std::find_if(now.begin(), now.end(), is_it);
      if (found == now.end()) return Difference{Kind::kAbsent, where};
      if (Found inside = One(list, *found, wanted, mode)) return Below(where, *std::move(inside));
      const auto position = static_cast<size_t>(found - now.begin());
      const bool is_twice = std::find_if(found + 1, now.end(), is_it) != now.end();
      if (is_twice || position < at_least) return Difference{Kind::kOther, where};
      at_least = position + 1;
    }
    const bool has_more = now.size() > desired.get_array().size();
    return mode == Mode::kWhole && has_more ? Found(Here(Kind::kExtra)) : std::nullopt;
  }
};

// Everything but what is left to others.
json::object WithoutOpenMembers(const json::object& object) {
  json::object rest;
  for (const json::key_value_pair& member : object) {
    if (!Contains(kOpenMembers, KeyOf(member))) rest.insert(member);
  }
  return rest;
}

const json::value* At(const json::object& object, const FieldPath& path) {
  const json::object* parent = &object;
  const json::value* value = nullptr;
  for (const std::string& key : path) {
    if (parent == nullptr) return nullptr;
    value = parent->if_contains(key);
    if (value == nullptr) return nullptr;
    parent = value->if_object();
  }
  return value;
}

const FieldType& FieldAt(const StructType* type, const FieldPath& path) {
  const FieldType* field = &UnknownField();
  for (const std::string& key : path) {
    field = &FieldOf(type, key);
    type = field->type;
  }
  return *field;
}

}  // namespace

const FieldType& FieldOf(const StructType* type, std::string_view key) {
  const FieldType* const field = type == nullptr ? nullptr : type->Find(key);
  return field == nullptr ? UnknownField() : *field;
}

bool IsOneValue(const FieldType& field) {
  return field.is_atomic || (field.type != nullptr &&
                             (field.type->is_atomic || Contains(kWholeTypes, field.type->name)));
}

bool FieldDiffers(const FieldType& field, const json::value& live, const json::value& desired) {
  return Comparison().Values(field, live, desired, Mode::kSubset).has_value();
}

bool IsAsIfAbsent(const FieldType& field, const json::object& parent, const json::value& value) {
  return EqualsAbsent(field, value) || Comparison().HasDefault(field, parent, value);
}

bool IsComparedWhole(const json::object& object) {
  return Contains(kWholeKinds, TextAt(object, "kind"));
}

std::optional<Difference> FirstDifference(const Schema& schema, const json::object& live,
                                          const json::object& desired) {
  const KindSchema* const kind = schema.Find(desired);
  const StructType* const type = kind == nullptr ? nullptr : kind->type;
  const Comparison comparison;
  Found first = comparison.Structs(type, live, desired, Mode::kSubset);
  if (first.has_value() || !IsComparedWhole(desired)) return first;
  return comparison.Structs(type, WithoutOpenMembers(live), WithoutOpenMembers(desired),
                            Mode::kWhole);
}

std::optional<std::string> ImmutableDifference(const Schema& schema, const json::object& live,
                                               const json::object& desired) {
  const KindSchema* const kind = schema.Find(desired);
  if (kind == nullptr) return std::nullopt;
  for (const FieldPath& path : kind->immutable) {
    const json::value* const now = At(live, path);
    const json::value* const wanted = At(desired, path);
    if (now == nullptr || wanted == nullptr) continue;
    // As members of a struct, so that defaults and empty values count as they do there.
    const StructType* const parent = [&] {
      const FieldPath above(path.begin(), path.end() - 1);
      return above.empty() ? kind->type : FieldAt(kind->type, above).type;
    }();
    if (Comparison()
            .Structs(parent, json::object{{path.back(), *now}},
                     json::object{{path.back(), *wanted}}, Mode::kWhole)
            .has_value()) {
      std::string text;
      for (const std::string& field : path) text = JoinPath(text, field);
      return text;
    }
  }
  const json::value* const closed = live.if_contains("immutable");
  const bool is_closed = closed != nullptr && *closed == true;
  const bool shall_be = desired.contains("immutable") && desired.at("immutable") == true;
  if (kind->type->Find("immutable") != nullptr && is_closed && !shall_be) return "immutable";
  return std::nullopt;
}

}  // namespace calico::kube
