#include "pkg/kube/client/retry_machine.h"

#include <gtest/gtest.h>

namespace calico::kube {
namespace {

using Kind = RetryStep::Kind;

constexpr absl::Duration kLong = absl::Minutes(10);

AttemptOutcome Http(int status, std::optional<absl::Duration> retry_after = std::nullopt) {
  return {.transport = absl::OkStatus(), .http_status = status, .retry_after = retry_after};
}
AttemptOutcome Broken(absl::Status status, bool not_sent) {
  return {.transport = std::move(status), .not_sent = not_sent};
}

// The step after one attempt.
Kind First(Repeat repeat, const AttemptOutcome& outcome) {
  return RetryMachine(repeat).Next(outcome, kLong, 0).kind;
}

TEST(RetryMachineTest, WhatIsRepeated) {
  const AttemptOutcome reset = Broken(absl::UnavailableError("reset"), false);
  const AttemptOutcome refused = Broken(absl::UnavailableError("refused"), true);
  const AttemptOutcome silent = Broken(absl::DeadlineExceededError("silent"), false);
  const AttemptOutcome tls = Broken(absl::UnauthenticatedError("bad certificate"), true);
  const AttemptOutcome large = Broken(absl::ResourceExhaustedError("too large"), false);
  const AttemptOutcome cancelled = Broken(absl::CancelledError("cancelled"), true);
  const absl::Duration soon = absl::Seconds(1);
  const struct {
    const char* name;
    AttemptOutcome outcome;
    Kind never;
    Kind unsafe;
    Kind safe;
  } kCases[] = {
      {"404", Http(404), Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"409", Http(409), Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"422", Http(422), Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"429", Http(429), Kind::kReturn, Kind::kRetry, Kind::kRetry},
      {"429 later", Http(429, soon), Kind::kReturn, Kind::kRetry, Kind::kRetry},
      {"500", Http(500), Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"500 later", Http(500, soon), Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"501", Http(501), Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"502", Http(502), Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"503", Http(503), Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"503 later", Http(503, soon), Kind::kReturn, Kind::kRetry, Kind::kRetry},
      {"504", Http(504), Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"reset", reset, Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"refused", refused, Kind::kReturn, Kind::kRetry, Kind::kRetry},
      {"silent", silent, Kind::kReturn, Kind::kReturn, Kind::kRetry},
      {"tls", tls, Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"large", large, Kind::kReturn, Kind::kReturn, Kind::kReturn},
      {"cancelled", cancelled, Kind::kReturn, Kind::kReturn, Kind::kReturn},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(First(Repeat::kNever, c.outcome), c.never);
    EXPECT_EQ(First(Repeat::kUnsafe, c.outcome), c.unsafe);
    EXPECT_EQ(First(Repeat::kSafe, c.outcome), c.safe);
  }
}

TEST(RetryMachineTest, CredentialsAreRefreshedOnce) {
  for (const Repeat repeat : {Repeat::kNever, Repeat::kUnsafe, Repeat::kSafe}) {
    RetryMachine machine(repeat);
    EXPECT_EQ(machine.Next(Http(401), kLong, 0).kind, Kind::kRefreshCredentials);
    EXPECT_EQ(machine.Next(Http(401), kLong, 0).kind, Kind::kReturn);
  }
}

TEST(RetryMachineTest, BackoffGrowsWithJitterToItsCap) {
  RetryMachine machine(Repeat::kSafe);
  const int kMilliseconds[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
  for (const int want : kMilliseconds) {
    EXPECT_EQ(machine.Next(Http(500), kLong, 0).wait, absl::Milliseconds(want));
  }
  RetryMachine jittered(Repeat::kSafe);
  EXPECT_EQ(jittered.Next(Http(500), kLong, 0.5).wait, absl::Milliseconds(150));
}

TEST(RetryMachineTest, RetryAfterIsHonouredWithALittleJitter) {
  RetryMachine machine(Repeat::kSafe);
  const absl::Duration wait = machine.Next(Http(429, absl::Seconds(3)), kLong, 0.99).wait;
  EXPECT_GE(wait, absl::Seconds(3));
  EXPECT_LE(wait, absl::Seconds(3.5));
}

TEST(RetryMachineTest, WaitBeyondTheDeadlineIsNotBegun) {
  EXPECT_EQ(RetryMachine(Repeat::kSafe).Next(Http(429, absl::Seconds(3)), absl::Seconds(3), 0).kind,
            Kind::kReturn);
  EXPECT_EQ(RetryMachine(Repeat::kSafe).Next(Http(500), absl::Milliseconds(99), 0).kind,
            Kind::kReturn);
  EXPECT_EQ(RetryMachine(Repeat::kSafe).Next(Http(500), absl::Milliseconds(101), 0).kind,
            Kind::kRetry);
}

TEST(RetryMachineTest, AttemptsAreBounded) {
  RetryMachine machine(Repeat::kSafe);
  for (int i = 1; i < RetryMachine::kMaxAttempts; ++i) {
    EXPECT_EQ(machine.Next(Http(500), kLong, 0).kind, Kind::kRetry) << i;
  }
  EXPECT_EQ(machine.Next(Http(500), kLong, 0).kind, Kind::kReturn);
}

TEST(RetryMachineTest, FirstOfSeveralAttemptsGetsHalfTheTime) {
  RetryMachine safe(Repeat::kSafe);
  EXPECT_EQ(safe.AttemptTimeout(absl::Seconds(30)), absl::Seconds(15));
  safe.Next(Http(500), kLong, 0);
  EXPECT_EQ(safe.AttemptTimeout(absl::Seconds(30)), absl::Seconds(30));
  EXPECT_EQ(RetryMachine(Repeat::kUnsafe).AttemptTimeout(absl::Seconds(30)), absl::Seconds(30));
  EXPECT_EQ(RetryMachine(Repeat::kNever).AttemptTimeout(absl::Seconds(30)), absl::Seconds(30));
}

}  // namespace
}  // namespace calico::kube
