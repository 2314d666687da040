#include "operator/render/finish.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/spec_path.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"

namespace calico::render {
namespace {

constexpr size_t kMaxLabelValue = 63;
constexpr std::string_view kHostNetworkedLabel = "operator.tigera.io/host-networked";
// In seconds.
constexpr int kLivenessPeriod = 60;
constexpr int kReadinessPeriod = 30;
constexpr int kProbeTimeout = 5;

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

constexpr std::string_view kNameLabel = "app.kubernetes.io/name";
constexpr std::string_view kAppLabel = "k8s-app";

// An override of the user's is there before.
void LabelUnlessSet(json::object& labels, std::string_view key, std::string_view value) {
  if (TextAt(labels, key).empty()) labels[key] = value;
}

// What knows its pods by their names keeps them.
void LabelByName(json::object& labels, std::string_view name) {
  labels[kNameLabel] = name;
  labels[kAppLabel] = name;
}

// Of a Service: the one of its manifest, which may be its workload's; else the object's own.
std::string OwnName(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::object* const labels =
      metadata == nullptr ? nullptr : codec::FindObject(*metadata, "labels");
  const std::string_view of_workload =
      labels == nullptr || KindOf(object) != "Service" ? "" : TextAt(*labels, "k8s-app");
  return LabelValue(of_workload.empty() ? NameOf(object) : of_workload);
}

void Label(json::object& labels, std::string_view name, const Owner& owner,
           std::string_view managed_by) {
  LabelUnlessSet(labels, kAppLabel, name);
  LabelUnlessSet(labels, kNameLabel, std::string(TextAt(labels, kAppLabel)));
  LabelUnlessSet(labels, "app.kubernetes.io/component",
                 fmt::format("{}.{}", owner.resource->kind, owner.resource->group));
  LabelUnlessSet(labels, kInstanceLabel, api::kInstallationName);
  LabelUnlessSet(labels, kManagedByLabel, managed_by);
  LabelUnlessSet(labels, "app.kubernetes.io/part-of", "Calico");
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

// A server keeps none, and what is applied must be what it keeps.
void DropEmptyInitContainers(ObjectEditor& edit) {
  json::object& pod = edit.PodSpec();
  const json::value* const list = pod.if_contains("initContainers");
  if (list != nullptr && list->is_array() && list->get_array().empty()) pod.erase("initContainers");
}

void SetPullSecrets(ObjectEditor& edit, const std::vector<std::string>& names) {
  if (names.empty()) return;
  json::array references;
  for (const std::string& name : names) references.push_back(json::object{{"name", name}});
  edit.PodSpec()["imagePullSecrets"] = std::move(references);
}

// "A,B" of spec.tlsCipherSuites.
std::string CipherSuites(const json::object& spec) {
  std::string text;
  const json::value* const suites = FindInSpec(spec, "tlsCipherSuites");
  if (suites == nullptr || !suites->is_array()) return text;
  for (const json::value& suite : suites->get_array()) {
    if (!suite.is_object()) continue;
    text.append(text.empty() ? "" : ",").append(TextAt(suite.get_object(), "name"));
  }
  return text;
}

void SetCipherSuites(ObjectEditor& edit, const std::string& suites) {
  if (suites.empty()) return;
  for (json::value& container : edit.ArrayAt(edit.PodSpec(), {"containers"})) {
    if (!container.is_object()) continue;
    json::value& env = container.get_object()["env"];
    if (!env.is_array()) env.emplace_array();
    env.get_array().push_back(json::object{{"name", "TLS_CIPHER_SUITES"}, {"value", suites}});
  }
}

// The API's own defaults would ask every ten seconds, and take one second of silence for an end.
void SetProbeTimes(json::object& container, std::string_view probe, int period) {
  json::value* const found = container.if_contains(probe);
  if (found == nullptr || !found->is_object()) return;
  json::object& times = found->get_object();
  if (!times.contains("periodSeconds")) times["periodSeconds"] = period;
  if (!times.contains("timeoutSeconds")) times["timeoutSeconds"] = kProbeTimeout;
}

void SetContainer(ObjectEditor& edit, json::object& container, const Release& release,
                  const api::Installation& installation, const Inputs& inputs) {
  const absl::StatusOr<std::string> reference =
      release.images().Reference(TextAt(container, "image"), ImageSource::Of(installation),
                                 inputs.image_set.has_value() ? &*inputs.image_set : nullptr);
  if (!reference.ok()) return edit.Fail(std::string(reference.status().message()));
  container["image"] = *reference;
  if (!installation.image_pull_policy.empty()) {
    container["imagePullPolicy"] = installation.image_pull_policy;
  } else if (TextAt(container, "imagePullPolicy").empty()) {
    container["imagePullPolicy"] = "IfNotPresent";
  }
  SetProbeTimes(container, "livenessProbe", kLivenessPeriod);
  SetProbeTimes(container, "readinessProbe", kReadinessPeriod);
}

void SetBirdTemplates(ObjectEditor& edit, const api::StringMap& templates) {
  if (templates.empty()) return;
  for (json::value& container : edit.ArrayAt(edit.PodSpec(), {"containers"})) {
    if (!container.is_object() || TextAt(container.get_object(), "name") != kNode) continue;
    json::value& mounts = container.get_object()["volumeMounts"];
    if (!mounts.is_array()) mounts.emplace_array();
    for (const auto& [name, text] : templates) {
      mounts.get_array().push_back(
          json::object{{"name", kBirdTemplates},
                       {"readOnly", true},
                       {"mountPath", fmt::format("/etc/calico/confd/templates/{}", name)},
                       {"subPath", name}});
    }
  }
}

void SetHostNetworkLabel(json::object& object, ObjectEditor& edit) {
  const json::value* const host = edit.PodSpec().if_contains("hostNetwork");
  if (host == nullptr || *host != true) return;
  EnsureObject(object, {"spec", "template", "metadata", "labels"})[kHostNetworkedLabel] = "true";
}

}  // namespace

absl::Status FinishWorkload(json::object& object, const Release& release,
                            const api::Installation& installation, const Inputs& inputs) {
  if (!HasTemplate(object)) return absl::OkStatus();
  ObjectEditor edit(object);
  ForEachContainer(edit, [&](json::object& container) {
    SetContainer(edit, container, release, installation, inputs);
  });
  DropEmptyInitContainers(edit);
  SetPullSecrets(edit, installation.image_pull_secrets);
  if (release.Has(Release::Feature::kTlsCipherSuites)) {
    SetCipherSuites(edit, CipherSuites(installation.spec));
  }
  if (NameOf(object) == kNode) SetBirdTemplates(edit, inputs.bird_templates);
  if (release.Has(Release::Feature::kHostNetworkedLabel)) SetHostNetworkLabel(object, edit);
  return edit.status();
}

void SetCommonLabels(json::object& object, const Owner& owner, LabelsOnPods on_pods) {
  const std::string name = OwnName(object);
  json::object& labels = EnsureObject(object, {"metadata", "labels"});
  if (KindOf(object) == api::kDeployments.kind) LabelByName(labels, name);
  // By these the operator finds it.
  labels[kManagedByLabel] = kManagedBy;
  labels[kInstanceLabel] = api::kInstallationName;
  Label(labels, name, owner, kManagedBy);
  if (!HasTemplate(object)) return;
  json::object& of_pods = EnsureObject(object, {"spec", "template", "metadata", "labels"});
  if (on_pods == LabelsOnPods::kAll) {
    Label(of_pods, name, owner, kPodsManagedBy);
  } else {
    LabelByName(of_pods, name);
  }
}

bool OutlivesInstallation(const json::object& object) {
  const std::string_view kind = KindOf(object);
  const std::string_view name = NameOf(object);
  if (kind == api::kNamespaces.kind) return name == kCalicoNamespace;
  return name == kCniPlugin &&
         (kind == api::kServiceAccounts.kind || kind == api::kClusterRoles.kind ||
          kind == api::kClusterRoleBindings.kind);
}

void SetOwner(json::object& object, const Owner& owner) {
  if (OutlivesInstallation(object)) return;
  const api::OwnerReference reference = {.api_version = owner.resource->ApiVersion(),
                                         .kind = std::string(owner.resource->kind),
                                         .name = std::string(owner.name),
                                         .uid = std::string(owner.uid),
                                         .controller = true,
                                         .block_owner_deletion = true};
  EnsureObject(object, {"metadata"})["ownerReferences"] = json::array{reference.Encode()};
}

}  // namespace calico::render
