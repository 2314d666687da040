#include "operator/validation/workload_overrides.h"

#include <algorithm>
#include <limits>
#include <set>

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

}  // namespace

void CheckWorkloadOverrides(const SpecField& overrides,
                            std::span<const std::string_view> containers,
                            std::span<const std::string_view> init_containers, Findings findings) {
  const SpecField spec = overrides["spec"];
  const SpecField pod = spec["template"]["spec"];
  CheckMetadata(overrides["metadata"], findings);
  CheckNumber(spec["minReadySeconds"], 0, kMostInt32, findings);
  CheckDeploymentStrategy(spec["strategy"], findings);
  CheckMetadata(spec["template"]["metadata"], findings);
  CheckContainers(pod["containers"], containers, findings);
  CheckContainers(pod["initContainers"], init_containers, findings);
  CheckAffinity(pod["affinity"], findings);
  CheckLabels(pod["nodeSelector"], findings);
  CheckTolerations(pod["tolerations"], findings);
  CheckTopologySpread(pod["topologySpreadConstraints"], findings);
  CheckNumber(pod["terminationGracePeriodSeconds"], 0, kMostInt32, findings);
  CheckDns(pod, findings);
}

void CheckInstallationOverrides(const SpecField& spec, const ReleaseRules& release,
                                Findings findings) {
  const SpecField node = spec["calicoNodeDaemonSet"];
  CheckWorkloadOverrides(node, kNode, release.node_init_containers, findings);
  CheckEbpfBootstrap(node["spec"]["template"]["spec"]["initContainers"], findings);
  CheckWorkloadOverrides(spec["typhaDeployment"], kTypha, kTyphaInit, findings);
  CheckWorkloadOverrides(spec["calicoKubeControllersDeployment"],
                         release.kube_controllers_containers, {}, findings);
  CheckWorkloadOverrides(spec["csiNodeDriverDaemonSet"], release.csi_containers, {}, findings);
}

}  // namespace calico::validation
