#include "operator/controllers/status/workload_health.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::status {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

absl::Time Now() { return base::FakeClock().Now(); }
constexpr char kSet[] = "calico-system/calico-node";

api::DaemonSet Running(int nodes) {
  api::DaemonSet set;
  set.meta.generation = set.observed_generation = 1;
  set.desired_number_scheduled = set.current_number_scheduled = set.updated_number_scheduled =
      set.number_ready = set.number_available = nodes;
  return set;
}

api::Pod Pod(std::string name, std::string phase = "Running") {
  api::Pod pod;
  pod.meta.ns = "calico-system";
  pod.meta.name = std::move(name);
  pod.phase = std::move(phase);
  return pod;
}

WorkloadPods Pods(std::vector<api::Pod> pods, std::string newest = "") {
  WorkloadPods all{.newest_revision = std::move(newest)};
  for (api::Pod& pod : pods) all.pods.push_back(std::make_shared<const api::Pod>(std::move(pod)));
  return all;
}

TEST(WorkloadHealthTest, DaemonSetRollout) {
  struct Case {
    const char* name;
    std::function<void(api::DaemonSet&)> change;
    const char* want;
  };
  const Case cases[] = {
      {"rolling", [](api::DaemonSet& s) { s.updated_number_scheduled = 1; },
       "DaemonSet \"calico-system/calico-node\" update is rolling out (1 out of 3 updated)"},
      {"unavailable",
       [](api::DaemonSet& s) {
         s.number_unavailable = 2;
         s.number_available = 1;
       },
       "DaemonSet \"calico-system/calico-node\" is not available (awaiting 2 nodes)"},
      {"none", [](api::DaemonSet& s) { s.number_available = 0; },
       "DaemonSet \"calico-system/calico-node\" is not yet scheduled on any nodes"},
      {"not observed", [](api::DaemonSet& s) { s.meta.generation = 2; },
       "DaemonSet \"calico-system/calico-node\" update is being processed (generation 2, observed "
       "generation 1)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::DaemonSet set = Running(3);
    c.change(set);
    const Report report = JudgeDaemonSet(kSet, &set, {}, Now());
    EXPECT_THAT(report.progressing, ElementsAre(c.want));
    EXPECT_THAT(report.failing, IsEmpty());
  }
  const api::DaemonSet fine = Running(3);
  EXPECT_TRUE(JudgeDaemonSet(kSet, &fine, {}, Now()).healthy());
  EXPECT_THAT(JudgeDaemonSet(kSet, nullptr, {}, Now()).progressing,
              ElementsAre(HasSubstr("is being created")));
}

TEST(WorkloadHealthTest, DeploymentRollout) {
  api::Deployment typha;
  typha.meta.generation = typha.observed_generation = 1;
  typha.spec_replicas = typha.replicas = typha.updated_replicas = typha.ready_replicas =
      typha.available_replicas = 2;
  EXPECT_TRUE(JudgeDeployment("ns/t", &typha, {}, Now()).healthy());

  struct Case {
    const char* want;
    std::function<void(api::Deployment&)> change;
  };
  const Case cases[] = {
      {"is not available (awaiting 1 replicas)",
       [](api::Deployment& d) { d.unavailable_replicas = 1; }},
      {"is not yet scheduled on any nodes", [](api::Deployment& d) { d.available_replicas = 0; }},
      {"update is being processed (generation 2, observed generation 1)",
       [](api::Deployment& d) { d.meta.generation = 2; }},
      {"update is rolling out (1 out of 2 updated)",
       [](api::Deployment& d) { d.updated_replicas = 1; }},
      {"update is rolling out (1 old replicas to end)", [](api::Deployment& d) { d.replicas = 3; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.want);
    api::Deployment changed = typha;
    c.change(changed);
    EXPECT_THAT(JudgeDeployment("ns/t", &changed, {}, Now()).progressing,
                ElementsAre(std::string("Deployment \"ns/t\" ") + c.want));
  }
  typha.conditions.push_back({.type = "ReplicaFailure", .status = "True", .message = "quota"});
  typha.conditions.push_back(
      {.type = "Progressing", .status = "False", .reason = "ProgressDeadlineExceeded"});
  EXPECT_THAT(JudgeDeployment("ns/t", &typha, {}, Now()).failing,
              ElementsAre(HasSubstr("cannot create pods: quota"), HasSubstr("does not progress")));
}

TEST(WorkloadHealthTest, WhichPodWhichContainerWhy) {
  struct Case {
    const char* name;
    std::function<void(api::Pod&)> change;
    const char* failing;
  };
  const auto container = [](api::Pod& pod) -> api::ContainerStatus& {
    pod.phase = "Pending";
    return pod.init_containers.emplace_back(
        api::ContainerStatus{.name = "provisioner", .image = "quay.io/x:v1"});
  };
  const Case cases[] = {
      {"crash",
       [&](api::Pod& pod) {
         api::ContainerStatus& status = container(pod);
         status.waiting = api::ContainerWaiting{"CrashLoopBackOff", "back-off 10s"};
         status.last_terminated =
             api::ContainerTerminated{"Error", 3, "denied: rule common-name\n"};
       },
       "Pod calico-system/p has crash looping container: provisioner (Error, exit code 3): denied: "
       "rule common-name"},
      {"killed by a probe",
       [&](api::Pod& pod) {
         api::ContainerStatus& status = container(pod);
         status.waiting = api::ContainerWaiting{"CrashLoopBackOff", ""};
         status.last_terminated = api::ContainerTerminated{"Error", 137, ""};
       },
       "Pod calico-system/p has crash looping container: provisioner (exit code 137, possible "
       "liveness probe failure)"},
      {"image",
       [&](api::Pod& pod) {
         container(pod).waiting = api::ContainerWaiting{"ErrImagePull", "not found"};
       },
       "Pod calico-system/p failed to pull container image \"quay.io/x:v1\" for container "
       "provisioner: not found"},
      {"image name",
       [&](api::Pod& pod) {
         container(pod).waiting = api::ContainerWaiting{"InvalidImageName", ""};
       },
       "Pod calico-system/p failed to pull container image \"quay.io/x:v1\" for container "
       "provisioner"},
      {"config",
       [&](api::Pod& pod) {
         container(pod).waiting =
             api::ContainerWaiting{"CreateContainerConfigError", "configmap not found"};
       },
       "Pod calico-system/p cannot start container provisioner: CreateContainerConfigError: "
       "configmap not found"},
      {"ended",
       [&](api::Pod& pod) {
         container(pod).terminated = api::ContainerTerminated{"OOMKilled", 137, ""};
       },
       "Pod calico-system/p has terminated container: provisioner (OOMKilled, exit code 137)"},
      {"failed",
       [](api::Pod& pod) {
         pod.phase = "Failed";
         pod.reason = "Evicted";
         pod.message = "low on memory";
       },
       "Pod calico-system/p has failed: Evicted: low on memory"},
      {"not ready",
       [](api::Pod& pod) {
         pod.conditions.push_back({.type = "ContainersReady",
                                   .status = "False",
                                   .message = "containers with unready status: [calico-node]",
                                   .last_transition_time = Now() - kReadyGrace});
       },
       "Pod calico-system/p is running but not ready: containers with unready status: "
       "[calico-node]"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Pod pod = Pod("p");
    c.change(pod);
    EXPECT_THAT(JudgePods(Pods({pod}), Now()).failing, ElementsAre(c.failing));
    pod.meta.deletion_timestamp = Now();
    EXPECT_TRUE(JudgePods(Pods({pod}), Now()).healthy());
  }
}

TEST(WorkloadHealthTest, WhatIsNoTrouble) {
  api::Pod done = Pod("done");
  done.init_containers.push_back(
      {.name = "p", .terminated = api::ContainerTerminated{"Completed", 0, ""}});
  api::Pod starting = Pod("starting", "Pending");
  starting.conditions.push_back({.type = "PodScheduled", .status = "True"});
  starting.containers.push_back(
      {.name = "c", .waiting = api::ContainerWaiting{"PodInitializing", ""}});
  api::Pod fresh = Pod("fresh");
  fresh.conditions.push_back({.type = "ContainersReady",
                              .status = "False",
                              .last_transition_time = Now() - absl::Seconds(100)});
  const Report report = JudgePods(Pods({done, starting, fresh}), Now());
  EXPECT_TRUE(report.healthy());
  EXPECT_EQ(report.recheck_at, Now() + absl::Seconds(20));
}

TEST(WorkloadHealthTest, UnschedulableIsProgressWithTheSchedulersMessage) {
  api::Pod pod = Pod("p", "Pending");
  pod.conditions.push_back({.type = "PodScheduled",
                            .status = "False",
                            .reason = "Unschedulable",
                            .message = "0/3 nodes are available"});
  EXPECT_THAT(JudgePods(Pods({pod}), Now()).progressing,
              ElementsAre("Pod calico-system/p is pending: 0/3 nodes are available"));
}

TEST(WorkloadHealthTest, EqualTroubleIsCountedNewRevisionsComeFirstAndThreeAreTold) {
  const auto crashed = [](const char* name, const char* revision, int code) {
    api::Pod pod = Pod(name);
    pod.meta.labels[std::string(api::kControllerRevisionHashLabel)] = revision;
    pod.containers.push_back({.name = "c",
                              .waiting = api::ContainerWaiting{"CrashLoopBackOff", ""},
                              .last_terminated = api::ContainerTerminated{"Error", code, ""}});
    return pod;
  };
  const Report report =
      JudgePods(Pods({crashed("a", "old", 1), crashed("b", "old", 1), crashed("c", "new", 5),
                      crashed("d", "new", 5), crashed("e", "new", 4), crashed("f", "old", 9)},
                     "new"),
                Now());
  EXPECT_THAT(report.failing,
              ElementsAre("Pod calico-system/e has crash looping container: c (Error, exit code 4)",
                          "Pod calico-system/c has crash looping container: c (Error, exit code 5) "
                          "(2 pods affected)",
                          "Pod calico-system/a has crash looping container: c (Error, exit code 1) "
                          "(2 pods affected) (old revision)"));
}

TEST(WorkloadHealthTest, PodsOfASettledWorkloadAreNotLookedAt) {
  api::Pod failed = Pod("p", "Failed");
  api::DaemonSet set = Running(2);
  EXPECT_TRUE(JudgeDaemonSet(kSet, &set, Pods({failed}), Now()).healthy());
  set.number_ready = 1;
  EXPECT_FALSE(JudgeDaemonSet(kSet, &set, Pods({failed}), Now()).healthy());
}

}  // namespace
}  // namespace calico::status
