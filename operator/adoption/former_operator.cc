#include "operator/adoption/former_operator.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/codec/time.h"
#include "pkg/kube/apply/field_owner.h"

namespace calico::adoption {
namespace {

using codec::FindArray;
using codec::FindObject;
using codec::TextAt;

constexpr std::string_view kGroup = "operator.tigera.io/";
constexpr std::string_view kImage = "tigera/operator";
constexpr std::string_view kOurContainer = "calico-operator";

const json::array* ListAt(const json::object& object, std::string_view member,
                          std::string_view field) {
  const json::object* const inside = FindObject(object, member);
  return inside == nullptr ? nullptr : FindArray(*inside, field);
}

std::vector<std::string_view> FinalizersOf(const json::object& object) {
  std::vector<std::string_view> finalizers;
  const json::array* const list = ListAt(object, "metadata", "finalizers");
  if (list == nullptr) return finalizers;
  for (const json::value& entry : *list) {
    if (entry.is_string()) finalizers.push_back(codec::View(entry.get_string()));
  }
  return finalizers;
}

// The containers of a workload's template.
json::array ContainersOf(const json::object& workload) {
  const json::object* at = &workload;
  for (const std::string_view field : {"spec", "template", "spec"}) {
    at = at == nullptr ? nullptr : FindObject(*at, field);
  }
  const json::array* const containers = at == nullptr ? nullptr : FindArray(*at, "containers");
  return containers == nullptr ? json::array() : *containers;
}

// "quay.io/tigera/operator:v1.42.4", also by digest.
bool IsFormerImage(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const size_t colon = image.rfind(':');
  const size_t slash = image.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    image = image.substr(0, colon);
  }
  return image == kImage || image.ends_with(fmt::format("/{}", kImage));
}

std::int64_t CountAt(const json::object& object, std::string_view member, std::string_view field,
                     std::int64_t absent) {
  const json::object* const inside = FindObject(object, member);
  const json::value* const count = inside == nullptr ? nullptr : inside->if_contains(field);
  return count != nullptr && count->is_int64() ? count->get_int64() : absent;
}

}  // namespace

bool IsFormerFinalizer(std::string_view finalizer) {
  return finalizer.starts_with("tigera.io/") || finalizer.starts_with(kGroup);
}

std::vector<std::string> FormerFinalizersOf(const json::object& object) {
  std::vector<std::string> former;
  for (const std::string_view finalizer : FinalizersOf(object)) {
    if (IsFormerFinalizer(finalizer)) former.emplace_back(finalizer);
  }
  return former;
}

json::array OtherFinalizersOf(const json::object& object) {
  json::array others;
  for (const std::string_view finalizer : FinalizersOf(object)) {
    if (!IsFormerFinalizer(finalizer)) others.emplace_back(finalizer);
  }
  return others;
}

bool IsOfAnOperator(const json::object& object) {
  const json::object* const metadata = FindObject(object, "metadata");
  if (metadata == nullptr) return false;
  const json::object* const labels = FindObject(*metadata, "labels");
  if (labels != nullptr && TextAt(*labels, render::kManagedByLabel) == render::kManagedBy) {
    return true;
  }
  const json::array* const owners = FindArray(*metadata, "ownerReferences");
  return owners != nullptr &&
         std::any_of(owners->begin(), owners->end(), [](const json::value& owner) {
           return owner.is_object() && TextAt(owner.get_object(), "apiVersion").starts_with(kGroup);
         });
}

bool IsOurDeployment(const json::object& deployment) {
  const json::array containers = ContainersOf(deployment);
  return std::any_of(containers.begin(), containers.end(), [](const json::value& container) {
    return container.is_object() && TextAt(container.get_object(), "name") == kOurContainer;
  });
}

std::string WhyInTheWay(const json::object& deployment, const api::ObjectKey& operator_key) {
  const api::ObjectKey key = api::ObjectMetaOf(deployment).Key();
  std::string image;
  bool is_former = false;
  for (const json::value& container : ContainersOf(deployment)) {
    if (!container.is_object()) continue;
    const std::string_view text = TextAt(container.get_object(), "image");
    if (image.empty()) image = text;
    if (!IsFormerImage(text)) continue;
    image = text;
    is_former = true;
  }
  if (!is_former && (key != operator_key || IsOurDeployment(deployment))) return "";
  const bool is_asked = CountAt(deployment, "spec", "replicas", 1) != 0;
  if (!is_asked && CountAt(deployment, "status", "replicas", 0) == 0) return "";
  return fmt::format(
      "Deployment {} runs another operator ({}), which would change everything back: run `kubectl "
      "-n {} delete deployment {}` (with Helm, not `helm uninstall`, which removes Calico), then "
      "this again",
      key.ToString(), image, key.ns, key.name);
}

std::string WhyInTheWay(const json::object& lease, absl::Time now) {
  const json::object* const spec = FindObject(lease, "spec");
  if (spec == nullptr || TextAt(*spec, "holderIdentity").empty()) return "";
  const json::array* const managed = ListAt(lease, "metadata", "managedFields");
  if (managed != nullptr &&
      kube::OwnerOfField(*managed, "spec.holderIdentity") == render::kFieldManager) {
    return "";
  }
  const absl::StatusOr<absl::Time> renewed = codec::ParseTime(TextAt(*spec, "renewTime"));
  const absl::Duration length = absl::Seconds(CountAt(lease, "spec", "leaseDurationSeconds", 15));
  if (!renewed.ok() || *renewed + length < now) return "";
  return fmt::format(
      "Lease {} is held by {}, so another operator still runs: wait until it has ended ({}), then "
      "run this again",
      api::ObjectMetaOf(lease).Key().ToString(), TextAt(*spec, "holderIdentity"),
      absl::FormatDuration(*renewed + length - now));
}

}  // namespace calico::adoption
