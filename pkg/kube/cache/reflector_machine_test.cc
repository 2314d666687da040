// The decisions of ReflectorMachine; reflector_test.cc runs a reflector against a server.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pkg/kube/cache/reflector.h"
#include "pkg/kube/client/errors.h"

namespace calico::kube {
namespace {

using Kind = ReflectorStep::Kind;
constexpr absl::Duration kNone = absl::ZeroDuration();
constexpr double kRandom = 0.5;  // waits are 1.5 times their base

void ExpectStep(const ReflectorStep& step, Kind kind, absl::Duration wait) {
  EXPECT_EQ(static_cast<int>(step.kind), static_cast<int>(kind));
  EXPECT_EQ(step.wait, wait);
}

TEST(ReflectorMachineTest, ListsFirstAndThenWatches) {
  ReflectorMachine machine;
  ExpectStep(machine.Start(), Kind::kList, kNone);
  ExpectStep(machine.AfterList(absl::OkStatus(), kRandom), Kind::kWatch, kNone);
}

TEST(ReflectorMachineTest, FailedListsBackOffToTheCap) {
  ReflectorMachine machine;
  for (const int milliseconds : {1200, 2400, 4800, 9600, 19200, 38400, 45000, 45000}) {
    ExpectStep(machine.AfterList(absl::UnavailableError("down"), kRandom), Kind::kSleepThenList,
               absl::Milliseconds(milliseconds));
  }
}

TEST(ReflectorMachineTest, TheServersRetryAfterIsWaitedForBesides) {
  http::Response response{.status = 429};
  response.headers = {{"Retry-After", "7"}};
  const absl::Status throttled = ErrorFromResponse(response);
  ReflectorMachine machine;
  ExpectStep(machine.AfterList(throttled, kRandom), Kind::kSleepThenList,
             absl::Seconds(7) + absl::Milliseconds(1200));
  ExpectStep(machine.AfterWatch(throttled, 0, kNone, kRandom), Kind::kSleepThenWatch,
             absl::Seconds(7) + absl::Milliseconds(2400));
  response.headers = {{"Retry-After", "86400"}};
  ExpectStep(machine.AfterList(ErrorFromResponse(response), kRandom), Kind::kSleepThenList,
             absl::Minutes(1) + absl::Milliseconds(4800));
}

TEST(ReflectorMachineTest, WhatFollowsAWatch) {
  struct Case {
    const char* name;
    absl::Status status;
    int events;
    absl::Duration lasted;
    Kind want;
    absl::Duration wait;
  };
  const absl::Duration first = absl::Milliseconds(1200);
  const Case kCases[] = {
      {"orderly end", absl::OkStatus(), 7, absl::Minutes(6), Kind::kWatch, kNone},
      {"orderly end of a quiet one", absl::OkStatus(), 0, absl::Seconds(1), Kind::kWatch, kNone},
      {"short but with an event", absl::OkStatus(), 1, kNone, Kind::kWatch, kNone},
      {"short and empty", absl::OkStatus(), 0, absl::Milliseconds(999), Kind::kSleepThenWatch,
       first},
      {"expired", absl::OutOfRangeError("410"), 0, kNone, Kind::kList, kNone},
      {"expired later", absl::OutOfRangeError("410"), 3, absl::Minutes(1), Kind::kList, kNone},
      {"cut", absl::UnavailableError("reset"), 3, absl::Minutes(1), Kind::kWatch, kNone},
      {"refused", absl::UnavailableError("refused"), 0, kNone, Kind::kSleepThenWatch, first},
      {"cut at once", absl::UnavailableError("reset"), 3, kNone, Kind::kSleepThenWatch, first},
      {"throttled", ErrorFromResponse({.status = 429}), 0, kNone, Kind::kSleepThenWatch, first},
      {"event too large", absl::ResourceExhaustedError("10000 bytes"), 3, absl::Minutes(1),
       Kind::kSleepThenList, first},
      {"open timed out", absl::DeadlineExceededError("30 s"), 0, kNone, Kind::kSleepThenWatch,
       first},
      {"token expired", absl::UnauthenticatedError("401"), 0, kNone, Kind::kSleepThenWatch, first},
      {"forbidden", absl::PermissionDeniedError("403"), 0, kNone, Kind::kSleepThenWatch, first},
      {"CRD deleted", absl::NotFoundError("404"), 0, kNone, Kind::kSleepThenList, first},
      {"server error event", absl::InternalError("?"), 0, kNone, Kind::kSleepThenList, first},
      {"garbage", absl::DataLossError("not JSON"), 9, absl::Minutes(1), Kind::kSleepThenList,
       first},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    ReflectorMachine machine;
    ExpectStep(machine.AfterWatch(c.status, c.events, c.lasted, kRandom), c.want, c.wait);
  }
}

TEST(ReflectorMachineTest, ExpiredAgainRightAfterTheListWaits) {
  ReflectorMachine machine;
  const absl::Status expired = absl::OutOfRangeError("410");
  ExpectStep(machine.AfterWatch(expired, 0, kNone, 0), Kind::kList, kNone);
  machine.AfterList(absl::OkStatus(), 0);
  ExpectStep(machine.AfterWatch(expired, 0, kNone, 0), Kind::kSleepThenList,
             absl::Milliseconds(800));
  machine.AfterWatch(absl::OkStatus(), 1, absl::Minutes(5), 0);
  ExpectStep(machine.AfterWatch(expired, 0, kNone, 0), Kind::kList, kNone);
}

TEST(ReflectorMachineTest, OnlyTheFirstOfSeveralBrokenWatchesIsRetriedAtOnce) {
  ReflectorMachine machine;
  const absl::Status broken = absl::UnavailableError("reset");
  ExpectStep(machine.AfterWatch(broken, 0, absl::Seconds(2), 0), Kind::kWatch, kNone);
  ExpectStep(machine.AfterWatch(broken, 0, absl::Seconds(2), 0), Kind::kSleepThenWatch,
             absl::Milliseconds(800));
  ExpectStep(machine.AfterWatch(broken, 5, absl::Seconds(2), 0), Kind::kWatch, kNone);
}

// A proxy that cuts what is quiet for half a minute is no outage.
TEST(ReflectorMachineTest, AQuietWatchThatLastedIsNoFailure) {
  ReflectorMachine machine;
  const absl::Status broken = absl::UnavailableError("reset");
  for (int i = 0; i < 5; ++i) {
    ExpectStep(machine.AfterWatch(broken, 0, absl::Seconds(35), 0), Kind::kWatch, kNone);
  }
}

TEST(ReflectorMachineTest, BackoffStartsAgainAfterTwoHealthyMinutes) {
  struct Case {
    const char* name;
    std::vector<absl::Duration> healthy;
    absl::Duration want;
  };
  const Case kCases[] = {
      {"one long watch", {absl::Minutes(2)}, absl::Milliseconds(800)},
      {"several",
       {absl::Seconds(50), absl::Seconds(50), absl::Seconds(20)},
       absl::Milliseconds(800)},
      {"not yet", {absl::Seconds(119)}, absl::Milliseconds(3200)},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    ReflectorMachine machine;
    machine.AfterList(absl::UnavailableError("down"), 0);
    machine.AfterList(absl::UnavailableError("down"), 0);
    for (const absl::Duration lasted : c.healthy) {
      machine.AfterWatch(absl::OkStatus(), 1, lasted, 0);
    }
    ExpectStep(machine.AfterList(absl::UnavailableError("down"), 0), Kind::kSleepThenList, c.want);
  }
}

}  // namespace
}  // namespace calico::kube
