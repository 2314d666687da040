#include "pkg/kube/apply/compare.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "pkg/kube/apply/quantity.h"

namespace calico::kube {
namespace {

using Difference = std::optional<std::string>;

// Lists with keys in the built-in kinds (x-kubernetes-list-map-keys of the OpenAPI document).
struct KeyedList {
  std::string_view field;
  std::array<std::string_view, 2> keys;
};
constexpr KeyedList kKeyedLists[] = {
    {"containers", {"name"}},
    {"initContainers", {"name"}},
    {"env", {"name"}},
    {"volumes", {"name"}},
    {"volumeMounts", {"mountPath"}},
    {"volumeDevices", {"devicePath"}},
    {"imagePullSecrets", {"name"}},
    {"secrets", {"name"}},
    {"hostAliases", {"ip"}},
    {"topologySpreadConstraints", {"topologyKey", "whenUnsatisfiable"}},
    {"ownerReferences", {"uid"}},
    {"conditions", {"type"}},
    {"matchConditions", {"name"}},
    {"variables", {"name"}},
};
constexpr KeyedList kContainerPorts = {"ports", {"containerPort", "protocol"}};
constexpr KeyedList kServicePorts = {"ports", {"port", "protocol"}};

// Null for a list that is not merged by key.
const KeyedList* KeysOf(std::string_view field, const json::array& list) {
  const bool has_objects = std::all_of(
      list.begin(), list.end(), [](const json::value& element) { return element.is_object(); });
  if (list.empty() || !has_objects) return nullptr;
  if (field == "ports") {
    return list.front().get_object().contains("containerPort") ? &kContainerPorts : &kServicePorts;
  }
  const auto* const found =
      std::find_if(std::begin(kKeyedLists), std::end(kKeyedLists),
                   [&](const KeyedList& keyed) { return keyed.field == field; });
  return found == std::end(kKeyedLists) ? nullptr : found;
}

bool IsZero(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return true;
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
      return std::all_of(value.get_object().begin(), value.get_object().end(),
                         [](const auto& member) { return IsZero(member.value()); });
  }
  return false;
}

bool IsWithinQuantities(std::string_view parent) {
  return parent == "requests" || parent == "limits" || parent == "sizeLimit";
}

std::string KeyText(const json::value& element, std::string_view key) {
  const json::value* const value = element.get_object().if_contains(key);
  if (value == nullptr) return key == "protocol" ? "TCP" : "";
  return value->is_string() ? std::string(codec::View(value->get_string()))
                            : codec::Serialize(*value);
}

bool HaveSameKeys(const json::value& a, const json::value& b, const KeyedList& keyed) {
  return a.is_object() &&
         std::all_of(keyed.keys.begin(), keyed.keys.end(), [&](std::string_view key) {
           return key.empty() || KeyText(a, key) == KeyText(b, key);
         });
}

enum class Mode { kSubset, kEqual };

Difference Compare(const json::value& live, const json::value& desired, std::string_view field,
                   std::string_view parent, Mode mode);

std::string Join(std::string_view key, const std::string& rest) {
  if (rest.empty()) return std::string(key);
  return rest.front() == '[' ? fmt::format("{}{}", key, rest) : fmt::format("{}.{}", key, rest);
}

Difference CompareObjects(const json::object& live, const json::object& desired,
                          std::string_view field, Mode mode) {
  for (const auto& member : desired) {
    const std::string_view key(member.key().data(), member.key().size());
    const json::value* const found = live.if_contains(key);
    if (found == nullptr) {
      if (IsZero(member.value())) continue;
      return std::string(key);
    }
    if (Difference inside = Compare(*found, member.value(), key, field, mode)) {
      return Join(key, *inside);
    }
  }
  if (mode == Mode::kSubset) return std::nullopt;
  for (const auto& member : live) {
    if (!desired.contains(member.key()) && !IsZero(member.value())) {
      return std::string(member.key().data(), member.key().size());
    }
  }
  return std::nullopt;
}

// A key that is there twice is wrong, but not for us to say: any element of that key will do.
Difference FindInKeyedList(const json::array& live, const json::value& wanted,
                           std::string_view field, const KeyedList& keyed) {
  const std::string where = fmt::format("[{}]", KeyText(wanted, keyed.keys[0]));
  Difference first;
  for (const json::value& element : live) {
    if (!HaveSameKeys(element, wanted, keyed)) continue;
    const Difference inside = Compare(element, wanted, field, field, Mode::kSubset);
    if (!inside.has_value()) return std::nullopt;
    if (!first.has_value()) first = Join(where, *inside);
  }
  return first.has_value() ? first : where;
}

Difference CompareArrays(const json::array& live, const json::array& desired,
                         std::string_view field, Mode mode) {
  const KeyedList* const keyed = mode == Mode::kSubset ? KeysOf(field, desired) : nullptr;
  if (keyed != nullptr) {
    for (const json::value& wanted : desired) {
      if (Difference inside = FindInKeyedList(live, wanted, field, *keyed)) return inside;
    }
    return std::nullopt;
  }
  if (field == "finalizers") {  // a set
    for (const json::value& wanted : desired) {
      if (std::find(live.begin(), live.end(), wanted) == live.end()) return std::string();
    }
    return std::nullopt;
  }
  if (live.size() != desired.size()) return std::string();
  for (size_t i = 0; i < desired.size(); ++i) {
    if (Difference inside = Compare(live[i], desired[i], field, field, Mode::kEqual)) {
      return Join(fmt::format("[{}]", i), *inside);
    }
  }
  return std::nullopt;
}

// A path below the value that differs, empty when it is the value itself.
Difference Compare(const json::value& live, const json::value& desired, std::string_view field,
                   std::string_view parent, Mode mode) {
  if (desired.is_object() && live.is_object()) {
    return CompareObjects(live.get_object(), desired.get_object(), field, mode);
  }
  if (desired.is_array() && live.is_array()) {
    return CompareArrays(live.get_array(), desired.get_array(), field, mode);
  }
  if (desired.is_string() && live.is_string() &&
      (IsWithinQuantities(parent) || IsWithinQuantities(field)) &&
      SameQuantity(codec::View(live.get_string()), codec::View(desired.get_string()))) {
    return std::nullopt;
  }
  if (live == desired || (IsZero(live) && IsZero(desired))) return std::nullopt;
  return std::string();
}

bool Differs(const json::object& a, const json::object& b, std::string_view key) {
  const json::value* const left = a.if_contains(key);
  const json::value* const right = b.if_contains(key);
  return left != nullptr && right != nullptr &&
         Compare(*left, *right, key, {}, Mode::kEqual).has_value();
}

}  // namespace

std::optional<std::string> FirstDifference(const json::object& live, const json::object& desired) {
  return CompareObjects(live, desired, {}, Mode::kSubset);
}

bool NeedsRecreation(const json::object& live, const json::object& desired) {
  const json::value* const kind = desired.if_contains("kind");
  if (kind == nullptr || !kind->is_string()) return false;
  const std::string_view name = codec::View(kind->get_string());
  if (name == "RoleBinding" || name == "ClusterRoleBinding") {
    return Differs(live, desired, "roleRef");
  }
  return name == "Secret" && Differs(live, desired, "type");
}

}  // namespace calico::kube
