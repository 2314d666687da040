#include "operator/controllers/status/status_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/testing/fake_clock.h"

namespace calico::status {
namespace {

using State = RequestFacts::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kProvisioner = "provisioner";

// A pod that asks for its certificate again and again, and the operator that watches it.
class StatusMemoryTest : public testing::Test {
 protected:
  StatusMemoryTest() {
    pod_.meta.ns = "calico-system";
    pod_.meta.name = "p";
    pod_.meta.uid = "123456789";
    pod_.meta.creation_timestamp = clock_.Now();
    pod_.service_account_name = "a";
    pod_.init_containers.push_back({.name = std::string(kProvisioner)});
    request_.emplace();
    request_->name = RequestName(pod_);
    request_->pod_uid = pod_.meta.uid;
    request_->username = "system:serviceaccount:calico-system:a";
    request_->signer_name = "example.com/signer";
    request_->created = clock_.Now();
    set_.meta.generation = set_.observed_generation = 1;
    set_.desired_number_scheduled = 3;
    set_.updated_number_scheduled = 1;
  }

  Facts Look() {
    Facts facts;
    facts.now = clock_.Now();
    facts.has_workloads = true;
    facts.workloads.push_back({.kind = kDaemonSet,
                               .name = "calico-system/calico-node",
                               .daemon_set = std::make_shared<const api::DaemonSet>(set_)});
    facts.waiting_pods.push_back({.pod = std::make_shared<const api::Pod>(pod_),
                                  .provisioner = kProvisioner,
                                  .request = request_.has_value()
                                                 ? std::make_shared<const RequestFacts>(*request_)
                                                 : nullptr});
    memory_.Recall(told_, clock_.SteadyNow(), facts);
    return facts;
  }
  std::vector<std::string> Failing() {
    const Facts facts = Look();
    return JudgeCertificates(facts.waiting_pods, {}, facts.now).failing;
  }
  void Deny() {
    request_->state = State::kDenied;
    request_->reason = "Denied";
    request_->message = "rule common-name";
  }
  void AskAgain() {
    request_->created = clock_.Now();
    request_->state = State::kPending;
    request_->reason = request_->message = "";
  }
  void End(int code, std::string message) {
    pod_.init_containers[0].restart_count += 1;
    pod_.init_containers[0].last_terminated = api::ContainerTerminated{"Error", code, message};
  }

  base::FakeClock clock_;
  api::Pod pod_;
  std::optional<RequestFacts> request_;
  api::DaemonSet set_;
  std::vector<api::Condition> told_;
  StatusMemory memory_;
};

TEST_F(StatusMemoryTest, TheReasonStaysUntilAnAttemptSucceeds) {
  EXPECT_THAT(Failing(), testing::IsEmpty());
  Deny();
  EXPECT_THAT(Failing(), ElementsAre(HasSubstr("was denied (Denied): rule common-name; it cannot "
                                               "be approved any more: once the cause is mended, "
                                               "`kubectl delete csr calico-system:p:123456`")));
  clock_.Advance(absl::Seconds(15));
  AskAgain();
  EXPECT_THAT(Failing(),
              ElementsAre("CertificateSigningRequest calico-system:p:123456 was denied (Denied): "
                          "rule common-name; asked again, and waiting for approval by signer "
                          "example.com/signer, less than 30s since the first time"));
  // Its end tells the same in other words, and the one after that nothing of it.
  End(3, "CertificateSigningRequest calico-system:p:123456 was denied: Denied: rule common-name");
  EXPECT_THAT(Failing(), ElementsAre(HasSubstr("was denied (Denied): rule common-name; asked")));
  clock_.Advance(absl::Minutes(3));
  End(4, "timeout");
  AskAgain();
  EXPECT_THAT(Failing(), ElementsAre(AllOf(HasSubstr("rule common-name; asked again"),
                                           HasSubstr("2m since the first time"))));
  request_.reset();
  EXPECT_THAT(Failing(), ElementsAre(HasSubstr("rule common-name; it is asked for again when the "
                                               "init container is restarted")));
}

TEST_F(StatusMemoryTest, AnApprovalIsNotYetASuccess) {
  Deny();
  Look();
  AskAgain();
  request_->state = State::kApproved;
  EXPECT_THAT(Failing(), ElementsAre(HasSubstr("asked again, approved, and waiting for a "
                                               "certificate of signer example.com/signer")));
}

TEST_F(StatusMemoryTest, AnIssuedCertificateEndsIt) {
  Deny();
  Look();
  request_->state = State::kIssued;
  EXPECT_FALSE(Look().waiting_pods[0].refused.has_value());
  AskAgain();
  EXPECT_FALSE(Look().waiting_pods[0].refused.has_value());
}

TEST_F(StatusMemoryTest, AnotherPodOfTheNameKnowsNothingOfIt) {
  Deny();
  Look();
  AskAgain();
  pod_.meta.uid = "987654321";
  EXPECT_FALSE(Look().waiting_pods[0].refused.has_value());
}

// A restarted operator has only what the pod's status says.
TEST_F(StatusMemoryTest, ThePodsStatusHasTheReasonToo) {
  struct Case {
    int code;
    const char* message;
    const char* want;
  };
  const Case cases[] = {
      {3,
       "CertificateSigningRequest calico-system:p:123456 was denied: Denied: rule x; once the "
       "cause "
       "is mended the pod asks again by itself",
       "CertificateSigningRequest calico-system:p:123456 was denied: Denied: rule x; asked again"},
      {5, "certificate of CertificateSigningRequest x: lacks serverAuth",
       "came to nothing, init container provisioner ended with exit code 5: certificate of "
       "CertificateSigningRequest x: lacks serverAuth; asked again"},
      {6, "CertificateSigningRequest calico-system:p:123456 exists already and was made by 'eve'",
       "exists already and was made by 'eve'; asked again"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.code);
    memory_ = StatusMemory();
    End(c.code, c.message);
    EXPECT_THAT(Failing(), ElementsAre(HasSubstr(c.want)));
  }
  memory_ = StatusMemory();
  End(4, "nobody approved it");
  EXPECT_FALSE(Look().waiting_pods[0].refused.has_value());
}

TEST_F(StatusMemoryTest, TheAgeCountsFromTheFirstRequest) {
  const absl::Time first = clock_.Now();
  Look();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Minutes(1));
    AskAgain();
    EXPECT_EQ(Look().waiting_pods[0].waits_since, first);
  }
  EXPECT_THAT(Failing(), ElementsAre(AllOf(HasSubstr("nobody approves"), HasSubstr("for 2m"))));
}

TEST_F(StatusMemoryTest, ARolloutMovesWithItsNumbers) {
  const absl::Time start = clock_.Now();
  EXPECT_EQ(Look().workloads[0].moved_at, start);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Look().workloads[0].moved_at, start);
  set_.updated_number_scheduled = 2;
  EXPECT_EQ(Look().workloads[0].moved_at, clock_.Now());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Look().workloads[0].moved_at, clock_.Now() - absl::Minutes(1));
}

TEST_F(StatusMemoryTest, ASetClockIsNoStandstill) {
  Look();
  clock_.StepWall(absl::Hours(1));
  const Facts facts = Look();
  EXPECT_EQ(facts.workloads[0].moved_at, facts.now);
}

TEST_F(StatusMemoryTest, AStandstillThatWasToldIsOneForARestartedOperatorToo) {
  request_.reset();
  Look();
  clock_.Advance(kDeadline);
  told_ = Decide(Look()).conditions;
  ASSERT_TRUE(api::FindCondition(told_, api::kDegraded)->IsTrue());
  memory_ = StatusMemory();
  EXPECT_TRUE(api::FindCondition(Decide(Look()).conditions, api::kDegraded)->IsTrue());
  set_.updated_number_scheduled = 2;
  EXPECT_EQ(Look().workloads[0].moved_at, clock_.Now());
}

}  // namespace
}  // namespace calico::status
