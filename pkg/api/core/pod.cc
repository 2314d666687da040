#include "pkg/api/core/pod.h"

#include <string_view>
#include <utility>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

constexpr std::string_view kLabels[] = {kPodTemplateHashLabel, kControllerRevisionHashLabel,
                                        kK8sAppLabel};

base::HeapOptional<ContainerTerminated> ReadTerminated(const codec::ObjectReader& state) {
  const codec::ObjectReader terminated = state.Object("terminated");
  if (!terminated.exists()) return std::nullopt;
  return ContainerTerminated{.reason = terminated.String("reason"),
                             .exit_code = terminated.Int32("exitCode"),
                             .message = terminated.String("message"),
                             .started_at = terminated.Time("startedAt"),
                             .finished_at = terminated.Time("finishedAt")};
}

ContainerStatus ReadContainerStatus(const codec::ObjectReader& container) {
  const codec::ObjectReader state = container.Object("state");
  ContainerStatus status{.name = container.RequiredString("name"),
                         .ready = container.Bool("ready"),
                         .restart_count = container.Int32("restartCount"),
                         .terminated = ReadTerminated(state),
                         .last_terminated = ReadTerminated(container.Object("lastState"))};
  if (const codec::ObjectReader waiting = state.Object("waiting"); waiting.exists()) {
    status.waiting =
        ContainerWaiting{.reason = waiting.String("reason"), .message = waiting.String("message")};
    status.image = container.String("image");
  }
  status.running_since = state.Object("running").Time("startedAt");
  return status;
}

std::vector<ContainerStatus> ReadContainerStatuses(const codec::ObjectReader& status,
                                                   std::string_view key) {
  std::vector<ContainerStatus> containers;
  status.ForEach(key, [&containers](const codec::ObjectReader& container) {
    containers.push_back(ReadContainerStatus(container));
  });
  containers.shrink_to_fit();  // thousands of pods are kept
  return containers;
}

// `list` is what new servers fill in, `single` its first element for old readers.
std::vector<std::string> ReadIps(const codec::ObjectReader& status, std::string_view list,
                                 std::string_view single) {
  std::vector<std::string> ips;
  status.ForEach(list, [&ips](const codec::ObjectReader& entry) {
    if (std::string ip = entry.String("ip"); !ip.empty()) ips.push_back(std::move(ip));
  });
  if (std::string ip = status.String(single); ips.empty() && !ip.empty()) {
    ips.push_back(std::move(ip));
  }
  return ips;
}

// The node that the DaemonSet controller made the pod for: it matches the field metadata.name.
std::string ReadAffinityNode(const codec::ObjectReader& spec) {
  std::string node;
  const auto match = [&node](const codec::ObjectReader& field) {
    if (field.StringView("key") != "metadata.name" || field.StringView("operator") != "In") return;
    field.ForEachString("values", [&node](std::string_view name) { node = name; });
  };
  spec.Object("affinity")
      .Object("nodeAffinity")
      .Object("requiredDuringSchedulingIgnoredDuringExecution")
      .ForEach("nodeSelectorTerms",
               [&match](const codec::ObjectReader& term) { term.ForEach("matchFields", match); });
  return node;
}

std::vector<Condition> ReadUsedConditions(const codec::ObjectReader& status) {
  std::vector<Condition> conditions = ReadConditions(status);
  std::erase_if(conditions, [](const Condition& condition) {
    return condition.type != "PodScheduled" && condition.type != "Ready" &&
           condition.type != "ContainersReady";
  });
  conditions.shrink_to_fit();
  return conditions;
}

}  // namespace

absl::StatusOr<Pod> Pod::Decode(const json::object& object) {
  codec::Decoder decoder("Pod");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader spec = root.Object("spec");
  const codec::ObjectReader status = root.Object("status");
  Pod pod{.meta = ReadObjectMeta(root, {.label_keys = kLabels, .owner_references = true}),
          .node_name = spec.String("nodeName"),
          .service_account_name = spec.String("serviceAccountName"),
          .host_network = spec.Bool("hostNetwork"),
          .phase = status.String("phase"),
          .reason = status.String("reason"),
          .message = status.String("message"),
          .pod_ips = ReadIps(status, "podIPs", "podIP"),
          .host_ips = ReadIps(status, "hostIPs", "hostIP"),
          .conditions = ReadUsedConditions(status),
          .init_containers = ReadContainerStatuses(status, "initContainerStatuses"),
          .containers = ReadContainerStatuses(status, "containerStatuses")};
  if (pod.node_name.empty()) pod.wanted_node = ReadAffinityNode(spec);
  CALICO_RETURN_IF_ERROR(decoder.status());
  return pod;
}

}  // namespace calico::api
