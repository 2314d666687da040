#include "operator/render/object_path.h"

#include "pkg/base/check.h"

namespace calico::render {

json::object& ObjectAt(json::object& root, Path path) {
  json::object* current = &root;
  for (const std::string_view key : path) {
    json::value* const next = current->if_contains(key);
    CALICO_CHECK(next != nullptr && next->is_object());
    current = &next->get_object();
  }
  return *current;
}

json::array& ArrayAt(json::object& root, Path path) {
  CALICO_CHECK(path.size() > 0);
  json::value* current = nullptr;
  json::object* parent = &root;
  for (const std::string_view key : path) {
    CALICO_CHECK(parent != nullptr);
    current = parent->if_contains(key);
    CALICO_CHECK(current != nullptr);
    parent = current->if_object();
  }
  CALICO_CHECK(current->is_array());
  return current->get_array();
}

json::object& EnsureObject(json::object& root, Path path) {
  json::object* current = &root;
  for (const std::string_view key : path) {
    json::value& next = (*current)[key];
    if (!next.is_object()) next.emplace_object();
    current = &next.get_object();
  }
  return *current;
}

json::object* FindNamed(json::array& list, std::string_view name) {
  for (json::value& element : list) {
    if (element.is_object() && TextAt(element.get_object(), "name") == name) {
      return &element.get_object();
    }
  }
  return nullptr;
}

json::object& Named(json::array& list, std::string_view name) {
  json::object* const found = FindNamed(list, name);
  CALICO_CHECK(found != nullptr);
  return *found;
}

std::string_view TextAt(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? codec::View(value->get_string())
                                                : std::string_view();
}

std::string_view KindOf(const json::object& object) { return TextAt(object, "kind"); }

std::string_view NameOf(const json::object& object) {
  const json::value* const metadata = object.if_contains("metadata");
  return metadata != nullptr && metadata->is_object() ? TextAt(metadata->get_object(), "name")
                                                      : std::string_view();
}

json::object& PodSpec(json::object& workload) {
  return ObjectAt(workload, {"spec", "template", "spec"});
}

json::object& Container(json::object& workload, std::string_view name) {
  return Named(ArrayAt(PodSpec(workload), {"containers"}), name);
}

json::object& InitContainer(json::object& workload, std::string_view name) {
  return Named(ArrayAt(PodSpec(workload), {"initContainers"}), name);
}

void SetEnvironment(json::object& container, std::string_view name, std::string_view value) {
  json::value& list = container["env"];
  if (!list.is_array()) list.emplace_array();
  json::object* entry = FindNamed(list.get_array(), name);
  if (entry == nullptr) {
    entry = &list.get_array().emplace_back(json::object()).emplace_object();
    (*entry)["name"] = name;
  }
  entry->erase("valueFrom");
  (*entry)["value"] = value;
}

}  // namespace calico::render
