#include "pkg/api/apps/workloads.h"

#include <charconv>
#include <string_view>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

constexpr std::string_view kPodTemplateHash = "pod-template-hash";
constexpr std::string_view kRevisionAnnotation = "deployment.kubernetes.io/revision";
constexpr std::string_view kRevisionLabels[] = {kPodTemplateHash, "controller-revision-hash"};

}  // namespace

absl::StatusOr<DaemonSet> DaemonSet::Decode(const json::object& object) {
  codec::Decoder decoder("DaemonSet");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader status = root.Object("status");
  const codec::ObjectReader pod = root.Object("spec").Object("template").Object("spec");
  DaemonSet daemon_set{.meta = ReadObjectMeta(root, {.owner_references = true}),
                       .observed_generation = status.Int64("observedGeneration"),
                       .desired_number_scheduled = status.Int32("desiredNumberScheduled"),
                       .current_number_scheduled = status.Int32("currentNumberScheduled"),
                       .updated_number_scheduled = status.Int32("updatedNumberScheduled"),
                       .number_ready = status.Int32("numberReady"),
                       .number_available = status.Int32("numberAvailable"),
                       .number_unavailable = status.Int32("numberUnavailable"),
                       .number_misscheduled = status.Int32("numberMisscheduled"),
                       .node_selector = pod.Strings("nodeSelector"),
                       .tolerations = ReadTolerations(pod)};
  daemon_set.has_node_affinity = pod.Object("affinity")
                                     .Object("nodeAffinity")
                                     .Has("requiredDuringSchedulingIgnoredDuringExecution");
  CALICO_RETURN_IF_ERROR(decoder.status());
  return daemon_set;
}

absl::StatusOr<Deployment> Deployment::Decode(const json::object& object) {
  codec::Decoder decoder("Deployment");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader status = root.Object("status");
  Deployment deployment{.meta = ReadObjectMeta(root, {.owner_references = true}),
                        .spec_replicas = root.Object("spec").Int32("replicas", 1),
                        .observed_generation = status.Int64("observedGeneration"),
                        .replicas = status.Int32("replicas"),
                        .updated_replicas = status.Int32("updatedReplicas"),
                        .ready_replicas = status.Int32("readyReplicas"),
                        .available_replicas = status.Int32("availableReplicas"),
                        .unavailable_replicas = status.Int32("unavailableReplicas"),
                        .conditions = ReadConditions(status)};
  CALICO_RETURN_IF_ERROR(decoder.status());
  return deployment;
}

absl::StatusOr<ReplicaSet> ReplicaSet::Decode(const json::object& object) {
  codec::Decoder decoder("ReplicaSet");
  const codec::ObjectReader root = decoder.Read(object);
  ReplicaSet replica_set{
      .meta = ReadObjectMeta(root, {.label_keys = kRevisionLabels, .owner_references = true})};
  replica_set.pod_template_hash = std::string(replica_set.meta.Label(kPodTemplateHash));
  const codec::ObjectReader annotations = root.Object("metadata").Object("annotations");
  const std::string_view revision = annotations.StringView(kRevisionAnnotation);
  const char* const begin = revision.data();
  const char* const end = begin + revision.size();
  const auto [stop, error] = std::from_chars(begin, end, replica_set.revision);
  if (!revision.empty() && (error != std::errc() || stop != end)) {
    annotations.Fail(kRevisionAnnotation, "expected a number");
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return replica_set;
}

absl::StatusOr<ControllerRevision> ControllerRevision::Decode(const json::object& object) {
  codec::Decoder decoder("ControllerRevision");
  const codec::ObjectReader root = decoder.Read(object);
  ControllerRevision revision{
      .meta = ReadObjectMeta(root, {.label_keys = kRevisionLabels, .owner_references = true}),
      .revision = root.Int64("revision")};
  revision.controller_revision_hash = std::string(revision.meta.Label("controller-revision-hash"));
  CALICO_RETURN_IF_ERROR(decoder.status());
  return revision;
}

}  // namespace calico::api
