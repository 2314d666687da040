#include "operator/render/testing/objects.h"

#include <cstdio>
#include <utility>

#include "operator/render/releases.h"
#include "operator/render/render.h"
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
  json::object* parent = &root;
  json::value* value = nullptr;
  for (const std::string_view key : path) {
    CALICO_CHECK(parent != nullptr);
    value = parent->if_contains(key);
    CALICO_CHECK(value != nullptr);
    parent = value->if_object();
  }
  CALICO_CHECK(value != nullptr && value->is_array());
  return value->get_array();
}

json::object& Named(json::array& list, std::string_view name) {
  json::object* const found = FindNamed(list, name);
  CALICO_CHECK(found != nullptr);
  return *found;
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

const Release& DefaultRelease() {
  Releases& releases = Releases::Embedded();
  const absl::StatusOr<const Release*> release = releases.Find(releases.newest());
  if (!release.ok()) std::fprintf(stderr, "%s\n", release.status().ToString().c_str());
  CALICO_CHECK(release.ok());
  return **release;
}

std::vector<json::object> RenderDefault(const api::Installation& installation,
                                        const Inputs& inputs) {
  absl::StatusOr<std::vector<json::object>> objects =
      Render(DefaultRelease(), installation, inputs);
  if (!objects.ok()) std::fprintf(stderr, "%s\n", objects.status().ToString().c_str());
  CALICO_CHECK(objects.ok());
  return *std::move(objects);
}

}  // namespace calico::render
