#include "operator/provision/request_machine.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/kube/client/errors.h"

namespace calico::provision {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Csr = api::CertificateSigningRequest;
using Kind = RequestStep::Kind;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class RequestMachineTest : public testing::Test {
 protected:
  RequestMachineTest() : machine_(Identity(), kStart, absl::Seconds(90)) {}

  static RequestIdentity Identity() {
    return {.server = "https://10.96.0.1:443",
            .request_name = "ns:pod:9a3a10",
            .request_pem = "OURS",
            .signer_name = "example.com/signer",
            .pod_namespace = "ns",
            .pod_name = "pod",
            .pod_uid = "9a3a1042"};
  }

  static Csr Ours() {
    Csr csr;
    csr.meta.name = "ns:pod:9a3a10";
    csr.meta.uid = "csr-uid";
    csr.meta.resource_version = "7";
    csr.request_pem = "OURS";
    csr.signer_name = "example.com/signer";
    csr.username = "system:serviceaccount:ns:calico-node";
    csr.extra = {{std::string(api::kExtraPodName), {"pod"}},
                 {std::string(api::kExtraPodUid), {"9a3a1042"}}};
    return csr;
  }
  static void SetCondition(Csr& csr, std::string_view type, std::string message = "") {
    api::Condition condition;
    condition.type = std::string(type);
    condition.status = "True";
    condition.reason = "PolicyViolation";
    condition.message = std::move(message);
    csr.conditions.push_back(condition);
  }
  RequestStep Inspect(const Csr& csr) {
    return machine_.OnInspected(std::optional<Csr>(csr), "9", kStart, 0);
  }

  RequestMachine machine_;
};

TEST_F(RequestMachineTest, CreatesThenWatchesFromTheAnswersVersion) {
  EXPECT_EQ(machine_.Start().kind, Kind::kCreate);
  const RequestStep step = machine_.OnCreated(Ours(), kStart, 0);
  EXPECT_EQ(step.kind, Kind::kWatch);
  EXPECT_EQ(step.resource_version, "7");
}

TEST_F(RequestMachineTest, IssuedNeedsApprovalAndCertificate) {
  Csr csr = Ours();
  EXPECT_FALSE(machine_.OnChanged(csr).has_value());
  csr.certificate_pem = "CERT";  // signed before it is approved
  EXPECT_FALSE(machine_.OnChanged(csr).has_value());
  SetCondition(csr, api::kCsrApproved);
  const std::optional<RequestStep> step = machine_.OnChanged(csr);
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->kind, Kind::kIssued);
  EXPECT_EQ(step->certificate_pem, "CERT");
}

TEST_F(RequestMachineTest, DenialAndFailureEndAtOnceWithTheirReason) {
  for (const std::string_view type : {api::kCsrDenied, api::kCsrFailed}) {
    Csr csr = Ours();
    SetCondition(csr, type, "rule dns-names: evil.example");
    const std::optional<RequestStep> step = machine_.OnChanged(csr);
    ASSERT_TRUE(step.has_value());
    EXPECT_EQ(step->outcome.code, ExitCode::kRejected);
    EXPECT_THAT(step->outcome.message, HasSubstr("PolicyViolation: rule dns-names: evil.example"));
  }
}

TEST_F(RequestMachineTest, AnExistingRequestOfTheSameKeyIsAdopted) {
  EXPECT_EQ(machine_.OnCreated(absl::AlreadyExistsError("exists"), kStart, 0).kind, Kind::kInspect);
  const RequestStep step = Inspect(Ours());
  EXPECT_EQ(step.kind, Kind::kWatch);
  EXPECT_EQ(step.resource_version, "9");
}

TEST_F(RequestMachineTest, AnEarlierRequestOfThisPodIsReplacedByUid) {
  Csr earlier = Ours();
  earlier.request_pem = "OTHER KEY";
  SetCondition(earlier, api::kCsrDenied, "old denial");
  const RequestStep step = Inspect(earlier);
  EXPECT_EQ(step.kind, Kind::kReplace);
  EXPECT_EQ(step.uid, "csr-uid");
  EXPECT_EQ(machine_.OnReplaced(absl::OkStatus(), kStart, 0).kind, Kind::kCreate);
  EXPECT_EQ(machine_.OnReplaced(absl::NotFoundError("gone"), kStart, 0).kind, Kind::kCreate);
  EXPECT_EQ(machine_.OnReplaced(absl::AbortedError("uid"), kStart, 0).kind, Kind::kInspect);
}

// Who copies our bytes is a stranger all the same: a signer would deny what he asked.
TEST_F(RequestMachineTest, ForeignHoldersOfTheNameAreDeletedThreeTimesThenNamed) {
  for (const int variant : {0, 1, 2, 3, 4, 5}) {
    SCOPED_TRACE(variant);
    RequestMachine machine(Identity(), kStart, absl::Seconds(90));
    Csr foreign = Ours();
    if (variant != 4) foreign.request_pem = "OTHER KEY";
    if (variant == 0 || variant == 4) foreign.username = "system:serviceaccount:other:calico-node";
    if (variant == 1) foreign.extra[std::string(api::kExtraPodUid)] = {"another"};
    if (variant == 2) foreign.extra.clear();
    if (variant == 3) foreign.extra[std::string(api::kExtraPodUid)] = {"9a3a1042", "9a3a1042"};
    if (variant == 5) foreign.username = "system:node:worker-1";
    for (int turn = 0; turn < 3; ++turn) {
      const RequestStep step = machine.OnInspected(std::optional<Csr>(foreign), "9", kStart, 0);
      EXPECT_EQ(step.kind, Kind::kReplace);
      EXPECT_EQ(step.uid, "csr-uid");
      EXPECT_THAT(step.why, HasSubstr(foreign.username));
      machine.OnReplaced(absl::OkStatus(), kStart, 0);
    }
    const RequestStep step = machine.OnInspected(std::optional<Csr>(foreign), "9", kStart, 0);
    EXPECT_EQ(step.outcome.code, ExitCode::kNameHeld);
    EXPECT_THAT(step.outcome.message,
                AllOf(HasSubstr(foreign.username), HasSubstr("is there again after 3 deletions")));
  }
}

TEST_F(RequestMachineTest, AForeignRequestThatCannotBeDeletedSaysWhy) {
  Csr foreign = Ours();
  foreign.username = "admin";
  RequestStep step;
  for (int turn = 0; turn < 4; ++turn) {
    step = Inspect(foreign);
    machine_.OnReplaced(absl::PermissionDeniedError("delete CSR: forbidden"), kStart, 0);
  }
  EXPECT_EQ(step.outcome.code, ExitCode::kNameHeld);
  EXPECT_THAT(step.outcome.message, HasSubstr("cannot be deleted: delete CSR: forbidden"));
}

TEST_F(RequestMachineTest, AKeptRequestIsLookedForBeforeItIsMade) {
  RequestIdentity identity = Identity();
  identity.resumed = true;
  RequestMachine machine(identity, kStart, absl::Seconds(90));
  EXPECT_EQ(machine.Start().kind, Kind::kInspect);
  EXPECT_EQ(machine.OnInspected(std::optional<Csr>(), "9", kStart, 0).kind, Kind::kCreate);
}

TEST_F(RequestMachineTest, OnlyAnOldRejectionOfAnEarlierRunIsAskedAboutAgain) {
  RequestIdentity identity = Identity();
  identity.rejections_before = kStart;
  RequestMachine machine(identity, kStart, absl::Seconds(90));
  for (const std::string_view type : {api::kCsrDenied, api::kCsrFailed}) {
    Csr csr = Ours();
    SetCondition(csr, type, "no");
    csr.conditions.front().last_update_time = kStart;
    EXPECT_EQ(machine.OnChanged(csr)->outcome.code, ExitCode::kRejected) << "young";
    csr.conditions.front().last_update_time = kStart - absl::Seconds(1);
    EXPECT_EQ(machine.OnChanged(csr)->kind, Kind::kReplace) << "old";
    ASSERT_EQ(machine.OnCreated(Ours(), kStart, 0).kind, Kind::kWatch);
    EXPECT_EQ(machine.OnChanged(csr)->outcome.code, ExitCode::kRejected) << "made by this run";
    machine = RequestMachine(identity, kStart, absl::Seconds(90));
  }
}

TEST_F(RequestMachineTest, TheAgeOfARejectionIsByTheApiServersClock) {
  RequestIdentity identity = Identity();
  identity.resumed = true;
  identity.rejections_before = kStart - absl::Minutes(2);
  RequestMachine machine(identity, kStart, absl::Seconds(90));
  Csr csr = Ours();
  SetCondition(csr, api::kCsrDenied, "no");
  csr.conditions.front().last_update_time = kStart + absl::Hours(24);
  csr.conditions.front().last_transition_time = kStart - absl::Minutes(3);
  EXPECT_EQ(machine.OnInspected(std::optional<Csr>(csr), "9", kStart, 0).kind, Kind::kReplace);
  csr.conditions.front().last_update_time = kStart - absl::Hours(24);
  csr.conditions.front().last_transition_time = kStart - absl::Minutes(1);
  EXPECT_EQ(machine.OnInspected(std::optional<Csr>(csr), "9", kStart, 0).outcome.code,
            ExitCode::kRejected);
}

TEST_F(RequestMachineTest, ARequestOfThisPodForAnotherSignerIsReplaced) {
  Csr other = Ours();
  other.signer_name = "example.com/other";
  EXPECT_EQ(Inspect(other).kind, Kind::kReplace);
}

TEST_F(RequestMachineTest, AServerThatNeverAnswersIsNamedAtTheEnd) {
  const absl::Time late = kStart + absl::Seconds(90);
  const RequestStep step = machine_.OnCreated(absl::UnavailableError("connect: refused"), late, 0);
  EXPECT_EQ(step.outcome.code, ExitCode::kApiError);
  EXPECT_EQ(step.outcome.message, "API server https://10.96.0.1:443: connect: refused");
}

TEST_F(RequestMachineTest, ClosedAndExpiredWatchesLookAgainAtOnceOutagesAfterAWait) {
  EXPECT_EQ(machine_.OnWatchEnded(absl::OkStatus(), kStart, 0).wait, absl::ZeroDuration());
  const absl::Time later = kStart + absl::Seconds(10);
  const RequestStep expired = machine_.OnWatchEnded(absl::OutOfRangeError("410"), later, 0);
  EXPECT_EQ(expired.kind, Kind::kInspect);
  EXPECT_EQ(expired.wait, absl::ZeroDuration());
  const RequestStep step = machine_.OnWatchEnded(absl::UnavailableError("reset"), later, 0);
  EXPECT_EQ(step.kind, Kind::kInspect);
  EXPECT_EQ(step.wait, absl::Milliseconds(250));
}

TEST_F(RequestMachineTest, ADeletedRequestIsMadeAgain) {
  const RequestStep step = machine_.OnDeleted(kStart, 0);
  EXPECT_EQ(step.kind, Kind::kCreate);
  EXPECT_EQ(step.wait, absl::ZeroDuration());
  EXPECT_EQ(machine_.OnInspected(std::optional<Csr>(), "9", kStart, 0).kind, Kind::kCreate);
}

// What can go wrong again and again, each beginning with what has gone well so far.
struct Cycle {
  const char* name;
  std::function<RequestStep(RequestMachine& machine, absl::Time now)> turn;
  ExitCode want = ExitCode::kTimeout;
};

std::vector<Cycle> Cycles(const Csr& ours) {
  Csr other_key = ours;
  other_key.request_pem = "OTHER KEY";
  return {
      {"deleted at once",
       [ours](RequestMachine& machine, absl::Time now) {
         machine.OnCreated(ours, now, 0);
         return machine.OnDeleted(now, 0);
       }},
      {"watch closed at once",
       [ours](RequestMachine& machine, absl::Time now) {
         machine.OnInspected(std::optional<Csr>(ours), "9", now, 0);
         return machine.OnWatchEnded(absl::OkStatus(), now, 0);
       }},
      {"version always expired",
       [ours](RequestMachine& machine, absl::Time now) {
         machine.OnInspected(std::optional<Csr>(ours), "9", now, 0);
         return machine.OnWatchEnded(absl::OutOfRangeError("410"), now, 0);
       }},
      {"replaced for nothing",
       [other_key](RequestMachine& machine, absl::Time now) {
         machine.OnCreated(absl::AlreadyExistsError("exists"), now, 0);
         machine.OnInspected(std::optional<Csr>(other_key), "9", now, 0);
         return machine.OnReplaced(absl::OkStatus(), now, 0);
       }},
      {"another object each time",
       [other_key](RequestMachine& machine, absl::Time now) {
         machine.OnInspected(std::optional<Csr>(other_key), "9", now, 0);
         return machine.OnReplaced(absl::AbortedError("uid"), now, 0);
       }},
      {"there and not there",
       [](RequestMachine& machine, absl::Time now) {
         machine.OnCreated(absl::AlreadyExistsError("exists"), now, 0);
         return machine.OnInspected(std::optional<Csr>(), "9", now, 0);
       }},
      {"not to be had",
       [](RequestMachine& machine, absl::Time now) {
         return machine.OnCreated(absl::UnavailableError("refused"), now, 0);
       },
       ExitCode::kApiError},
  };
}

TEST_F(RequestMachineTest, NoCycleTurnsFastOrBeyondTheTimeLimit) {
  for (const Cycle& cycle : Cycles(Ours())) {
    SCOPED_TRACE(cycle.name);
    RequestMachine machine(Identity(), kStart, absl::Seconds(90));
    absl::Time now = kStart;
    RequestStep step;
    int turns = 0;
    while (step.kind != Kind::kFinish && turns < 100) {
      step = cycle.turn(machine, now);
      now += step.wait;
      ++turns;
    }
    EXPECT_EQ(step.outcome.code, cycle.want) << step.outcome.message;
    EXPECT_EQ(now, kStart + absl::Seconds(90));
    EXPECT_LT(turns, 25);  // 0.25 s, doubled to 5 s
  }
}

TEST_F(RequestMachineTest, OnlyAWatchThatLastedShortensTheWaits) {
  absl::Time now = kStart;
  const auto wait_after = [&](absl::Duration lasted) {
    machine_.OnInspected(std::optional<Csr>(Ours()), "9", now, 0);
    now += lasted;
    const RequestStep step = machine_.OnWatchEnded(absl::UnavailableError("reset"), now, 0);
    now += step.wait;
    return step.wait;
  };
  EXPECT_EQ(wait_after(absl::Seconds(1)), absl::Milliseconds(250));
  EXPECT_EQ(wait_after(absl::Seconds(1)), absl::Milliseconds(500));
  EXPECT_EQ(wait_after(absl::Seconds(1)), absl::Seconds(1));
  EXPECT_EQ(wait_after(absl::Seconds(10)), absl::Milliseconds(250));
}

TEST_F(RequestMachineTest, TimeoutSaysWhatIsMissing) {
  const absl::Time late = kStart + absl::Seconds(90);
  EXPECT_THAT(machine_.OnWatchEnded(absl::OkStatus(), late, 0).outcome.message,
              HasSubstr("nobody approved it; is an approver for signer example.com/signer"));
  Csr approved = Ours();
  SetCondition(approved, api::kCsrApproved);
  EXPECT_FALSE(machine_.OnChanged(approved).has_value());
  const RequestStep step = machine_.OnWatchEnded(absl::UnavailableError("refused"), late, 0);
  EXPECT_EQ(step.outcome.code, ExitCode::kTimeout);
  EXPECT_THAT(step.outcome.message, HasSubstr("approved, but signer example.com/signer issued no"));
  EXPECT_THAT(step.outcome.message, HasSubstr("last error: refused"));
}

TEST_F(RequestMachineTest, AServerThatIsBusySaysWhenToComeBack) {
  const absl::Status busy = kube::ErrorFromResponse(
      {.status = 429, .headers = {{"Retry-After", "3"}}, .body = "too many requests"});
  const RequestStep step = machine_.OnWatchEnded(busy, kStart, 0);
  EXPECT_EQ(step.kind, Kind::kInspect);
  EXPECT_EQ(step.wait, absl::Milliseconds(3250));
  const absl::Time late = kStart + absl::Seconds(89);
  EXPECT_EQ(machine_.OnWatchEnded(busy, late, 0).wait, absl::Seconds(1)) << "up to the time limit";
}

TEST_F(RequestMachineTest, ARequestThatIsNotValidEndsAtOnce) {
  EXPECT_EQ(machine_.OnCreated(absl::UnavailableError("x"), kStart, 0).kind, Kind::kCreate);
  EXPECT_EQ(machine_.OnCreated(absl::InvalidArgumentError("422"), kStart, 0).outcome.code,
            ExitCode::kApiError);
}

TEST_F(RequestMachineTest, RefusalsEndWhenTheyLast) {
  const absl::Status forbidden = absl::PermissionDeniedError("403");
  absl::Time now = kStart;
  RequestStep step;
  while (step.kind != Kind::kFinish && now < kStart + absl::Seconds(90)) {
    step = machine_.OnCreated(forbidden, now, 0);
    now += step.wait;
  }
  EXPECT_EQ(step.outcome.code, ExitCode::kApiError);
  EXPECT_EQ(step.outcome.message, "API server https://10.96.0.1:443: 403");
  EXPECT_GE(now, kStart + absl::Seconds(30));
  EXPECT_LE(now, kStart + absl::Seconds(40));
}

TEST_F(RequestMachineTest, RefusalsOfAServerThatStartsAreForgotten) {
  const absl::Status forbidden = absl::PermissionDeniedError("403");
  absl::Time now = kStart;
  for (int restart = 0; restart < 4; ++restart, now += absl::Seconds(20)) {
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(machine_.OnWatchEnded(forbidden, now, 0).kind, Kind::kInspect) << restart;
    }
    EXPECT_EQ(machine_.OnInspected(std::optional<Csr>(Ours()), "9", now, 0).kind, Kind::kWatch);
  }
}

}  // namespace
}  // namespace calico::provision
