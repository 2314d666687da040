#include "operator/render/finish.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/ascii.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"

namespace calico::render {
namespace {

constexpr size_t kMaxLabelValue = 63;

bool HasTemplate(const json::object& object) {
  const std::string_view kind = KindOf(object);
  return kind == "DaemonSet" || kind == "Deployment";
}

// A name as a label's value, which has 63 characters at most and no colon, and ends with a letter
// or digit.
std::string LabelValue(std::string_view name) {
  std::string value(name.substr(0, kMaxLabelValue));
  std::replace(value.begin(), value.end(), ':', '_');
  while (!value.empty() && !absl::ascii_isalnum(value.back())) value.pop_back();
  return value;
}

void Label(json::object& metadata, std::string_view name) {
  json::object& labels = EnsureObject(metadata, {"labels"});
  labels["app.kubernetes.io/component"] = "Installation.operator.tigera.io";
  labels[kInstanceLabel] = api::kInstallationName;
  labels[kManagedByLabel] = kManagedBy;
  labels["app.kubernetes.io/name"] = name;
  labels["app.kubernetes.io/part-of"] = "Calico";
  labels["k8s-app"] = name;
}

template <class Function>
void ForEachContainer(ObjectEditor& edit, Function function) {
  for (const std::string_view list : {"initContainers", "containers"}) {
    if (!edit.PodSpec().contains(list)) continue;
    for (json::value& container : edit.ArrayAt(edit.PodSpec(), {list})) {
      if (container.is_object()) function(container.get_object());
    }
  }
}

void SetPullSecrets(ObjectEditor& edit, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json::array references;
  for (const std::string& name : names) references.push_back(json::object{{"name", name}});
  edit.PodSpec()["imagePullSecrets"] = std::move(references);
}

}  // namespace

absl::Status SetImages(json::object& object, const Release& release,
                       const api::Installation& installation) {
  if (!HasTemplate(object)) return absl::OkStatus();
  ObjectEditor edit(object);
  const ImageSource source = ImageSource::Of(installation);
  ForEachContainer(edit, [&](json::object& container) {
    const absl::StatusOr<std::string> reference =
        release.images().Reference(TextAt(container, "image"), source);
    if (!reference.ok()) return edit.Fail(std::string(reference.status().message()));
    container["image"] = *reference;
    if (!installation.image_pull_policy.empty()) {
      container["imagePullPolicy"] = installation.image_pull_policy;
    }
  });
  SetPullSecrets(edit, installation.image_pull_secrets);
  return edit.status();
}

void SetCommonLabels(json::object& object) {
  const std::string name = LabelValue(NameOf(object));
  Label(EnsureObject(object, {"metadata"}), name);
  if (HasTemplate(object)) Label(EnsureObject(object, {"spec", "template", "metadata"}), name);
}

void SetOwner(json::object& object, std::string_view installation_uid) {
  const api::OwnerReference owner = {.api_version = api::kInstallations.ApiVersion(),
                                     .kind = std::string(api::kInstallations.kind),
                                     .name = std::string(api::kInstallationName),
                                     .uid = std::string(installation_uid),
                                     .controller = true,
                                     .block_owner_deletion = true};
  EnsureObject(object, {"metadata"})["ownerReferences"] = json::array{owner.Encode()};
}

}  // namespace calico::render
