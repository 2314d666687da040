#include "operator/render/overrides.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/spec_path.h"

namespace calico::render {
namespace {

using codec::FindArray;
using codec::FindObject;

constexpr std::string_view kReservedDomain = "operator.tigera.io";
constexpr std::string_view kOverridesAnnotation = "operator.tigera.io/custom-overrides";

// A workload and the fields that are for it.
struct Target {
  std::string_view kind;
  std::string_view name;  // of the workload, and of its main container
  std::string_view field;
  std::string_view component = {};  // in componentResources
  bool is_control_plane = false;
  bool is_of_api_server = false;  // `field` is one of the APIServer
};
constexpr Target kTargets[] = {
    {"DaemonSet", kNode, "calicoNodeDaemonSet", "Node"},
    {"Deployment", kTypha, "typhaDeployment", "Typha"},
    {.kind = "Deployment",
     .name = "calico-kube-controllers",
     .field = "calicoKubeControllersDeployment",
     .component = "KubeControllers",
     .is_control_plane = true},
    {"DaemonSet", "csi-node-driver", "csiNodeDriverDaemonSet"},
    {.kind = "Deployment",
     .name = "calico-apiserver",
     .field = "apiServerDeployment",
     .is_control_plane = true,
     .is_of_api_server = true},
};

const json::object* ObjectIn(const json::object& spec, std::string_view path) {
  const json::value* const value = FindInSpec(spec, path);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* ArrayIn(const json::object& spec, std::string_view path) {
  const json::value* const value = FindInSpec(spec, path);
  return value == nullptr ? nullptr : value->if_array();
}

// Entries that `map` of `parent` lacks.
void AddMissing(json::object& parent, std::string_view map, const json::object* from) {
  if (from == nullptr || from->empty()) return;
  json::object& into = EnsureObject(parent, {map});
  for (const auto& member : *from) {
    const std::string_view key = codec::KeyOf(member);
    if (key.find(kReservedDomain) != std::string_view::npos || into.contains(key)) continue;
    into[key] = member.value();
  }
}

void AddMetadata(json::object& parent, const json::object& override_metadata) {
  json::object& metadata = EnsureObject(parent, {"metadata"});
  AddMissing(metadata, "labels", FindObject(override_metadata, "labels"));
  AddMissing(metadata, "annotations", FindObject(override_metadata, "annotations"));
}

// Copies the fields that are set.
void Replace(json::object& into, const json::object& from,
             std::initializer_list<std::string_view> fields) {
  for (const std::string_view field : fields) {
    const json::value* const value = from.if_contains(field);
    if (value != nullptr && !value->is_null()) into[field] = *value;
  }
}

json::object* FindContainer(json::object& pod, std::string_view list, std::string_view name) {
  json::value* const containers = pod.if_contains(list);
  if (containers == nullptr || !containers->is_array()) return nullptr;
  json::object* const found = FindNamed(containers->get_array(), name);
  // The init container had another name before.
  if (found != nullptr || name != "mount-bpffs") return found;
  return FindNamed(containers->get_array(), "ebpf-bootstrap");
}

// What was overridden, in the order in which the user has written it, each once.
using Overridden = std::vector<std::string_view>;

void Add(std::string_view name, Overridden& overridden) {
  if (std::find(overridden.begin(), overridden.end(), name) != overridden.end()) return;
  overridden.push_back(name);
}

constexpr std::string_view kProbes[] = {"readinessProbe", "livenessProbe", "startupProbe"};

void OverrideProbes(json::object& container, const json::object& given) {
  for (const std::string_view name : kProbes) {
    const json::object* const times = FindObject(given, name);
    json::value* const probe = container.if_contains(name);
    if (times == nullptr || probe == nullptr || !probe->is_object()) continue;
    Replace(probe->get_object(), *times,
            {"periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds"});
  }
}

// Also of a container or probe that this release does not have: it was asked for.
void TellOverrides(const json::object& given, Overridden& overridden) {
  for (const std::string_view name : kProbes) {
    if (FindObject(given, name) != nullptr) Add(name, overridden);
  }
  if (FindObject(given, "resources") != nullptr) Add("resources", overridden);
}

void OverrideContainers(json::object& pod, std::string_view list, const json::array* containers,
                        Overridden& overridden) {
  if (containers == nullptr) return;
  for (const json::value& value : *containers) {
    if (!value.is_object()) continue;
    const json::object& given = value.get_object();
    TellOverrides(given, overridden);
    json::object* const container = FindContainer(pod, list, TextAt(given, "name"));
    if (container == nullptr) continue;
    OverrideProbes(*container, given);
    if (const json::object* const resources = FindObject(given, "resources")) {
      (*container)["resources"] = *resources;
    }
    const json::array* const ports = FindArray(given, "ports");
    if (ports != nullptr && !ports->empty()) (*container)["ports"] = *ports;
  }
}

void EraseIfEmpty(json::object& object, std::string_view name) {
  const json::object* const part = FindObject(object, name);
  if (part != nullptr && part->empty()) object.erase(name);
}

// An empty object asks for nothing. Where a full one was applied before, the API server makes null
// of it and not the empty object, which would look like somebody else's change.
void LeaveOutWhatIsEmpty(json::object& pod) {
  if (json::value* const affinity = pod.if_contains("affinity");
      affinity != nullptr && affinity->is_object()) {
    for (const std::string_view name : {"nodeAffinity", "podAffinity", "podAntiAffinity"}) {
      EraseIfEmpty(affinity->get_object(), name);
    }
  }
  EraseIfEmpty(pod, "affinity");
  EraseIfEmpty(pod, "dnsConfig");
}

void OverridePod(json::object& pod, const json::object& given, Overridden& overridden) {
  // What only init containers have is told to nobody: it keeps no pod from being ready.
  Overridden of_init_containers;
  OverrideContainers(pod, "initContainers", FindArray(given, "initContainers"), of_init_containers);
  OverrideContainers(pod, "containers", FindArray(given, "containers"), overridden);
  AddMissing(pod, "nodeSelector", FindObject(given, "nodeSelector"));
  Replace(pod, given,
          {"affinity", "tolerations", "topologySpreadConstraints", "terminationGracePeriodSeconds",
           "dnsPolicy", "dnsConfig", "priorityClassName"});
  LeaveOutWhatIsEmpty(pod);
}

// 0 is what it is without the field, which the API server does not keep then.
void SetMinReadySeconds(json::object& spec, const json::object& given) {
  const json::value* const seconds = given.if_contains("minReadySeconds");
  if (seconds != nullptr && *seconds != 0) Replace(spec, given, {"minReadySeconds"});
}

void ApplyOwnOverride(json::object& object, const json::object& given, bool has_annotation) {
  Overridden overridden;
  json::object& spec = EnsureObject(object, {"spec"});
  if (const json::object* const metadata = FindObject(given, "metadata")) {
    AddMetadata(object, *metadata);
  }
  const json::object* const given_spec = FindObject(given, "spec");
  if (given_spec == nullptr) return;
  SetMinReadySeconds(spec, *given_spec);
  if (const json::object* const update = ObjectIn(*given_spec, "strategy.rollingUpdate")) {
    spec["strategy"] = json::object{{"type", "RollingUpdate"}, {"rollingUpdate", *update}};
  }
  const json::object* const given_template = FindObject(*given_spec, "template");
  if (given_template == nullptr) return;
  json::object& pod_template = EnsureObject(spec, {"template"});
  if (const json::object* const metadata = FindObject(*given_template, "metadata")) {
    AddMetadata(pod_template, *metadata);
  }
  if (const json::object* const pod = FindObject(*given_template, "spec")) {
    OverridePod(EnsureObject(pod_template, {"spec"}), *pod, overridden);
  }
  if (!has_annotation || overridden.empty()) return;
  EnsureObject(object, {"metadata", "annotations"})[kOverridesAnnotation] =
      fmt::format("{}", fmt::join(overridden, ","));
}

void SetComponentResources(json::object& pod, const Target& target, const json::object& spec) {
  const json::array* const all = ArrayIn(spec, "componentResources");
  if (all == nullptr || target.component.empty()) return;
  json::object* const container = FindContainer(pod, "containers", target.name);
  if (container == nullptr) return;
  for (const json::value& value : *all) {
    if (!value.is_object() || TextAt(value.get_object(), "componentName") != target.component) {
      continue;
    }
    if (const auto* const resources = FindObject(value.get_object(), "resourceRequirements")) {
      (*container)["resources"] = *resources;
    }
  }
}

// The nodes' part of typha's affinity; the pods' part stays. One that asks for nothing asks for no
// affinity at all.
void SetTyphaAffinity(json::object& pod, const json::object& spec) {
  const json::object* const given = ObjectIn(spec, "typhaAffinity.nodeAffinity");
  if (given == nullptr) return;
  const json::array* const preferred =
      FindArray(*given, "preferredDuringSchedulingIgnoredDuringExecution");
  if (FindObject(*given, "requiredDuringSchedulingIgnoredDuringExecution") == nullptr &&
      (preferred == nullptr || preferred->empty())) {
    pod.erase("affinity");
    return;
  }
  EnsureObject(pod, {"affinity"})["nodeAffinity"] = *given;
}

bool IsForArm(const json::value& toleration) {
  return toleration.is_object() && TextAt(toleration.get_object(), "key") == "kubernetes.io/arch";
}

// In place of typha's own ones. The one that nodes of a GKE cluster with ARM processors need stays.
void SetTyphaTolerations(json::object& pod, const json::array& given) {
  json::array tolerations = given;
  if (const json::array* const own = FindArray(pod, "tolerations")) {
    std::copy_if(own->begin(), own->end(), std::back_inserter(tolerations), IsForArm);
  }
  pod["tolerations"] = std::move(tolerations);
}

// Before the workload's own ones.
void AddTolerations(json::object& pod, const json::array& given) {
  // With the network of the host it tolerates everything.
  if (const json::value* const host = pod.if_contains("hostNetwork"); host && *host == true) return;
  json::array tolerations = given;
  if (const json::array* const own = FindArray(pod, "tolerations")) {
    tolerations.insert(tolerations.end(), own->begin(), own->end());
  }
  pod["tolerations"] = std::move(tolerations);
}

void ApplyControlPlane(json::object& pod, const Target& target, const json::object& spec) {
  const json::array* const tolerations = ArrayIn(spec, "controlPlaneTolerations");
  const bool has_tolerations = tolerations != nullptr && !tolerations->empty();
  if (target.name == kTypha && has_tolerations) SetTyphaTolerations(pod, *tolerations);
  if (!target.is_control_plane) return;
  if (has_tolerations) AddTolerations(pod, *tolerations);
  AddMissing(pod, "nodeSelector", ObjectIn(spec, "controlPlaneNodeSelector"));
}

// Of typha's PodDisruptionBudget; it has one of the two bounds.
void ApplyBudget(json::object& budget, const json::object& spec) {
  const json::object* const given = ObjectIn(spec, "typhaPodDisruptionBudget");
  if (given == nullptr) return;
  if (const json::object* const metadata = FindObject(*given, "metadata")) {
    AddMetadata(budget, *metadata);
  }
  const json::object* const given_spec = FindObject(*given, "spec");
  if (given_spec == nullptr) return;
  json::object& into = EnsureObject(budget, {"spec"});
  const auto is_set = [&](std::string_view bound) {
    const json::value* const value = given_spec->if_contains(bound);
    return value != nullptr && !value->is_null();
  };
  if (is_set("minAvailable") || is_set("maxUnavailable")) {
    into.erase("minAvailable");
    into.erase("maxUnavailable");
  }
  Replace(into, *given_spec, {"minAvailable", "maxUnavailable", "unhealthyPodEvictionPolicy"});
}

}  // namespace

void ApplyOverrides(json::object& object, const OverrideSources& sources) {
  const std::string_view kind = KindOf(object);
  const std::string_view name = NameOf(object);
  if (kind == "PodDisruptionBudget" && name == kTypha) return ApplyBudget(object, sources.spec);
  const auto* const target = std::find_if(
      std::begin(kTargets), std::end(kTargets),
      [&](const Target& candidate) { return candidate.kind == kind && candidate.name == name; });
  if (target == std::end(kTargets)) return;
  json::object& pod = EnsureObject(object, {"spec", "template", "spec"});
  SetComponentResources(pod, *target, sources.spec);
  if (target->name == kTypha) SetTyphaAffinity(pod, sources.spec);
  ApplyControlPlane(pod, *target, sources.spec);
  const json::object* const owner = target->is_of_api_server ? sources.api_server : &sources.spec;
  const json::object* const given = owner == nullptr ? nullptr : FindObject(*owner, target->field);
  if (given != nullptr) ApplyOwnOverride(object, *given, sources.has_annotation);
}

}  // namespace calico::render
