#include "operator/controllers/status/workload_health.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::status {
namespace {

using testing::AllOf;
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

const NodeIndex& NoNodes() {
  static const NodeList* const none = new NodeList;
  static const NodeIndex* const index = new NodeIndex(*none);
  return *index;
}

// Everything has just moved.
WorkloadContext Around(const NodeIndex& nodes = NoNodes(), absl::Duration still = {}) {
  return {.nodes = nodes, .moved_at = Now() - still, .now = Now()};
}

std::shared_ptr<const NodeFacts> Node(std::string name, std::string_view virtual_kind = {}) {
  return std::make_shared<const NodeFacts>(NodeFacts{
      .name = base::LongLivedString(name), .is_linux = true, .virtual_kind = virtual_kind});
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
    const Report report = JudgeDaemonSet(kSet, &set, {}, Around());
    EXPECT_THAT(report.progressing, ElementsAre(c.want));
    EXPECT_THAT(report.failing, IsEmpty());
  }
  const api::DaemonSet fine = Running(3);
  EXPECT_TRUE(JudgeDaemonSet(kSet, &fine, {}, Around()).healthy());
  EXPECT_THAT(JudgeDaemonSet(kSet, nullptr, {}, Around()).progressing,
              ElementsAre(HasSubstr("is being created")));
  EXPECT_THAT(JudgeDaemonSet(kSet, nullptr, {}, Around(NoNodes(), kDeadline)).failing,
              ElementsAre(HasSubstr("is being created, and nothing has moved for 5m")));
}

TEST(WorkloadHealthTest, DeploymentRollout) {
  api::Deployment typha;
  typha.meta.generation = typha.observed_generation = 1;
  typha.spec_replicas = typha.replicas = typha.updated_replicas = typha.ready_replicas =
      typha.available_replicas = 2;
  EXPECT_TRUE(JudgeDeployment("ns/t", &typha, std::nullopt, {}, Around()).healthy());

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
    EXPECT_THAT(JudgeDeployment("ns/t", &changed, std::nullopt, {}, Around()).progressing,
                ElementsAre(std::string("Deployment \"ns/t\" ") + c.want));
  }
  typha.conditions.push_back({.type = "ReplicaFailure", .status = "True", .message = "quota"});
  typha.conditions.push_back(
      {.type = "Progressing", .status = "False", .reason = "ProgressDeadlineExceeded"});
  EXPECT_THAT(JudgeDeployment("ns/t", &typha, std::nullopt, {}, Around()).failing,
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
      {"image, between two attempts",
       [&](api::Pod& pod) {
         container(pod).waiting = api::ContainerWaiting{
             "ImagePullBackOff",
             "Back-off pulling image \"quay.io/x:v1\": ErrImagePull: not found"};
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
         pod.init_containers[0].restart_count = 1;
       },
       "Pod calico-system/p has crash looping container: provisioner (OOMKilled, exit code 137)"},
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
    EXPECT_THAT(JudgePods(Pods({pod}), NoNodes(), Now()).failing, ElementsAre(c.failing));
    pod.meta.deletion_timestamp = Now();
    EXPECT_TRUE(JudgePods(Pods({pod}), NoNodes(), Now()).healthy());
  }
}

TEST(WorkloadHealthTest, WhatIsNoTrouble) {
  api::Pod done = Pod("done");
  done.init_containers.push_back(
      {.name = "p", .terminated = api::ContainerTerminated{"Completed", 0, ""}});
  api::Pod starting = Pod("starting", "Pending");
  starting.meta.creation_timestamp = Now();
  starting.conditions.push_back({.type = "PodScheduled", .status = "True"});
  starting.containers.push_back(
      {.name = "c", .waiting = api::ContainerWaiting{"PodInitializing", ""}});
  api::Pod fresh = Pod("fresh");
  fresh.conditions.push_back({.type = "ContainersReady",
                              .status = "False",
                              .last_transition_time = Now() - absl::Seconds(100)});
  fresh.containers.push_back({.name = "c", .running_since = Now() - absl::Seconds(100)});
  const Report report = JudgePods(Pods({done, starting, fresh}), NoNodes(), Now());
  EXPECT_TRUE(report.healthy());
  EXPECT_EQ(report.recheck_at, Now() + absl::Seconds(20));
}

TEST(WorkloadHealthTest, UnschedulableIsProgressWithTheSchedulersMessage) {
  api::Pod pod = Pod("p", "Pending");
  pod.conditions.push_back({.type = "PodScheduled",
                            .status = "False",
                            .reason = "Unschedulable",
                            .message = "0/3 nodes are available",
                            .last_transition_time = Now() - absl::Minutes(4)});
  const Report report = JudgePods(Pods({pod}), NoNodes(), Now());
  EXPECT_THAT(report.progressing,
              ElementsAre("Pod calico-system/p is pending: 0/3 nodes are available"));
  EXPECT_EQ(report.recheck_at, Now() + absl::Minutes(1));
  // Not for ever.
  pod.conditions[0].last_transition_time = Now() - kDeadline;
  EXPECT_THAT(JudgePods(Pods({pod}), NoNodes(), Now()).failing,
              ElementsAre("Pod calico-system/p is pending: 0/3 nodes are available"));
  // The pod before it has its host port for as long as it may take to end.
  api::Pod ending = Pod("old");
  ending.meta.deletion_timestamp = Now() - absl::Minutes(1);
  EXPECT_THAT(JudgePods(Pods({pod, ending}), NoNodes(), Now()).failing, IsEmpty());
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
                NoNodes(), Now());
  EXPECT_THAT(report.failing,
              ElementsAre("Pod calico-system/e has crash looping container: c (Error, exit code 4)",
                          "Pod calico-system/c has crash looping container: c (Error, exit code 5) "
                          "(2 pods affected)",
                          "Pod calico-system/a has crash looping container: c (Error, exit code 1) "
                          "(2 pods affected) (old revision)",
                          "and 1 more pod for other reasons"));
}

// Running for a moment between two ends is the same state as waiting for the next start.
TEST(WorkloadHealthTest, ACrashLoopIsOneState) {
  api::ContainerTerminated end{"Error", 1, "no route to host"};
  end.started_at = Now() - absl::Seconds(60);
  end.finished_at = Now() - absl::Seconds(40);
  struct Case {
    const char* name;
    std::function<void(api::ContainerStatus&)> change;
  };
  const Case cases[] = {
      {"ended", [&](api::ContainerStatus& c) { c.terminated = end; }},
      {"waits for its next start",
       [&](api::ContainerStatus& c) {
         c.waiting = api::ContainerWaiting{"CrashLoopBackOff", "back-off 20s"};
         c.last_terminated = end;
       }},
      {"runs for the moment",
       [&](api::ContainerStatus& c) {
         c.restart_count = 3;
         c.last_terminated = end;
         c.running_since = Now() - absl::Seconds(20);
       }},
      {"and is ready",
       [&](api::ContainerStatus& c) {
         c.restart_count = 3;
         c.last_terminated = end;
         c.ready = true;
         c.running_since = Now() - absl::Seconds(20);
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Pod pod = Pod("p");
    pod.containers.push_back({.name = "c", .restart_count = 2});
    c.change(pod.containers[0]);
    const Report report = JudgePods(Pods({pod}), NoNodes(), Now());
    EXPECT_THAT(report.failing,
                ElementsAre("Pod calico-system/p has crash looping container: c (Error, exit code "
                            "1): no route to host"));
    EXPECT_THAT(report.progressing, IsEmpty());
    // Numbers that are right for the moment change nothing.
    const api::DaemonSet set = Running(1);
    EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({pod}), Around()).failing, report.failing);
  }
}

TEST(WorkloadHealthTest, ACrashLoopIsOverWhenTheContainerHasRunForAWhile) {
  struct Case {
    const char* name;
    absl::Duration last_run;
    absl::Duration runs;
    bool is_over;
  };
  const Case cases[] = {
      {"a short last run", absl::Seconds(3), absl::Seconds(59), false},
      {"for a minute", absl::Seconds(3), absl::Seconds(60), true},
      {"not longer than the last time", absl::Seconds(90), absl::Seconds(90), false},
      {"longer than the last time", absl::Seconds(90), absl::Seconds(120), true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Pod pod = Pod("p");
    api::ContainerTerminated end{"Error", 1, ""};
    end.finished_at = Now() - c.runs - absl::Seconds(10);
    end.started_at = *end.finished_at - c.last_run;
    pod.containers.push_back(
        {.name = "c", .restart_count = 5, .last_terminated = end, .running_since = Now() - c.runs});
    const Report report = JudgePods(Pods({pod}), NoNodes(), Now());
    EXPECT_EQ(report.healthy(), c.is_over);
    EXPECT_EQ(report.recheck_at < absl::InfiniteFuture(), !c.is_over);
  }
}

TEST(WorkloadHealthTest, OneEndAloneIsProgressWithItsReason) {
  const auto with = [](std::function<void(api::ContainerStatus&)> change) {
    api::Pod pod = Pod("p");
    pod.containers.push_back({.name = "c"});
    change(pod.containers[0]);
    return pod;
  };
  api::ContainerTerminated long_run{"OOMKilled", 137, ""};
  long_run.started_at = Now() - absl::Hours(50);
  long_run.finished_at = Now() - absl::Seconds(30);
  const api::Pod pods[] = {
      with([](api::ContainerStatus& c) {
        c.terminated = api::ContainerTerminated{"OOMKilled", 137, ""};
      }),
      with([](api::ContainerStatus& c) {
        c.restart_count = 1;
        c.last_terminated = api::ContainerTerminated{"OOMKilled", 137, ""};
        c.running_since = Now() - absl::Seconds(5);
      }),
      // The tenth in a year, and it had run for days.
      with([&](api::ContainerStatus& c) {
        c.restart_count = 10;
        c.last_terminated = long_run;
        c.running_since = Now() - absl::Seconds(5);
      }),
  };
  for (const api::Pod& pod : pods) {
    const Report report = JudgePods(Pods({pod}), NoNodes(), Now());
    EXPECT_THAT(report.failing, IsEmpty());
    EXPECT_THAT(report.progressing, ElementsAre("Pod calico-system/p has terminated container: c "
                                                "(OOMKilled, exit code 137)"));
    // Ready again, it is forgotten.
    const api::DaemonSet set = Running(1);
    EXPECT_TRUE(JudgeDaemonSet(kSet, &set, Pods({pod}), Around()).healthy());
  }
}

TEST(WorkloadHealthTest, NotReadyCountsFromTheContainersStart) {
  api::Pod pod = Pod("p");
  pod.conditions.push_back({.type = "ContainersReady",
                            .status = "False",
                            .last_transition_time = Now() - absl::Minutes(10)});
  pod.containers.push_back({.name = "c", .running_since = Now() - absl::Seconds(21)});
  const Report report = JudgePods(Pods({pod}), NoNodes(), Now());
  EXPECT_TRUE(report.healthy());
  EXPECT_EQ(report.recheck_at, Now() + kReadyGrace - absl::Seconds(21));
  pod.containers[0].running_since = Now() - kReadyGrace;
  EXPECT_THAT(JudgePods(Pods({pod}), NoNodes(), Now()).failing,
              ElementsAre("Pod calico-system/p is running but not ready"));
}

// Each of these was progress for ever.
TEST(WorkloadHealthTest, WhatTakesTooLongFailsWithItsCause) {
  struct Case {
    const char* name;
    std::function<void(api::Pod&, absl::Time)> change;  // since when it has been so
    const char* want;
  };
  const auto scheduled = [](api::Pod& pod, absl::Time since) {
    pod.phase = "Pending";
    pod.node_name = "worker-1";
    pod.conditions.push_back(
        {.type = "PodScheduled", .status = "True", .last_transition_time = since});
  };
  const Case cases[] = {
      {"a volume is missing",
       [&](api::Pod& pod, absl::Time since) {
         scheduled(pod, since);
         pod.init_containers.push_back(
             {.name = "i", .waiting = api::ContainerWaiting{"PodInitializing", ""}});
         pod.containers.push_back(
             {.name = "c", .waiting = api::ContainerWaiting{"PodInitializing", ""}});
       },
       "Pod calico-system/p has not started container i on node worker-1 for more than 5m "
       "(PodInitializing): perhaps its image is still being pulled, or a volume cannot be mounted; "
       "`kubectl -n calico-system describe pod p` tells why"},
      {"the main container does not come after the others",
       [&](api::Pod& pod, absl::Time since) {
         scheduled(pod, since - absl::Hours(1));
         api::ContainerTerminated done{"Completed", 0, ""};
         done.finished_at = since;
         pod.init_containers.push_back({.name = "i", .terminated = done});
         pod.containers.push_back(
             {.name = "c", .waiting = api::ContainerWaiting{"ContainerCreating", ""}});
       },
       "has not started container c on node worker-1 for more than 5m (ContainerCreating)"},
      {"the kubelet says nothing", scheduled,
       "has not started on node worker-1 for more than 5m (the kubelet has not reported it)"},
      {"an init container hangs",
       [&](api::Pod& pod, absl::Time since) {
         scheduled(pod, since - absl::Hours(1));
         pod.init_containers.push_back({.name = "install-cni", .running_since = since});
         pod.containers.push_back(
             {.name = "c", .waiting = api::ContainerWaiting{"PodInitializing", ""}});
       },
       "has an init container that runs for more than 5m and does not end: install-cni; `kubectl "
       "-n calico-system logs p -c install-cni` may tell why"},
      {"it does not go",
       [&](api::Pod& pod, absl::Time since) {
         pod.node_name = "worker-1";
         pod.meta.deletion_timestamp = since;
       },
       "is being deleted and should have been gone for more than 5m on node worker-1"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Pod pod = Pod("p");
    c.change(pod, Now() - kDeadline + absl::Seconds(1));
    const Report before = JudgePods(Pods({pod}), NoNodes(), Now());
    EXPECT_TRUE(before.healthy());
    EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
    pod = Pod("p");
    c.change(pod, Now() - kDeadline);
    EXPECT_THAT(JudgePods(Pods({pod}), NoNodes(), Now()).failing, ElementsAre(HasSubstr(c.want)));
  }
}

// The pod is set up anew; that it was scheduled days ago says nothing.
TEST(WorkloadHealthTest, ARestartedNodeHasItsTime) {
  api::Pod pod = Pod("p");
  pod.conditions = {
      {.type = "PodScheduled", .status = "True", .last_transition_time = Now() - absl::Hours(48)},
      {.type = "ContainersReady",
       .status = "False",
       .last_transition_time = Now() - absl::Seconds(5)}};
  pod.init_containers.push_back({.name = "i",
                                 .restart_count = 1,
                                 .waiting = api::ContainerWaiting{"PodInitializing", ""},
                                 .last_terminated = api::ContainerTerminated{"Completed", 0, ""}});
  pod.containers.push_back({.name = "c",
                            .restart_count = 1,
                            .waiting = api::ContainerWaiting{"PodInitializing", ""},
                            .last_terminated = api::ContainerTerminated{"Unknown", 255, ""}});
  EXPECT_TRUE(JudgePods(Pods({pod}), NoNodes(), Now()).healthy());
}

TEST(WorkloadHealthTest, AnInitContainerThatWaitsForItsCertificateDoesNotHang) {
  api::Pod pod = Pod("p", "Pending");
  pod.init_containers.push_back({.name = "provisioner", .running_since = Now() - absl::Hours(1)});
  WorkloadPods pods = Pods({pod});
  EXPECT_FALSE(JudgePods(pods, NoNodes(), Now()).healthy());
  pods.provisioner = "provisioner";
  EXPECT_TRUE(JudgePods(pods, NoNodes(), Now()).healthy());
}

TEST(WorkloadHealthTest, ANodeThatIsDownIsNamed) {
  NodeFacts down{.name = "worker-1", .is_linux = true};
  down.down = NodeFacts::Down{Now() - kDeadline + absl::Seconds(1),
                              "NodeStatusUnknown: Kubelet stopped posting node status."};
  // What the kubelet said last.
  api::Pod pod = Pod("p");
  pod.node_name = "worker-1";
  pod.conditions.push_back({.type = "Ready", .status = "False"});
  pod.containers.push_back({.name = "c", .ready = true, .running_since = Now() - absl::Hours(1)});
  const char kWant[] =
      "Pod calico-system/p cannot run: node worker-1 is not ready: NodeStatusUnknown: Kubelet "
      "stopped posting node status.";
  NodeList nodes = {std::make_shared<const NodeFacts>(down)};
  const Report before = JudgePods(Pods({pod}), NodeIndex(nodes), Now());
  EXPECT_THAT(before.progressing, ElementsAre(kWant));
  EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
  down.down->since = Now() - kDeadline;
  nodes = {std::make_shared<const NodeFacts>(down)};
  EXPECT_THAT(JudgePods(Pods({pod}), NodeIndex(nodes), Now()).failing, ElementsAre(kWant));
  // It runs all the same.
  pod.conditions[0].status = "True";
  EXPECT_TRUE(JudgePods(Pods({pod}), NodeIndex(nodes), Now()).healthy());
}

TEST(WorkloadHealthTest, ARolloutThatStandsStillFails) {
  api::DaemonSet set = Running(3);
  set.updated_number_scheduled = 1;
  const Report before =
      JudgeDaemonSet(kSet, &set, {}, Around(NoNodes(), kDeadline - absl::Seconds(1)));
  EXPECT_EQ(before.progressing.size(), 1U);
  EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
  set.current_number_scheduled = 1;
  const Report report = JudgeDaemonSet(kSet, &set, {}, Around(NoNodes(), kDeadline));
  EXPECT_THAT(report.progressing, IsEmpty());
  EXPECT_THAT(report.failing,
              ElementsAre("DaemonSet \"calico-system/calico-node\" update is rolling out (1 out of "
                          "3 updated), and nothing has moved for 5m; 2 of its pods are not made, "
                          "for which `kubectl -n calico-system describe daemonset calico-node` has "
                          "the reason"));
  EXPECT_TRUE(TellsStandstill("first\n" + report.failing[0], kDaemonSet, kSet));
  EXPECT_FALSE(TellsStandstill(report.failing[0], kDeployment, kSet));
  EXPECT_FALSE(TellsStandstill(before.progressing[0], kDaemonSet, kSet));
  // A typha may take minutes to let its clients go.
  api::Pod ending = Pod("p");
  ending.meta.deletion_timestamp = Now() + absl::Minutes(2);
  EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({ending}), Around(NoNodes(), kDeadline)).failing,
              IsEmpty());
}

TEST(WorkloadHealthTest, NodesThatADaemonSetLeavesOutAreToldWithTheReason) {
  struct Case {
    const char* name;
    std::function<void(api::DaemonSet&)> change;
    const char* want;
  };
  const Case cases[] = {
      {"nobody knows", [](api::DaemonSet&) {},
       "DaemonSet \"calico-system/calico-node\" covers 1 of 3 Linux nodes: without a pod: b, c"},
      {"selector", [](api::DaemonSet& set) { set.node_selector["disk"] = "ssd"; },
       "covers 1 of 3 Linux nodes: its nodeSelector asks for disk=ssd; without a pod: b, c"},
      {"affinity", [](api::DaemonSet& set) { set.has_node_affinity = true; },
       "it has a required node affinity; without a pod: b, c"},
      {"taint", [](api::DaemonSet& set) { set.tolerations.clear(); },
       "it does not tolerate taints such as only=me:NoSchedule of c; without a pod: b, c"},
  };
  NodeFacts tainted{.name = "c", .is_linux = true, .taints = {{{"only", "me", "NoSchedule"}}}};
  const NodeFacts windows{.name = "w"};
  const NodeFacts going{.name = "g", .is_linux = true, .deleting = true};
  const NodeList nodes = {Node("a"), Node("b"), std::make_shared<const NodeFacts>(tainted),
                          std::make_shared<const NodeFacts>(windows),
                          std::make_shared<const NodeFacts>(going)};
  const NodeIndex index(nodes);
  api::Pod pod = Pod("p");
  pod.node_name = "a";
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::DaemonSet set = Running(1);
    set.node_selector["kubernetes.io/os"] = "linux";
    set.tolerations = {{"", "Exists", "", ""}};
    c.change(set);
    // A node that has just joined gets its pod in a moment.
    EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({pod}), Around(index)).progressing,
                ElementsAre(HasSubstr(c.want)));
    EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({pod}), Around(index, kDeadline)).failing,
                ElementsAre(AllOf(HasSubstr(c.want), HasSubstr("nothing has moved for 5m"))));
  }
  const api::DaemonSet all = Running(3);
  EXPECT_TRUE(JudgeDaemonSet(kSet, &all, {}, Around(index)).healthy());
}

TEST(WorkloadHealthTest, PodsOnVirtualNodesCountForNothing) {
  NodeList nodes = {Node("worker-1"), Node("worker-2")};
  std::vector<api::Pod> pods;
  for (const char* name : {"worker-1", "worker-2"}) {
    pods.push_back(Pod(std::string("on-") + name));
    pods.back().node_name = name;
    pods.back().conditions.push_back({.type = "Ready", .status = "True"});
  }
  for (int i = 0; i < 40; ++i) {
    const std::string name = "fargate-" + std::to_string(10 + i);
    nodes.push_back(Node(name, "Fargate"));
    pods.push_back(Pod("on-" + name, "Pending"));
    pods.back().wanted_node = name;
    pods.back().conditions.push_back({.type = "PodScheduled", .status = "False"});
  }
  api::DaemonSet set = Running(2);
  set.desired_number_scheduled = set.current_number_scheduled = set.updated_number_scheduled = 42;
  set.number_unavailable = 40;
  const NodeIndex index(nodes);
  const Report report = JudgeDaemonSet(kSet, &set, Pods(pods), Around(index, kDeadline));
  EXPECT_THAT(report.failing, IsEmpty());
  EXPECT_THAT(report.progressing, IsEmpty());
  EXPECT_THAT(report.notes,
              ElementsAre("40 pods of DaemonSet \"calico-system/calico-node\" are not counted: no "
                          "DaemonSet runs on virtual nodes (Fargate): fargate-10, fargate-11, "
                          "fargate-12 and 37 more"));
  // The others count as ever.
  set.number_unavailable = 41;
  set.number_available = set.number_ready = 1;
  EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods(pods), Around(index)).progressing,
              ElementsAre(HasSubstr("is not available (awaiting 1 nodes)")));
}

TEST(WorkloadHealthTest, PodsThatHaveFailedAreNoTroubleOfASettledWorkload) {
  api::Pod failed = Pod("p", "Failed");
  api::DaemonSet set = Running(2);
  EXPECT_TRUE(JudgeDaemonSet(kSet, &set, Pods({failed}), Around()).healthy());
  set.number_ready = 1;
  EXPECT_FALSE(JudgeDaemonSet(kSet, &set, Pods({failed}), Around()).healthy());
}

// Nothing ever deletes the pods that a ReplicaSet has replaced.
TEST(WorkloadHealthTest, AReplacedPodOfADeploymentIsHistory) {
  api::Deployment typha;
  typha.meta.generation = 2;
  typha.observed_generation = 2;
  typha.spec_replicas = typha.replicas = typha.ready_replicas = typha.available_replicas = 3;
  typha.updated_replicas = 1;
  api::Pod evicted = Pod("old", "Failed");
  evicted.reason = "Evicted";
  const std::vector<api::Pod> all = {Pod("a"), Pod("b"), Pod("c"), evicted};
  const Report rollout = JudgeDeployment("ns/t", &typha, std::nullopt, Pods(all), Around());
  EXPECT_THAT(rollout.failing, IsEmpty());
  EXPECT_THAT(rollout.progressing, ElementsAre(HasSubstr("update is rolling out")));
  // Its place is still empty.
  EXPECT_THAT(
      JudgeDeployment("ns/t", &typha, std::nullopt, Pods({Pod("a"), Pod("b"), evicted}), Around())
          .failing,
      ElementsAre(HasSubstr("Pod calico-system/old has failed: Evicted")));
}

TEST(WorkloadHealthTest, AFailedPodHasItsTimeToBeReplaced) {
  api::DaemonSet set = Running(1);
  set.number_ready = set.number_available = 0;
  set.number_unavailable = 1;
  api::Pod pod = Pod("p", "Failed");
  pod.reason = "Terminated";
  pod.meta.creation_timestamp = Now() - absl::Hours(24);
  pod.conditions.push_back({.type = "Ready",
                            .status = "False",
                            .last_transition_time = Now() - kDeadline + absl::Seconds(1)});
  const Report before = JudgeDaemonSet(kSet, &set, Pods({pod}), Around());
  EXPECT_THAT(before.failing, IsEmpty());
  EXPECT_THAT(before.progressing, testing::Contains("Pod calico-system/p has failed: Terminated"));
  EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
  pod.conditions[0].last_transition_time = Now() - kDeadline;
  EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({pod}), Around()).failing,
              ElementsAre("Pod calico-system/p has failed: Terminated"));
}

// The pod on a node that goes is not the one of a node that has none.
TEST(WorkloadHealthTest, APodOnANodeThatGoesCoversNoOther) {
  const NodeFacts going{.name = "g", .is_linux = true, .deleting = true};
  const NodeList nodes = {Node("a"), Node("b"), std::make_shared<const NodeFacts>(going)};
  const NodeIndex index(nodes);
  api::Pod on_a = Pod("p");
  on_a.node_name = "a";
  api::Pod on_going = Pod("q");
  on_going.node_name = "g";
  const api::DaemonSet set = Running(2);
  EXPECT_THAT(JudgeDaemonSet(kSet, &set, Pods({on_a, on_going}), Around(index)).progressing,
              ElementsAre(HasSubstr("covers 1 of 2 Linux nodes: without a pod: b")));
  api::Pod on_b = Pod("r");
  on_b.node_name = "b";
  EXPECT_TRUE(JudgeDaemonSet(kSet, &set, Pods({on_a, on_b}), Around(index)).healthy());
}

}  // namespace
}  // namespace calico::status
