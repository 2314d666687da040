#include "operator/controllers/status/conditions.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/testing/fake_clock.h"

namespace calico::status {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Workload& Node(Facts& facts) { return facts.workloads[0]; }
Workload& Typha(Facts& facts) { return facts.workloads[1]; }

Facts Fine() {
  Facts facts;
  facts.generation = 7;
  facts.has_workloads = true;
  facts.now = base::FakeClock().Now();
  auto node = std::make_shared<api::DaemonSet>();
  node->meta.generation = node->observed_generation = 1;
  node->desired_number_scheduled = node->updated_number_scheduled = node->number_ready =
      node->number_available = 2;
  facts.workloads.push_back(
      {.kind = kDaemonSet, .name = "calico-system/calico-node", .daemon_set = node});
  auto typha = std::make_shared<api::Deployment>();
  typha->meta.generation = typha->observed_generation = 1;
  typha->replicas = typha->updated_replicas = typha->ready_replicas = typha->available_replicas = 1;
  facts.workloads.push_back(
      {.kind = kDeployment, .name = "calico-system/calico-typha", .deployment = typha});
  return facts;
}

void MakeNodeUnavailable(Facts& facts) {
  auto node = std::make_shared<api::DaemonSet>(*Node(facts).daemon_set);
  node->number_unavailable = 1;
  node->number_available = node->number_ready = 1;
  Node(facts).daemon_set = node;
}

void AddCrash(Facts& facts) {
  MakeNodeUnavailable(facts);
  auto pod = std::make_shared<api::Pod>();
  pod->meta.name = "p";
  pod->containers.push_back(
      {.name = "c", .waiting = api::ContainerWaiting{"CrashLoopBackOff", ""}});
  Node(facts).pods.pods.push_back(pod);
}

void AddDenial(Facts& facts) {
  auto pod = std::make_shared<api::Pod>();
  pod->meta.ns = "calico-system";
  pod->meta.name = "p";
  pod->meta.uid = "123456789";
  pod->service_account_name = "a";
  auto request = std::make_shared<RequestFacts>();
  request->name = RequestName(*pod);
  request->pod_uid = pod->meta.uid;
  request->username = "system:serviceaccount:calico-system:a";
  request->state = RequestFacts::State::kDenied;
  request->message = "rule x";
  facts.waiting_pods.push_back({.pod = pod, .request = request});
}

const api::Condition& Get(const Decision& decision, std::string_view type) {
  return *api::FindCondition(decision.conditions, type);
}

void Expect(const Facts& facts, const char* available, const char* progressing,
            const char* degraded, std::string_view reason) {
  const Decision decision = Decide(facts);
  ASSERT_EQ(decision.conditions.size(), 3U);
  EXPECT_EQ(Get(decision, api::kAvailable).status, available);
  EXPECT_EQ(Get(decision, api::kProgressing).status, progressing);
  EXPECT_EQ(Get(decision, api::kDegraded).status, degraded);
  EXPECT_EQ(Get(decision, api::kDegraded).reason, reason);
  for (const api::Condition& condition : decision.conditions) {
    EXPECT_EQ(condition.observed_generation, 7);
  }
}

TEST(ConditionsTest, Available) {
  const Facts facts = Fine();
  Expect(facts, "True", "False", "False", api::kReasonAllObjectsAvailable);
  for (const api::Condition& condition : Decide(facts).conditions) {
    EXPECT_EQ(condition.message, "All objects available");
    EXPECT_EQ(condition.reason, api::kReasonAllObjectsAvailable);
  }
  EXPECT_TRUE(Decide(facts).is_available());
}

TEST(ConditionsTest, NotesAreToldWithWhateverIsTold) {
  Facts facts = Fine();
  facts.notes = {"Without effect: spec.a."};
  EXPECT_EQ(Get(Decide(facts), api::kDegraded).message,
            "All objects available; Without effect: spec.a.");
  MakeNodeUnavailable(facts);
  EXPECT_THAT(Get(Decide(facts), api::kProgressing).message,
              HasSubstr("\nWithout effect: spec.a."));
}

TEST(ConditionsTest, AChangeOfReleaseIsToldUntilEverythingIsAvailable) {
  Facts facts = Fine();
  facts.change = "from v1 to v2";
  facts.versions = "operator 1, Calico v2";
  EXPECT_EQ(Get(Decide(facts), api::kAvailable).message,
            "All objects available; operator 1, Calico v2");
  MakeNodeUnavailable(facts);
  EXPECT_TRUE(Get(Decide(facts), api::kProgressing).message.starts_with("from v1 to v2\n"));
  facts.obstacle = Obstacle{std::string(api::kReasonUnknown), "something is wrong"};
  EXPECT_THAT(Get(Decide(facts), api::kDegraded).message,
              AllOf(StartsWith("something is wrong\n"), HasSubstr("\nfrom v1 to v2")));
}

// A printer column shows the message of the first condition that is True.
TEST(ConditionsTest, TheMostImportantConditionComesFirst) {
  Facts facts = Fine();
  const auto first_message = [](const Facts& of) {
    for (const api::Condition& condition : Decide(of).conditions) {
      if (condition.IsTrue()) return condition.message;
    }
    return std::string();
  };
  EXPECT_EQ(first_message(facts), "All objects available");
  MakeNodeUnavailable(facts);
  EXPECT_THAT(first_message(facts), HasSubstr("is not available (awaiting 1 nodes)"));
  AddCrash(facts);
  EXPECT_THAT(first_message(facts), HasSubstr("crash looping"));
  const std::vector<api::Condition> conditions = Decide(facts).conditions;
  EXPECT_EQ(conditions[0].type, api::kDegraded);
  EXPECT_EQ(conditions[1].type, api::kProgressing);
  EXPECT_EQ(conditions[2].type, api::kAvailable);
}

TEST(ConditionsTest, ADaemonSetThatSelectsNoNodeIsNotAvailable) {
  Facts facts = Fine();
  auto node = std::make_shared<api::DaemonSet>(*Node(facts).daemon_set);
  node->desired_number_scheduled = node->updated_number_scheduled = node->number_ready =
      node->number_available = 0;
  Node(facts).daemon_set = node;
  // A cluster without nodes is one that is being built.
  Expect(facts, "True", "False", "False", api::kReasonAllObjectsAvailable);
  facts.nodes = {std::make_shared<NodeFacts>(NodeFacts{.name = "a", .is_linux = true})};
  Node(facts).moved_at = facts.now;
  Expect(facts, "False", "True", "False", api::kReasonUnknown);
  EXPECT_EQ(Decide(facts).recheck_at, facts.now + kDeadline);
  Node(facts).moved_at = facts.now - kDeadline;
  Expect(facts, "False", "False", "True", api::kReasonPodFailure);
}

TEST(ConditionsTest, ReplicasThatNobodyAskedForAreNotAvailable) {
  Facts facts = Fine();
  Typha(facts).wanted_replicas = 1;
  auto typha = std::make_shared<api::Deployment>(*Typha(facts).deployment);
  typha->spec_replicas = typha->replicas = typha->updated_replicas = typha->ready_replicas =
      typha->available_replicas = 0;
  Typha(facts).deployment = typha;
  Expect(facts, "False", "True", "False", api::kReasonUnknown);
  EXPECT_THAT(Get(Decide(facts), api::kProgressing).message,
              HasSubstr("is asked for 0 replicas and should be for 1"));
}

TEST(ConditionsTest, Progressing) {
  Facts facts = Fine();
  MakeNodeUnavailable(facts);
  Expect(facts, "False", "True", "False", api::kReasonUnknown);
  EXPECT_EQ(Get(Decide(facts), api::kProgressing).reason, api::kReasonResourceNotReady);
  EXPECT_EQ(Get(Decide(facts), api::kAvailable).message, "");
}

TEST(ConditionsTest, PodFailureIsDegradedAndNotProgressing) {
  Facts facts = Fine();
  AddCrash(facts);
  Expect(facts, "False", "False", "True", api::kReasonPodFailure);
}

TEST(ConditionsTest, CertificateTroubleComesBeforeThePodsThatFailForIt) {
  Facts facts = Fine();
  AddCrash(facts);
  AddDenial(facts);
  Expect(facts, "False", "False", "True", api::kReasonCertificateError);
  const std::string message = Get(Decide(facts), api::kDegraded).message;
  EXPECT_LT(message.find("rule x"), message.find("crash looping"));
}

TEST(ConditionsTest, TyphaCountsToo) {
  Facts facts = Fine();
  auto typha = std::make_shared<api::Deployment>(*Typha(facts).deployment);
  typha->unavailable_replicas = 1;
  Typha(facts).deployment = typha;
  Expect(facts, "False", "True", "False", api::kReasonUnknown);
}

TEST(ConditionsTest, ABadEditOfAHealthyInstallation) {
  Facts facts = Fine();
  facts.obstacle = Obstacle{std::string(api::kReasonInvalidConfiguration), "bad"};
  Expect(facts, "False", "False", "True", api::kReasonInvalidConfiguration);
  EXPECT_EQ(Get(Decide(facts), api::kDegraded).message, "bad");
  AddCrash(facts);
  Expect(facts, "False", "False", "True", api::kReasonInvalidConfiguration);
  EXPECT_THAT(Get(Decide(facts), api::kDegraded).message, HasSubstr("bad\nPod /p has crash"));
}

TEST(ConditionsTest, MessagesFitIntoTheSchema) {
  Facts facts = Fine();
  facts.obstacle = Obstacle{std::string(api::kReasonInvalidConfiguration), ""};
  for (int i = 0; i < 20000; ++i) facts.obstacle->message += "\xc3\xa4";
  const std::string degraded = Get(Decide(facts), api::kDegraded).message;
  EXPECT_GT(degraded.size(), 8000U);
  EXPECT_LE(degraded.size(), 8192U);
  EXPECT_NE(degraded.find("\xa4...\xc3"), std::string::npos);
  facts = Fine();
  facts.notes = {std::string(40000, 'x')};
  EXPECT_LE(Get(Decide(facts), api::kAvailable).message.size(), 8192U);
}

// Every pod in trouble, and each with words of its own: what is told stays a few lines.
TEST(ConditionsTest, ThousandsOfPodsMakeAFewLines) {
  constexpr int kPods = 5000;
  Facts facts = Fine();
  auto node = std::make_shared<api::DaemonSet>(*Node(facts).daemon_set);
  node->desired_number_scheduled = node->updated_number_scheduled = node->number_unavailable =
      kPods;
  node->number_available = node->number_ready = 0;
  Node(facts).daemon_set = node;
  for (int i = 0; i < kPods; ++i) {
    const std::string name = std::to_string(10000 + i);
    facts.nodes.push_back(std::make_shared<NodeFacts>(
        NodeFacts{.name = base::LongLivedString("n" + name), .is_linux = true}));
    auto pod = std::make_shared<api::Pod>();
    pod->meta.ns = "calico-system";
    pod->meta.name = pod->meta.uid = "p" + name;
    pod->node_name = "n" + name;
    pod->init_containers.push_back(
        {.name = "c",
         .waiting = api::ContainerWaiting{"CrashLoopBackOff", ""},
         .last_terminated = api::ContainerTerminated{"Error", 3, "denied: " + name}});
    Node(facts).pods.pods.push_back(pod);
    facts.waiting_pods.push_back({.pod = pod, .provisioner = "c"});
  }
  const std::string message = Get(Decide(facts), api::kDegraded).message;
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 4);
  EXPECT_THAT(message, HasSubstr("and 4997 more CertificateSigningRequests were denied or failed"));
  EXPECT_THAT(message, HasSubstr("(5000 pods affected)"));
}

TEST(ConditionsTest, NothingIsThereYet) {
  Facts facts = Fine();
  facts.has_workloads = false;
  facts.workloads.clear();
  facts.obstacle = Obstacle{std::string(api::kReasonInvalidConfiguration), "bad"};
  Expect(facts, "False", "False", "True", api::kReasonInvalidConfiguration);
}

TEST(ConditionsTest, TransitionTimesChangeWithTheStatusOnly) {
  const absl::Time before = absl::FromUnixSeconds(1000);
  const absl::Time now = absl::FromUnixSeconds(2000) + absl::Milliseconds(300);
  Facts facts = Fine();
  const std::vector<api::Condition> first =
      WithTransitionTimes({}, Decide(facts).conditions, before);
  MakeNodeUnavailable(facts);
  const std::vector<api::Condition> second =
      WithTransitionTimes(first, Decide(facts).conditions, now);
  EXPECT_EQ(api::FindCondition(second, api::kAvailable)->last_transition_time,
            absl::FromUnixSeconds(2000));
  EXPECT_EQ(api::FindCondition(second, api::kProgressing)->last_transition_time,
            absl::FromUnixSeconds(2000));
  EXPECT_EQ(api::FindCondition(second, api::kDegraded)->last_transition_time, before);
}

}  // namespace
}  // namespace calico::status
