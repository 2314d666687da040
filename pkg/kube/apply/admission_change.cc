#include "pkg/kube/apply/admission_change.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pkg/kube/schema/compare.h"

namespace calico::kube {
namespace {

constexpr std::string_view kPodSpec = "spec.template.spec";

template <class Object>
Object* PodSpecOf(Object& object) {
  Object* at = &object;
  for (const char* const key : {"spec", "template", "spec"}) {
    auto* const value = at->if_contains(key);
    at = value == nullptr ? nullptr : value->if_object();
    if (at == nullptr) return nullptr;
  }
  return at;
}

// "node:v3.30.0" of "quay.io/calico/node:v3.30.0".
std::string_view NameAndVersion(std::string_view image) {
  return image.substr(image.rfind('/') + 1);
}

// From another registry, or with the digest that the tag stands for.
bool IsSameImage(std::string_view now, std::string_view wanted) {
  const std::string_view is = NameAndVersion(now);
  const std::string_view shall_be = NameAndVersion(wanted);
  if (shall_be.empty() || !is.starts_with(shall_be)) return false;
  const std::string_view more = is.substr(shall_be.size());
  return more.empty() || (more.front() == '@' && shall_be.find('@') == shall_be.npos);
}

// All of `wanted` in its order, and perhaps others.
bool HoldsInOrder(const json::array& now, const json::array& wanted) {
  auto at = now.begin();
  for (const json::value& element : wanted) {
    at = std::find(at, now.end(), element);
    if (at == now.end()) return false;
    ++at;
  }
  return true;
}

bool HoldsAll(const json::object& now, const json::object& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const json::key_value_pair& member) {
    const json::value* const found = now.if_contains(member.key());
    return found != nullptr && *found == member.value();
  });
}

bool IsMoreOf(const json::value& now, const json::value& wanted) {
  if (now.is_array() && wanted.is_array()) {
    return now.get_array().size() > wanted.get_array().size() &&
           HoldsInOrder(now.get_array(), wanted.get_array());
  }
  if (now.is_object() && wanted.is_object()) {
    return now.get_object().size() > wanted.get_object().size() &&
           HoldsAll(now.get_object(), wanted.get_object());
  }
  return false;
}

// The element of that name; null: there is none.
const json::object* FindNamed(const json::array& list, std::string_view name) {
  for (const json::value& element : list) {
    if (!element.is_object()) continue;
    if (codec::TextAt(element.get_object(), "name") == name) return &element.get_object();
  }
  return nullptr;
}

void TakeImages(const json::object& now, json::object& wanted, std::string_view list,
                std::vector<std::string>& paths) {
  const json::array* const containers = codec::FindArray(now, list);
  json::value* const ours = wanted.if_contains(list);
  if (containers == nullptr || ours == nullptr || !ours->is_array()) return;
  for (json::value& element : ours->get_array()) {
    if (!element.is_object()) continue;
    json::object& container = element.get_object();
    const std::string name(codec::TextAt(container, "name"));
    const json::object* const live = FindNamed(*containers, name);
    if (live == nullptr) continue;
    const std::string_view image = codec::TextAt(*live, "image");
    const std::string_view our_image = codec::TextAt(container, "image");
    if (image == our_image || !IsSameImage(image, our_image)) continue;
    container["image"] = image;
    paths.push_back(fmt::format("{}.{}[{}].image", kPodSpec, list, name));
  }
}

}  // namespace

std::vector<std::string> TakeHarmlessChanges(const json::object& answer, json::object& desired) {
  std::vector<std::string> paths;
  const json::object* const now = PodSpecOf(answer);
  json::object* const wanted = PodSpecOf(desired);
  if (now == nullptr || wanted == nullptr) return paths;
  for (const std::string_view field : {"tolerations", "nodeSelector"}) {
    const json::value* const live = now->if_contains(field);
    json::value* const ours = wanted->if_contains(field);
    if (live == nullptr || ours == nullptr || !IsMoreOf(*live, *ours)) continue;
    *ours = *live;
    paths.push_back(fmt::format("{}.{}", kPodSpec, field));
  }
  for (const std::string_view list : {"initContainers", "containers"}) {
    TakeImages(*now, *wanted, list, paths);
  }
  return paths;
}

AdmissionChanges ChangesOf(const json::object& answer, const json::object& desired) {
  AdmissionChanges changes{.accepted = desired};
  changes.paths = TakeHarmlessChanges(answer, changes.accepted);
  std::optional<Difference> left = FirstDifference(Schema::Kubernetes(), answer, changes.accepted);
  if (left.has_value()) changes.other = std::move(left->path);
  return changes;
}

}  // namespace calico::kube
