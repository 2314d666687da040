#include "pkg/api/apps/workloads.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

TEST(DaemonSetTest, Decodes) {
  const absl::StatusOr<DaemonSet> daemon_set = DaemonSet::Decode(Parse(R"({
      "metadata": {"name": "calico-node", "namespace": "calico-system", "uid": "u", "generation": 2,
                   "ownerReferences": [{"kind": "Installation", "controller": true}]},
      "spec": {"template": {"spec": {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}}},
      "status": {"observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": 3,
        "updatedNumberScheduled": 4, "numberReady": 5, "numberAvailable": 6, "numberUnavailable": 7,
        "numberMisscheduled": 8}})"));
  ASSERT_THAT(daemon_set, IsOk());
  EXPECT_EQ(daemon_set->meta.generation, 2);
  EXPECT_EQ(daemon_set->meta.Controller()->kind, "Installation");
  EXPECT_EQ(daemon_set->observed_generation, 1);
  EXPECT_EQ(daemon_set->desired_number_scheduled, 2);
  EXPECT_EQ(daemon_set->current_number_scheduled, 3);
  EXPECT_EQ(daemon_set->updated_number_scheduled, 4);
  EXPECT_EQ(daemon_set->number_ready, 5);
  EXPECT_EQ(daemon_set->number_available, 6);
  EXPECT_EQ(daemon_set->number_unavailable, 7);
  EXPECT_EQ(daemon_set->number_misscheduled, 8);
  EXPECT_EQ(daemon_set->node_selector.at("kubernetes.io/os"), "linux");
  ASSERT_EQ(daemon_set->tolerations.size(), 1U);
  EXPECT_EQ(daemon_set->tolerations[0].key, "a");
  EXPECT_TRUE(daemon_set->has_node_affinity);
}

TEST(DeploymentTest, Decodes) {
  const absl::StatusOr<Deployment> deployment = Deployment::Decode(Parse(R"({
      "metadata": {"name": "calico-typha", "generation": 3}, "spec": {"replicas": 0},
      "status": {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 2, "readyReplicas": 3,
        "availableReplicas": 4, "unavailableReplicas": 5,
        "conditions": [{"type": "Available", "status": "True",
                        "reason": "MinimumReplicasAvailable"}]}})"));
  ASSERT_THAT(deployment, IsOk());
  EXPECT_EQ(deployment->spec_replicas, 0);
  EXPECT_EQ(deployment->observed_generation, 3);
  EXPECT_EQ(deployment->replicas, 1);
  EXPECT_EQ(deployment->updated_replicas, 2);
  EXPECT_EQ(deployment->ready_replicas, 3);
  EXPECT_EQ(deployment->available_replicas, 4);
  EXPECT_EQ(deployment->unavailable_replicas, 5);
  ASSERT_NE(FindCondition(deployment->conditions, "Available"), nullptr);
}

TEST(DeploymentTest, AbsentReplicasMeanOne) {
  const absl::StatusOr<Deployment> deployment =
      Deployment::Decode(Parse(R"({"metadata": {"name": "d"}})"));
  ASSERT_THAT(deployment, IsOk());
  EXPECT_EQ(deployment->spec_replicas, 1);
}

TEST(ReplicaSetTest, RevisionIsAnAnnotation) {
  const absl::StatusOr<ReplicaSet> replica_set = ReplicaSet::Decode(Parse(R"({
      "metadata": {"name": "r", "labels": {"pod-template-hash": "85dd", "x": "y"},
                   "annotations": {"deployment.kubernetes.io/revision": "12", "x": "y"}}})"));
  ASSERT_THAT(replica_set, IsOk());
  EXPECT_EQ(replica_set->revision, 12);
  EXPECT_EQ(replica_set->pod_template_hash, "85dd");
  EXPECT_TRUE(replica_set->meta.annotations.empty());
}

TEST(ReplicaSetTest, RevisionMustBeANumber) {
  EXPECT_EQ(ReplicaSet::Decode(Parse(R"({"metadata": {"name": "r"}})"))->revision, 0);
  for (const char* revision : {"x", "1x", "99999999999999999999"}) {
    SCOPED_TRACE(revision);
    json::object object = Parse(R"({"metadata": {"name": "r"}})");
    object["metadata"].as_object()["annotations"] =
        json::object{{"deployment.kubernetes.io/revision", revision}};
    EXPECT_THAT(ReplicaSet::Decode(object),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "ReplicaSet.metadata.annotations.deployment.kubernetes.io/revision: "
                         "expected a number"));
  }
}

TEST(ControllerRevisionTest, Decodes) {
  const absl::StatusOr<ControllerRevision> revision = ControllerRevision::Decode(Parse(R"({
      "metadata": {"name": "c", "labels": {"controller-revision-hash": "7f9"}}, "revision": 4,
      "data": {"spec": {}}})"));
  ASSERT_THAT(revision, IsOk());
  EXPECT_EQ(revision->revision, 4);
  EXPECT_EQ(revision->controller_revision_hash, "7f9");
}

TEST(WorkloadsTest, ProblemsNameTheKind) {
  const json::object object = Parse(R"({"metadata": {"name": "x"}, "revision": "1",
      "spec": {"replicas": "1"}, "status": {"observedGeneration": true}})");
  EXPECT_THAT(DaemonSet::Decode(object),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "DaemonSet.status.observedGeneration: expected integer, got boolean"));
  EXPECT_THAT(Deployment::Decode(object),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("Deployment.spec.replicas: expected integer")));
  EXPECT_THAT(ControllerRevision::Decode(object),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "ControllerRevision.revision: expected integer, got string"));
}

}  // namespace
}  // namespace calico::api
