#include "operator/render/object_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace calico::render {
namespace {

// Null when it is not there.
json::value* ValueAt(json::object& parent, Path path) {
  json::object* object = &parent;
  json::value* value = nullptr;
  for (const std::string_view key : path) {
    value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr) return nullptr;
    object = value->if_object();
  }
  return value;
}

}  // namespace

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

std::string_view KindOf(const json::object& object) { return TextAt(object, "kind"); }

std::string_view NameOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata == nullptr ? std::string_view() : TextAt(*metadata, "name");
}

void ObjectEditor::Fail(std::string_view what) {
  if (!status_.ok()) return;
  status_ =
      absl::InvalidArgumentError(fmt::format("{} {}: {}", KindOf(root_), NameOf(root_), what));
}

json::object& ObjectEditor::ObjectAt(json::object& parent, Path path) {
  if (path.size() == 0) return parent;
  json::value* const value = ValueAt(parent, path);
  if (value != nullptr && value->is_object()) return value->get_object();
  Fail(fmt::format("{}: not there", fmt::join(path, ".")));
  return nowhere_;
}

json::array& ObjectEditor::ArrayAt(json::object& parent, Path path) {
  json::value* const value = ValueAt(parent, path);
  if (value != nullptr && value->is_array()) return value->get_array();
  Fail(fmt::format("{}: not there", fmt::join(path, ".")));
  return nowhere_list_;
}

json::object& ObjectEditor::Named(json::array& list, std::string_view name) {
  if (json::object* const found = FindNamed(list, name)) return *found;
  Fail(fmt::format("[{}]: not there", name));
  return nowhere_;
}

json::object& ObjectEditor::Container(std::string_view name) {
  return Named(ArrayAt(PodSpec(), {"containers"}), name);
}

json::object& ObjectEditor::InitContainer(std::string_view name) {
  return Named(ArrayAt(PodSpec(), {"initContainers"}), name);
}

void ObjectEditor::SetEnvironment(json::object& container, std::string_view name,
                                  std::string_view value) {
  Named(ArrayAt(container, {"env"}), name)["value"] = value;
}

}  // namespace calico::render
