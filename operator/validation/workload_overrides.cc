#include "operator/validation/workload_overrides.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/validation/container_rules.h"
#include "operator/validation/rollout_rules.h"
#include "operator/validation/scheduling_rules.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kNode[] = {"calico-node"};
constexpr std::string_view kTypha[] = {"calico-typha"};
constexpr std::string_view kTyphaInit[] = {"typha-certs-key-cert-provisioner"};

void CheckMetadata(const SpecField& metadata, Findings findings) {
  CheckLabels(metadata["labels"], findings);
  CheckAnnotations(metadata["annotations"], findings);
}

bool IsInt32(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsProfile(std::string_view text) {
  return text == "runtime/default" || text == "docker/default" || text == "unconfined" ||
         text.starts_with("localhost/");
}

bool IsOf(std::string_view container, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), container) != names.end();
}

// Annotations of objects that the API server reads as fields of an older version.
void CheckOldFields(const SpecField& annotations, Findings findings) {
  for (const SpecField& annotation : annotations.members()) {
    const std::string_view key = annotation.key();
    if (!key.starts_with("deprecated.daemonset.") && !key.starts_with("deprecated.deployment.")) {
      continue;
    }
    findings.Add(annotation.path(), "is Kubernetes' own: remove it");
  }
}

// Annotations of pods that the API server reads: with any other value it refuses the workload.
void CheckPodAnnotations(const SpecField& annotations, std::span<const std::string_view> containers,
                         Findings findings) {
  constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
  for (const SpecField& annotation : annotations.members()) {
    const std::string_view key = annotation.key();
    if (key == "kubernetes.io/config.mirror" ||
        key == "scheduler.alpha.kubernetes.io/tolerations") {
      findings.Add(annotation.path(), "is Kubernetes' own: remove it");
    } else if (key == "controller.kubernetes.io/pod-deletion-cost" && !IsInt32(annotation.text())) {
      findings.Add(annotation.path(), fmt::format("{} is no cost: write a whole number in quotes",
                                                  annotation.shown()));
    } else if (key.starts_with(kAppArmor) && !IsOf(key.substr(kAppArmor.size()), containers)) {
      findings.Add(annotation.path(), fmt::format("is for a container of another workload: write "
                                                  "one of {} behind the slash",
                                                  fmt::join(containers, ", ")));
    } else if ((key.starts_with(kAppArmor) ||
                key.find("seccomp.security.alpha.kubernetes.io/") != std::string_view::npos) &&
               !IsProfile(annotation.text())) {
      findings.Add(annotation.path(), fmt::format("{} is no profile: write runtime/default, "
                                                  "unconfined or localhost/<name>",
                                                  annotation.shown()));
    }
  }
}

void CheckName(const SpecField& name, std::span<const std::string_view> names, Findings findings) {
  if (name.is_text() && std::find(names.begin(), names.end(), name.text()) != names.end()) return;
  findings.Add(
      name.path(),
      names.empty()
          ? fmt::format("{} cannot be changed: remove it, this release takes no containers "
                        "here",
                        name.set() ? name.shown() : "a container without a name")
          : fmt::format("{} is no container here: write one of {}",
                        name.set() ? name.shown() : "nothing", fmt::join(names, ", ")));
}

void CheckContainers(const SpecField& containers, std::span<const std::string_view> names,
                     Findings findings) {
  std::set<std::string_view> seen;
  for (const SpecField& container : containers.items()) {
    const SpecField name = container["name"];
    CheckName(name, names, findings);
    if (name.set() && !seen.insert(name.text()).second) {
      findings.Add(name.path(), fmt::format("{} is there twice: put both into one", name.shown()));
    }
    CheckResources(container["resources"], findings);
    for (const char* probe : {"readinessProbe", "livenessProbe", "startupProbe"}) {
      CheckProbe(container[probe], findings);
    }
    for (const SpecField& port : container["ports"].items()) {
      CheckNumber(port["containerPort"], 1, 65535, findings);
    }
  }
}

// The old and the new name of one init container.
void CheckEbpfBootstrap(const SpecField& init_containers, Findings findings) {
  const SpecField* old_name = nullptr;
  bool has_new = false;
  const std::vector<SpecField> items = init_containers.items();
  for (const SpecField& item : items) {
    const std::string_view name = item["name"].text();
    if (name == "mount-bpffs") old_name = &item;
    has_new = has_new || name == "ebpf-bootstrap";
  }
  if (old_name == nullptr || !has_new) return;
  findings.Add((*old_name)["name"].path(),
               "mount-bpffs is the old name of ebpf-bootstrap, which is there too: keep "
               "ebpf-bootstrap");
}

// Its Deployment waits for a typha to end before it gives up: a fifth longer than that takes.
void CheckTypha(const SpecField& typha, Findings findings) {
  CheckWorkloadOverrides(typha, kTypha, kTyphaInit, findings);
  const SpecField grace = typha["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
  const std::int64_t deadline = grace.number().value_or(0) / 5 * 6;
  if (deadline > kMostInt32 && grace.number() <= kMostInt32) {
    CheckNumber(grace, 0, kMostInt32 / 6 * 5, findings);
    return;
  }
  CheckReadyInTime(typha, std::max(kProgressDeadlineSeconds, deadline), findings);
}

}  // namespace

void CheckWorkloadOverrides(const SpecField& overrides,
                            std::span<const std::string_view> containers,
                            std::span<const std::string_view> init_containers, Findings findings) {
  const SpecField spec = overrides["spec"];
  const SpecField pod = spec["template"]["spec"];
  CheckMetadata(overrides["metadata"], findings);
  CheckNumber(spec["minReadySeconds"], 0, kMostInt32, findings);
  CheckDeploymentStrategy(spec["strategy"], findings);
  CheckOldFields(overrides["metadata"]["annotations"], findings);
  CheckMetadata(spec["template"]["metadata"], findings);
  CheckPodAnnotations(spec["template"]["metadata"]["annotations"], containers, findings);
  CheckContainers(pod["containers"], containers, findings);
  CheckContainers(pod["initContainers"], init_containers, findings);
  CheckAffinity(pod["affinity"], findings);
  CheckLabels(pod["nodeSelector"], findings);
  CheckTolerations(pod["tolerations"], findings);
  CheckTopologySpread(pod["topologySpreadConstraints"], findings);
  CheckNumber(pod["terminationGracePeriodSeconds"], 0, kMostInt32, findings);
  CheckDns(pod, findings);
}

void CheckReadyInTime(const SpecField& overrides, std::int64_t deadline, Findings findings) {
  const SpecField ready = overrides["spec"]["minReadySeconds"];
  const std::optional<std::int64_t> seconds = ready.number();
  if (!seconds.has_value() || *seconds < deadline || *seconds > kMostInt32) return;
  findings.Add(ready.path(), fmt::format("{} is too long: the Deployment gives up after {} seconds "
                                         "without a pod that is ready; write less",
                                         *seconds, deadline));
}

void CheckInstallationOverrides(const SpecField& spec, const ReleaseRules& release,
                                Findings findings) {
  const SpecField node = spec["calicoNodeDaemonSet"];
  CheckWorkloadOverrides(node, kNode, release.node_init_containers, findings);
  CheckEbpfBootstrap(node["spec"]["template"]["spec"]["initContainers"], findings);
  CheckTypha(spec["typhaDeployment"], findings);
  CheckWorkloadOverrides(spec["calicoKubeControllersDeployment"],
                         release.kube_controllers_containers, {}, findings);
  CheckReadyInTime(spec["calicoKubeControllersDeployment"], kProgressDeadlineSeconds, findings);
  CheckWorkloadOverrides(spec["csiNodeDriverDaemonSet"], release.csi_containers, {}, findings);
}

}  // namespace calico::validation
