#include "pkg/kube/testing/pod_template_rules.h"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace calico::kube {
namespace {

const json::object* ObjectAt(const json::object* object, std::string_view key) {
  const json::value* const value = object == nullptr ? nullptr : object->if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

// The objects of a list with their paths.
std::vector<std::pair<std::string, const json::object*>> ListAt(const json::object* object,
                                                                std::string path,
                                                                std::string_view key) {
  std::vector<std::pair<std::string, const json::object*>> items;
  const json::value* const list = object == nullptr ? nullptr : object->if_contains(key);
  if (list == nullptr || !list->is_array()) return items;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) {
      items.emplace_back(fmt::format("{}.{}[{}]", path, key, items.size()), &item.get_object());
    }
  }
  return items;
}

void CheckContainer(const std::string& path, const json::object& container,
                    std::vector<FieldProblem>& problems) {
  for (const auto& [where, variable] : ListAt(&container, path, "env")) {
    const json::value* const value = variable->if_contains("value");
    const bool has_text = value != nullptr && value->is_string() && !value->get_string().empty();
    if (has_text && variable->contains("valueFrom")) {
      problems.push_back({where + ".valueFrom", "FieldValueInvalid",
                          "Invalid value: \"\": may not be specified when `value` is not empty"});
    }
  }
  for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const json::object* const probe = ObjectAt(&container, name);
    int handlers = 0;
    for (const char* handler : {"exec", "grpc", "httpGet", "tcpSocket"}) {
      if (probe != nullptr && probe->contains(handler)) ++handlers;
    }
    if (handlers > 1) {
      problems.push_back({fmt::format("{}.{}", path, name), "FieldValueForbidden",
                          "Forbidden: may not specify more than 1 handler type"});
    }
  }
}

}  // namespace

std::vector<FieldProblem> CheckPodTemplate(const json::object& object) {
  std::vector<FieldProblem> problems;
  const json::object* const pod = ObjectAt(ObjectAt(ObjectAt(&object, "spec"), "template"), "spec");
  const std::string path = "spec.template.spec";
  for (const auto& [where, volume] : ListAt(pod, path, "volumes")) {
    if (volume->size() > 2) {  // its name and its source
      problems.push_back(
          {where, "FieldValueForbidden", "Forbidden: may not specify more than 1 volume type"});
    }
  }
  for (const char* list : {"containers", "initContainers"}) {
    for (const auto& [where, container] : ListAt(pod, path, list)) {
      CheckContainer(where, *container, problems);
    }
  }
  return problems;
}

}  // namespace calico::kube
