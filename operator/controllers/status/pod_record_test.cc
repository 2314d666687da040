#include "operator/controllers/status/pod_record.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/status/pod_trouble.h"
#include "operator/controllers/status/workload_health.h"
#include "pkg/base/memory/short_lived.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/codec/json.h"

namespace calico::status {
namespace {

// A pod of calico-node that runs, as the API server has it.
json::object Running(std::string_view name = "calico-node-5ckvq", std::string_view node = "n1") {
  return codec::ParseJsonObject(fmt::format(R"({{
    "metadata": {{"name": "{}", "namespace": "calico-system", "uid": "u-{}",
      "creationTimestamp": "2026-11-22T19:00:00Z",
      "labels": {{"k8s-app": "calico-node", "controller-revision-hash": "5d6f"}},
      "ownerReferences": [{{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "calico-node",
                           "uid": "d-1", "controller": true}}]}},
    "spec": {{"nodeName": "{}", "serviceAccountName": "calico-node"}},
    "status": {{"phase": "Running",
      "conditions": [
        {{"type": "PodScheduled", "status": "True"}},
        {{"type": "ContainersReady", "status": "True"}},
        {{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T19:42:02Z"}}],
      "initContainerStatuses": [{{"name": "node-certs-key-cert-provisioner", "ready": true,
        "state": {{"terminated": {{"exitCode": 0, "reason": "Completed"}}}}}}],
      "containerStatuses": [{{"name": "calico-node", "ready": true,
        "state": {{"running": {{"startedAt": "2026-11-22T19:42:00Z"}}}}}}]}}}})",
                                            name, name, node))
      .value();
}

json::object& At(json::object& object, std::initializer_list<std::string_view> path) {
  json::value* value = nullptr;
  json::object* parent = &object;
  for (const std::string_view step : path) {
    value = parent->if_contains(step);
    if (value->is_array()) value = &value->get_array().front();
    parent = &value->get_object();
  }
  return *parent;
}

class PodRecordTest : public testing::Test {
 protected:
  PodRecord Decode(const json::object& object) { return **decoder_.Decode(object); }

  base::FakeClock clock_;  // in January 2027
  PodRecordDecoder decoder_{clock_};
};

TEST_F(PodRecordTest, OfAPodThatRunsOnlyWhatItIsCountedByIsKept) {
  const PodRecord record = Decode(Running());
  ASSERT_TRUE(record.is_quiet());
  EXPECT_EQ(record.node_name, "n1");
  EXPECT_EQ(*record.origin, (PodOrigin{.app = "calico-node",
                                       .owner_kind = "DaemonSet",
                                       .owner_name = "calico-node",
                                       .owner_uid = "d-1",
                                       .controller_revision_hash = "5d6f"}));
  EXPECT_EQ(Decode(Running("calico-node-other", "n2")).origin, record.origin) << "shared";
}

// Each of these has something to tell, now or later, or may have.
TEST_F(PodRecordTest, EverythingElseIsKeptWhole) {
  using Change = std::function<void(json::object&)>;
  const auto condition = [](size_t index, std::string_view status) -> Change {
    return [index, status](json::object& pod) {
      At(pod, {"status"})["conditions"].get_array()[index].get_object()["status"] = status;
    };
  };
  const auto container = [](std::string_view list, std::string_view state) -> Change {
    return [list, state](json::object& pod) {
      At(pod, {"status", list})["state"] = codec::ParseJsonObject(state).value();
    };
  };
  const std::pair<const char*, Change> cases[] = {
      {"ends",
       [](json::object& pod) {
         At(pod, {"metadata"})["deletionTimestamp"] = "2026-11-22T20:00:00Z";
       }},
      {"pending", [](json::object& pod) { At(pod, {"status"})["phase"] = "Pending"; }},
      {"failed", [](json::object& pod) { At(pod, {"status"})["phase"] = "Failed"; }},
      {"without a node", [](json::object& pod) { At(pod, {"spec"}).erase("nodeName"); }},
      {"containers not ready", condition(1, "False")},
      {"not ready", condition(2, "False")},
      {"readiness unknown", condition(2, "Unknown")},
      {"nothing reported",
       [](json::object& pod) { At(pod, {"status"}).erase("containerStatuses"); }},
      {"a container is not ready",
       [](json::object& pod) { At(pod, {"status", "containerStatuses"})["ready"] = false; }},
      {"a container waits",
       container("containerStatuses", R"({"waiting": {"reason": "CrashLoopBackOff"}})")},
      {"a container has ended",
       container("containerStatuses", R"({"terminated": {"exitCode": 0}})")},
      {"an init container runs",
       container("initContainerStatuses", R"({"running": {"startedAt": "2026-11-22T19:42:00Z"}})")},
      {"an init container has failed",
       container("initContainerStatuses", R"({"terminated": {"exitCode": 6}})")},
      {"an init container has not begun", container("initContainerStatuses", "{}")},
  };
  for (const auto& [name, change] : cases) {
    SCOPED_TRACE(name);
    json::object pod = Running();
    change(pod);
    const PodRecord record = Decode(pod);
    ASSERT_FALSE(record.is_quiet());
    EXPECT_EQ(record.pod->meta.name, "calico-node-5ckvq");
    EXPECT_EQ(record.origin->app, "calico-node");
  }
}

// Thousands of them start at once, and nothing of that may stay in the heap.
TEST_F(PodRecordTest, APodThatIsNotQuietIsKeptOutOfTheHeapAndLeavesNothing) {
  {
    const base::ShortLivedScope scope;
    if (!base::IsShortLived(std::make_unique<int>(1).get())) GTEST_SKIP() << "under a sanitizer";
  }
  json::object pod = Running();
  At(pod, {"status", "containerStatuses"})["ready"] = false;
  const size_t before = base::ShortLivedBytes();
  {
    std::vector<PodRecord> records;
    for (int i = 0; i < 100; ++i) records.push_back(Decode(pod));
    for (const PodRecord& record : records) {
      ASSERT_FALSE(record.is_quiet());
      EXPECT_TRUE(base::IsShortLived(record.pod.get()));
      EXPECT_TRUE(base::IsShortLived(record.pod->containers.data()));
      EXPECT_FALSE(base::IsShortLived(record.origin.get()));
    }
    EXPECT_GT(base::ShortLivedBytes(), before + 100 * sizeof(api::Pod));
  }
  EXPECT_LE(base::ShortLivedBytes(), before + 8192);
}

TEST_F(PodRecordTest, AnEndCountsUntilTheContainerHasRunForLongEnough) {
  json::object pod = Running();
  json::object& container = At(pod, {"status", "containerStatuses"});
  container["restartCount"] = 3;
  container["lastState"] =
      codec::ParseJsonObject(
          R"({"terminated": {"exitCode": 1, "startedAt": "2027-01-15T07:50:00Z",
                         "finishedAt": "2027-01-15T07:51:00Z"}})")
          .value();
  // The clock says 08:00.
  container["state"].get_object()["running"].get_object()["startedAt"] = "2027-01-15T07:59:00Z";
  EXPECT_FALSE(Decode(pod).is_quiet());
  container["state"].get_object()["running"].get_object()["startedAt"] = "2027-01-15T07:52:00Z";
  EXPECT_TRUE(Decode(pod).is_quiet());
}

TEST_F(PodRecordTest, AQuietPodHasNothingToTellWhateverItsNodeDoes) {
  const api::Pod pod = *api::Pod::Decode(Running());
  ASSERT_TRUE(IsQuiet(pod, clock_.Now()));
  NodeFacts down{.name = "n1", .is_linux = true};
  down.down = NodeFacts::Down{clock_.Now(), "gone"};
  const NodeFacts up{.name = "n1", .is_linux = true};
  for (const NodeFacts* node : {&up, static_cast<const NodeFacts*>(&down)}) {
    for (const absl::Duration later : {absl::ZeroDuration(), absl::Hours(1), absl::Hours(9999)}) {
      const PodContext context{.node = node,
                               .provisioner = "node-certs-key-cert-provisioner",
                               .now = clock_.Now() + later};
      for (const auto judge : {&JudgePod, &JudgeCrashLoops}) {
        const PodJudgement judgement = judge(pod, context);
        EXPECT_FALSE(judgement.trouble.has_value());
        EXPECT_EQ(judgement.recheck_at, absl::InfiniteFuture());
      }
    }
  }
}

TEST_F(PodRecordTest, QuietPodsCoverTheirNodesAndAreCounted) {
  api::DaemonSet set;
  set.meta.generation = set.observed_generation = 1;
  set.desired_number_scheduled = set.current_number_scheduled = set.updated_number_scheduled =
      set.number_ready = set.number_available = 2;
  const auto node = [](std::string name, std::string_view virtual_kind = {}) {
    return std::make_shared<const NodeFacts>(NodeFacts{
        .name = base::LongLivedString(name), .is_linux = true, .virtual_kind = virtual_kind});
  };
  WorkloadPods pods{.newest_revision = "5d6f"};
  for (const char* name : {"n1", "f"}) {
    pods.quiet.push_back(std::make_shared<const PodRecord>(Decode(Running("p", name))));
  }
  // With a virtual node the pods are looked at: one of the two covers a node that counts.
  const NodeList nodes = {node("n1"), node("f", "Fargate"), node("n2")};
  const NodeIndex index(nodes);
  const WorkloadContext context{.nodes = index, .moved_at = clock_.Now(), .now = clock_.Now()};
  EXPECT_THAT(
      JudgeDaemonSet("calico-system/calico-node", &set, pods, context).progressing,
      testing::ElementsAre(testing::HasSubstr("covers 1 of 2 Linux nodes: without a pod: n2")));
}

}  // namespace
}  // namespace calico::status
