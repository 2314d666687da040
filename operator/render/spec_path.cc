#include "operator/render/spec_path.h"

namespace calico::render {

const json::value* FindInSpec(const json::object& spec, std::string_view path) {
  const json::object* object = &spec;
  while (object != nullptr) {
    const size_t dot = path.find('.');
    const json::value* const value = object->if_contains(path.substr(0, dot));
    if (value == nullptr) return nullptr;
    if (dot == std::string_view::npos) {
      const bool is_empty = value->is_string() && value->get_string().empty();
      return value->is_null() || is_empty ? nullptr : value;
    }
    object = value->if_object();
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

}  // namespace calico::render
