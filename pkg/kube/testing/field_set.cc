#include "pkg/kube/testing/field_set.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace calico::kube {
namespace {

// Lists whose items are told apart by the values of these keys. `v:` lists are sets of scalars.
struct ListSchema {
  std::string_view field;
  std::vector<std::string_view> keys;
};

const ListSchema* SchemaOf(std::string_view field) {
  static const auto& schemas = *new std::vector<ListSchema>{
      {"conditions", {"type"}},
      {"containers", {"name"}},
      {"initContainers", {"name"}},
      {"env", {"name"}},
      {"volumes", {"name"}},
      {"volumeMounts", {"mountPath"}},
      {"imagePullSecrets", {"name"}},
      {"secrets", {"name"}},
      {"ownerReferences", {"uid"}},
      {"ports", {"containerPort", "port", "protocol"}},
      {"topologySpreadConstraints", {"topologyKey", "whenUnsatisfiable"}},
      {"validations", {"expression"}},
      {"versions", {"name"}},
      {"finalizers", {}}};
  for (const ListSchema& schema : schemas) {
    if (schema.field == field) return &schema;
  }
  return nullptr;
}

// The path element of one item, or nullopt when it has none of its keys: then the list is one
// value.
std::optional<std::string> ItemElement(const ListSchema& schema, const json::value& item) {
  if (schema.keys.empty()) {
    if (!item.is_string()) return std::nullopt;
    return "v:" + codec::Serialize(item);
  }
  const json::object* fields = item.if_object();
  if (fields == nullptr) return std::nullopt;
  json::object key;
  for (std::string_view name : schema.keys) {
    if (const json::value* value = fields->if_contains(name)) key[name] = *value;
  }
  if (key.empty()) return std::nullopt;
  return "k:" + codec::Serialize(key);
}

// The elements of all items; empty when the list is one value.
std::vector<std::string> ItemElements(std::string_view field, const json::array& list) {
  const ListSchema* schema = SchemaOf(field);
  std::vector<std::string> elements;
  if (schema == nullptr) return elements;
  for (const json::value& item : list) {
    std::optional<std::string> element = ItemElement(*schema, item);
    if (!element) return {};
    elements.push_back(*std::move(element));
  }
  return elements;
}

bool IsServersOwn(const FieldPath& path, std::string_view key) {
  constexpr std::string_view kTop[] = {"apiVersion", "kind"};
  constexpr std::string_view kMetadata[] = {"name",
                                            "namespace",
                                            "uid",
                                            "resourceVersion",
                                            "generation",
                                            "creationTimestamp",
                                            "managedFields",
                                            "deletionTimestamp",
                                            "selfLink",
                                            "generateName",
                                            "deletionGracePeriodSeconds"};
  if (path.empty()) return std::find(std::begin(kTop), std::end(kTop), key) != std::end(kTop);
  if (path.size() != 1 || path[0] != "f:metadata") return false;
  return std::find(std::begin(kMetadata), std::end(kMetadata), key) != std::end(kMetadata);
}

void CollectFields(const json::value& value, std::string_view field, FieldPath& path,
                   FieldSet& out) {
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [key, child] : *object) {
      const std::string_view name(key.data(), key.size());
      if (IsServersOwn(path, name)) continue;
      path.push_back(fmt::format("f:{}", name));
      CollectFields(child, name, path, out);
      path.pop_back();
    }
    return;
  }
  if (const json::array* list = value.if_array()) {
    const std::vector<std::string> elements = ItemElements(field, *list);
    for (size_t i = 0; i < elements.size(); ++i) {
      path.push_back(elements[i]);
      path.emplace_back(".");
      out.insert(path);
      path.pop_back();
      if (elements[i].starts_with("k:")) CollectFields((*list)[i], "", path, out);
      path.pop_back();
    }
    if (!elements.empty()) return;
  }
  if (!path.empty()) out.insert(path);
}

void DecodeInto(const json::object& fields, FieldPath& path, FieldSet& out) {
  for (const auto& [key, value] : fields) {
    path.emplace_back(key.data(), key.size());
    const json::object* child = value.if_object();
    if (child == nullptr || child->empty()) {
      out.insert(path);
    } else {
      DecodeInto(*child, path, out);
    }
    path.pop_back();
  }
}

// The position of the item that `element` names in `list`, or -1.
int FindItem(std::string_view field, const json::array& list, const std::string& element) {
  const ListSchema* schema = SchemaOf(field);
  if (schema == nullptr) return -1;
  for (size_t i = 0; i < list.size(); ++i) {
    if (ItemElement(*schema, list[i]) == element) return static_cast<int>(i);
  }
  return -1;
}

// Removes path[at...] below `value`, which stands under `field`. True when it became empty.
bool RemoveBelow(json::value& value, std::string_view field, const FieldPath& path, size_t at) {
  const std::string_view element = path[at];
  if (json::object* object = value.if_object()) {
    if (!element.starts_with("f:")) return false;
    const std::string_view name = element.substr(2);
    const auto child = object->find(name);
    if (child == object->end()) return false;
    const bool gone = at + 1 == path.size() || RemoveBelow(child->value(), name, path, at + 1);
    if (gone) object->erase(child);
    return object->empty();
  }
  if (json::array* list = value.if_array()) {
    const int i = FindItem(field, *list, path[at]);
    if (i < 0) return false;
    json::value& item = (*list)[static_cast<size_t>(i)];
    // The item goes with its `.`; its fields alone do not take it along.
    const bool is_item = at + 1 == path.size() || path[at + 1] == ".";
    if (!is_item) RemoveBelow(item, "", path, at + 1);
    if (is_item) list->erase(list->begin() + i);
    return list->empty();
  }
  return false;
}

void MergeValue(json::value& live, const json::value& applied, std::string_view field);

void MergeObject(json::object& live, const json::object& applied) {
  for (const auto& [key, value] : applied) {
    const auto [position, is_new] = live.emplace(key, value);
    if (!is_new) MergeValue(position->value(), value, {key.data(), key.size()});
  }
}

void MergeList(json::array& live, const json::array& applied, std::string_view field,
               const std::vector<std::string>& elements) {
  json::array merged;
  for (size_t i = 0; i < applied.size(); ++i) {
    const int at = FindItem(field, live, elements[i]);
    if (at < 0) {
      merged.push_back(applied[i]);
      continue;
    }
    merged.push_back(std::move(live[static_cast<size_t>(at)]));
    live.erase(live.begin() + at);
    MergeValue(merged.back(), applied[i], "");
  }
  for (json::value& other : live) merged.push_back(std::move(other));
  live = std::move(merged);
}

void MergeValue(json::value& live, const json::value& applied, std::string_view field) {
  if (live.is_object() && applied.is_object()) {
    MergeObject(live.get_object(), applied.get_object());
    return;
  }
  if (live.is_array() && applied.is_array()) {
    const std::vector<std::string> elements = ItemElements(field, applied.get_array());
    if (!elements.empty()) {
      MergeList(live.get_array(), applied.get_array(), field, elements);
      return;
    }
  }
  live = applied;
}

}  // namespace

FieldSet FieldsOf(const json::object& object) {
  FieldSet fields;
  FieldPath path;
  CollectFields(object, "", path, fields);
  return fields;
}

FieldSet ChangedFields(const json::object& before, const json::object& after) {
  FieldSet changed;
  for (const FieldPath& path : FieldsOf(after)) {
    const json::value* old_value = FindField(before, path);
    const bool only_item = path.back() == ".";
    if (old_value == nullptr || (!only_item && *old_value != *FindField(after, path))) {
      changed.insert(path);
    }
  }
  return changed;
}

json::object EncodeFields(const FieldSet& fields) {
  json::object root;
  for (const FieldPath& path : fields) {
    json::object* node = &root;
    for (const std::string& element : path) {
      json::value& child = (*node)[element];
      if (!child.is_object()) child = json::object();
      node = &child.get_object();
    }
  }
  return root;
}

FieldSet DecodeFields(const json::object& fields) {
  FieldSet out;
  FieldPath path;
  DecodeInto(fields, path, out);
  return out;
}

const json::value* FindField(const json::object& object, const FieldPath& path) {
  const json::object* fields = &object;
  const json::value* value = nullptr;
  std::string_view field;
  for (const std::string& element : path) {
    if (element == ".") return value;
    if (element.starts_with("f:")) {
      if (value != nullptr) fields = value->if_object();
      if (fields == nullptr) return nullptr;
      field = std::string_view(element).substr(2);
      value = fields->if_contains(field);
    } else {
      const json::array* list = value == nullptr ? nullptr : value->if_array();
      if (list == nullptr) return nullptr;
      const int i = FindItem(field, *list, element);
      value = i < 0 ? nullptr : &(*list)[static_cast<size_t>(i)];
    }
    if (value == nullptr) return nullptr;
  }
  return value;
}

void RemoveField(json::object& object, const FieldPath& path) {
  json::value root(std::move(object));
  RemoveBelow(root, "", path, 0);
  object = std::move(root.get_object());
}

void MergeApplied(json::object& live, const json::object& applied) { MergeObject(live, applied); }

std::string PrintField(const FieldPath& path) {
  std::string text;
  for (const std::string& element : path) {
    if (element == ".") continue;
    if (element.starts_with("f:")) {
      text += "." + element.substr(2);
    } else if (element.starts_with("v:")) {
      text += "[=" + element.substr(2) + "]";
    } else {
      const absl::StatusOr<json::object> key = codec::ParseJsonObject(element.substr(2));
      std::string keys;
      for (const auto& [name, value] : key.ok() ? *key : json::object()) {
        keys += fmt::format("{}{}={}", keys.empty() ? "" : ",", std::string_view(name),
                            codec::Serialize(value));
      }
      text += "[" + keys + "]";
    }
  }
  return text;
}

}  // namespace calico::kube
