#include "pkg/kube/lease/election_machine.h"

#include <string>

#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::kube {
namespace {

using Kind = ElectionStep::Kind;

constexpr double kRandom = 0.5;
const LeaderElectionOptions kOptions{.lease = {"ns", "operator"}, .identity = "me"};

class ElectionMachineTest : public testing::Test {
 protected:
  ElectionTime Now() const { return {clock_.Now(), clock_.Now()}; }
  static api::Lease HeldBy(std::string holder, int renewals = 0) {
    api::Lease lease;
    lease.meta.ns = "ns";
    lease.meta.name = "operator";
    lease.meta.resource_version = std::to_string(100 + renewals);
    lease.holder_identity = std::move(holder);
    lease.lease_duration_seconds = 15;
    // Far from the clock of the test: stored times must not matter.
    lease.acquire_time = absl::FromUnixSeconds(4'000'000'000);
    lease.renew_time = absl::FromUnixSeconds(4'000'000'000 + renewals);
    lease.lease_transitions = 3;
    return lease;
  }
  ElectionStep Read(const absl::StatusOr<api::Lease>& lease) {
    return Keep(machine_.AfterRead(lease, Now(), kRandom));
  }
  // The write of the last step was sent `took` ago.
  ElectionStep Written(absl::Duration took = absl::ZeroDuration()) {
    const absl::Time began = clock_.Now() - took;
    return Keep(machine_.AfterWrite(last_.lease, {began, began}, Now(), kRandom));
  }
  ElectionStep WriteFailed(absl::Status status) {
    return Keep(machine_.AfterWrite(status, Now(), Now(), kRandom));
  }
  ElectionStep Waited(absl::Duration wait) {
    clock_.Advance(wait);
    return Keep(machine_.AfterWait(Now()));
  }
  void BecomeLeader() {
    Read(absl::NotFoundError("none"));
    Written();
    ASSERT_TRUE(machine_.leading());
  }
  ElectionStep Keep(ElectionStep step) {
    if (step.kind == Kind::kCreate || step.kind == Kind::kUpdate) last_ = step;
    return step;
  }
  void ExpectStep(const ElectionStep& step, Kind kind, absl::Duration wait = absl::ZeroDuration()) {
    EXPECT_EQ(static_cast<int>(step.kind), static_cast<int>(kind));
    EXPECT_EQ(step.wait, wait);
  }

  base::FakeClock clock_;
  ElectionMachine machine_{kOptions};
  ElectionStep last_;  // the last one that writes
};

TEST_F(ElectionMachineTest, CreatesALeaseThatIsNotThere) {
  ExpectStep(machine_.Start(), Kind::kRead);
  EXPECT_FALSE(machine_.may_hold());
  const ElectionStep step = Read(absl::NotFoundError("none"));
  ExpectStep(step, Kind::kCreate);
  EXPECT_EQ(step.lease.meta.Key(), kOptions.lease);
  EXPECT_EQ(step.lease.holder_identity, "me");
  EXPECT_EQ(step.lease.lease_duration_seconds, 15);
  EXPECT_EQ(step.lease.lease_transitions, 0);
  EXPECT_EQ(step.lease.acquire_time, clock_.Now());
  EXPECT_EQ(step.lease.renew_time, clock_.Now());
  EXPECT_TRUE(machine_.may_hold());
  EXPECT_FALSE(machine_.leading());
  ExpectStep(Written(), Kind::kWait, absl::Seconds(2));
  EXPECT_TRUE(machine_.leading());
  EXPECT_EQ(machine_.holder(), "me");
}

TEST_F(ElectionMachineTest, TakesAReleasedLeaseAtOnce) {
  const ElectionStep step = Read(HeldBy(""));
  ExpectStep(step, Kind::kUpdate);
  EXPECT_EQ(step.lease.holder_identity, "me");
  EXPECT_EQ(step.lease.lease_duration_seconds, 15);
  EXPECT_EQ(step.lease.lease_transitions, 4);
  EXPECT_EQ(step.lease.acquire_time, clock_.Now());
  EXPECT_EQ(step.lease.meta.resource_version, "100");
}

TEST_F(ElectionMachineTest, FollowsUntilTheRecordStopsChanging) {
  ExpectStep(Read(HeldBy("other")), Kind::kFollow, absl::Seconds(15));
  ExpectStep(Waited(absl::Seconds(10)), Kind::kRead);
  ExpectStep(Read(HeldBy("other")), Kind::kFollow, absl::Seconds(5));
  clock_.Advance(absl::Seconds(3));
  ExpectStep(Read(HeldBy("other", 1)), Kind::kFollow, absl::Seconds(15));
  clock_.Advance(absl::Seconds(15) - absl::Nanoseconds(1));
  ExpectStep(Read(HeldBy("other", 1)), Kind::kFollow, absl::Nanoseconds(1));
  clock_.Advance(absl::Nanoseconds(1));
  const ElectionStep step = Read(HeldBy("other", 1));
  ExpectStep(step, Kind::kUpdate);
  EXPECT_EQ(step.lease.lease_transitions, 4);
}

TEST_F(ElectionMachineTest, OnlyTheHoldersRecordCounts) {
  Read(HeldBy("other"));
  clock_.Advance(absl::Seconds(15));
  api::Lease labelled = HeldBy("other");
  labelled.meta.resource_version = "500";
  labelled.meta.labels["team"] = "net";
  const ElectionStep step = Read(labelled);
  ExpectStep(step, Kind::kUpdate);
  EXPECT_EQ(step.lease.meta.resource_version, "500");
}

TEST_F(ElectionMachineTest, ExpiryFollowsTheHoldersDuration) {
  struct Case {
    const char* name;
    std::optional<int> seconds;
    absl::Duration want;
  };
  const Case kCases[] = {{"longer", 60, absl::Seconds(60)},
                         {"shorter", 3, absl::Seconds(3)},
                         {"absent", std::nullopt, absl::Seconds(15)},
                         {"zero", 0, absl::Seconds(15)},
                         {"negative", -5, absl::Seconds(15)}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    ElectionMachine machine(kOptions);
    api::Lease lease = HeldBy("other");
    lease.lease_duration_seconds = c.seconds;
    ExpectStep(machine.AfterRead(lease, Now(), kRandom), Kind::kFollow, c.want);
  }
}

TEST_F(ElectionMachineTest, AWatchTellsWhenTheLeaseMayBeFree) {
  Read(HeldBy("other"));
  clock_.Advance(absl::Seconds(14));
  EXPECT_FALSE(machine_.Observe(HeldBy("other", 1), clock_.Now()));
  clock_.Advance(absl::Seconds(14));
  ExpectStep(Read(HeldBy("other", 1)), Kind::kFollow, absl::Seconds(1));
  EXPECT_TRUE(machine_.Observe(HeldBy("", 2), clock_.Now()));
  EXPECT_FALSE(machine_.Observe(HeldBy("third", 3), clock_.Now()));
  EXPECT_EQ(machine_.holder(), "third");
}

TEST_F(ElectionMachineTest, ALostRaceIsReadAgainOnce) {
  struct Case {
    const char* name;
    absl::Status status;
  };
  const Case kCases[] = {{"update", absl::AbortedError("conflict")},
                         {"create", absl::AlreadyExistsError("exists")}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    ElectionMachine machine(kOptions);
    machine.AfterRead(HeldBy(""), Now(), kRandom);
    ExpectStep(machine.AfterWrite(c.status, Now(), Now(), kRandom), Kind::kRead);
    machine.AfterRead(HeldBy("", 1), Now(), kRandom);
    ExpectStep(machine.AfterWrite(c.status, Now(), Now(), kRandom), Kind::kWait,
               absl::Seconds(3.2));
    ExpectStep(machine.AfterWait(Now()), Kind::kRead);
  }
}

TEST_F(ElectionMachineTest, TriesAgainJitteredWhenTheServerCannotBeAsked) {
  for (const double random : {0.0, 0.5}) {
    const ElectionStep step = machine_.AfterRead(absl::UnavailableError("x"), Now(), random);
    ExpectStep(step, Kind::kWait, absl::Seconds(2) * (1 + 1.2 * random));
    ExpectStep(machine_.AfterWait(Now()), Kind::kRead);
  }
  Read(absl::NotFoundError("none"));
  ExpectStep(WriteFailed(absl::NotFoundError("no namespace")), Kind::kWait, absl::Seconds(3.2));
}

TEST_F(ElectionMachineTest, RenewsWithoutReading) {
  BecomeLeader();
  const absl::Time acquired = clock_.Now();
  const ElectionStep step = Waited(absl::Seconds(2));
  ExpectStep(step, Kind::kUpdate);
  EXPECT_EQ(step.lease.acquire_time, acquired);
  EXPECT_EQ(step.lease.renew_time, clock_.Now());
  EXPECT_EQ(step.lease.lease_transitions, 0);
  ExpectStep(Written(), Kind::kWait, absl::Seconds(2));
}

TEST_F(ElectionMachineTest, LosesAfterTheRenewDeadline) {
  BecomeLeader();
  for (int seconds = 2; seconds < 10; seconds += 2) {
    ExpectStep(Waited(absl::Seconds(2)), Kind::kUpdate);
    ExpectStep(WriteFailed(absl::UnavailableError("down")), Kind::kWait, absl::Seconds(2));
  }
  ExpectStep(Waited(absl::Seconds(2)), Kind::kLost);
}

TEST_F(ElectionMachineTest, TheDeadlineRunsFromWhenTheLastGoodWriteWasSent) {
  Read(absl::NotFoundError("none"));
  clock_.Advance(absl::Seconds(4));
  Written(absl::Seconds(4));
  ExpectStep(Waited(absl::Seconds(5)), Kind::kUpdate);
  ExpectStep(WriteFailed(absl::UnavailableError("down")), Kind::kWait, absl::Seconds(1));
  ExpectStep(Waited(absl::Seconds(1)), Kind::kLost);
}

TEST_F(ElectionMachineTest, SlowWritesThatSucceedKeepTheLease) {
  BecomeLeader();
  Waited(absl::Seconds(2));
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(absl::Seconds(4.5));
    ExpectStep(Written(absl::Seconds(4.5)), Kind::kWait, absl::ZeroDuration());
    ExpectStep(Waited(absl::ZeroDuration()), Kind::kUpdate);
    EXPECT_EQ(machine_.CallTimeout(clock_.Now()), absl::Seconds(5));
  }
  clock_.Advance(absl::Milliseconds(500));
  ExpectStep(Written(absl::Milliseconds(500)), Kind::kWait, absl::Milliseconds(1500));
}

TEST_F(ElectionMachineTest, AStandstillOfNearlyTheDeadlineLeavesOneMoreTry) {
  BecomeLeader();
  Waited(absl::Seconds(2));
  clock_.Advance(absl::Seconds(9));
  ExpectStep(Written(absl::Seconds(9)), Kind::kWait, absl::ZeroDuration());
  ExpectStep(Waited(absl::ZeroDuration()), Kind::kUpdate);
  EXPECT_EQ(machine_.CallTimeout(clock_.Now()), absl::Seconds(1));
}

TEST_F(ElectionMachineTest, AnAnswerAfterTheDeadlineIsTheLossAtOnce) {
  BecomeLeader();
  Waited(absl::Seconds(2));
  clock_.Advance(absl::Seconds(11));
  ExpectStep(Written(absl::Seconds(11)), Kind::kWait, absl::ZeroDuration());
  ExpectStep(Waited(absl::ZeroDuration()), Kind::kLost);
}

TEST_F(ElectionMachineTest, ATryNeverLastsBeyondTheDeadline) {
  EXPECT_EQ(machine_.CallTimeout(clock_.Now()), absl::Seconds(5));
  BecomeLeader();
  EXPECT_EQ(machine_.CallTimeout(clock_.Now()), absl::Seconds(5));
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(machine_.CallTimeout(clock_.Now()), absl::Seconds(3));
  clock_.Advance(absl::Seconds(3));
  ExpectStep(WriteFailed(absl::DeadlineExceededError("slow")), Kind::kLost);
}

TEST_F(ElectionMachineTest, ALeaderThatMeetsAConflictLooksWhoHoldsTheLease) {
  struct Case {
    const char* name;
    absl::StatusOr<api::Lease> lease;
    Kind want;
    int transitions;
  };
  const Case kCases[] = {
      {"its own write, answer lost", HeldBy("me", 5), Kind::kUpdate, 3},
      {"somebody gave it up", HeldBy("", 5), Kind::kUpdate, 4},
      {"deleted", absl::NotFoundError("none"), Kind::kCreate, 0},
      {"taken over", HeldBy("other", 5), Kind::kLost, 0},
      {"not readable", absl::UnavailableError("down"), Kind::kWait, 0},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    machine_ = ElectionMachine(kOptions);
    BecomeLeader();
    Waited(absl::Seconds(2));
    ExpectStep(WriteFailed(absl::AbortedError("conflict")), Kind::kRead);
    const ElectionStep step = Read(c.lease);
    EXPECT_EQ(static_cast<int>(step.kind), static_cast<int>(c.want));
    EXPECT_EQ(step.lease.lease_transitions, c.transitions);
  }
}

TEST_F(ElectionMachineTest, ADeletedLeaseIsMadeAgain) {
  BecomeLeader();
  Waited(absl::Seconds(2));
  ExpectStep(WriteFailed(absl::NotFoundError("gone")), Kind::kRead);
  ExpectStep(Read(absl::NotFoundError("gone")), Kind::kCreate);
  ExpectStep(Written(), Kind::kWait, absl::Seconds(2));
  EXPECT_TRUE(machine_.leading());
}

TEST_F(ElectionMachineTest, ReleasesOnlyItsOwnLease) {
  EXPECT_FALSE(machine_.Released(Now()).has_value());
  Read(HeldBy(""));
  Written();
  clock_.Advance(absl::Seconds(1));
  const std::optional<api::Lease> released = machine_.Released(Now());
  ASSERT_TRUE(released.has_value());
  EXPECT_EQ(released->holder_identity, "");
  EXPECT_EQ(released->lease_duration_seconds, 1);
  EXPECT_EQ(released->renew_time, clock_.Now());
  EXPECT_EQ(released->lease_transitions, 4);
  EXPECT_EQ(released->meta.resource_version, "100");
  machine_.Observe(HeldBy("other", 9), clock_.Now());
  EXPECT_FALSE(machine_.Released(Now()).has_value());
}

TEST(ElectionMachineDeathTest, OptionsThatCannotBeSafeAreABug) {
  LeaderElectionOptions options = kOptions;
  options.renew_deadline = options.lease_duration;
  EXPECT_DEATH(ElectionMachine{options}, "renew_deadline");
  options = kOptions;
  options.retry_period = absl::Seconds(9);
  EXPECT_DEATH(ElectionMachine{options}, "retry_period");
  options = kOptions;
  options.identity.clear();
  EXPECT_DEATH(ElectionMachine{options}, "identity");
}

TEST(NewLeaderIdentityTest, DiffersEachTime) {
  const std::string a = NewLeaderIdentity();
  const std::string b = NewLeaderIdentity();
  EXPECT_NE(a, b);
  const size_t underscore = a.rfind('_');
  ASSERT_NE(underscore, std::string::npos);
  EXPECT_EQ(a.size() - underscore - 1, 36u);
  EXPECT_EQ(a[underscore + 15], '4');
}

}  // namespace
}  // namespace calico::kube
