#include "pkg/kube/event/correlator.h"

#include <string>

#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::kube {
namespace {

using Kind = CorrelatedEvent::Kind;

TEST(EventNameTest, IsValidForEveryObjectName) {
  struct Case {
    const char* object;
    const char* want;
  };
  const Case kCases[] = {
      {"default", "default.1b69b4bacd05f15"},
      {"calico-system:calico-node-5ckvq:9a3a10",
       "calico-system-calico-node-5ckvq-9a3a10.1b69b4bacd05f15"},
      {"system:Node.Reader", "system-node.reader.1b69b4bacd05f15"},
      {"a.-b-.c", "a.b.c.1b69b4bacd05f15"},
      {"..a::", "a.1b69b4bacd05f15"},
      {":", "event.1b69b4bacd05f15"},
      {"", "event.1b69b4bacd05f15"},
  };
  const absl::Time now = absl::FromUnixNanos(0x1b69b4bacd05f15);
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.object);
    EXPECT_EQ(EventName(c.object, now), c.want);
  }
}

TEST(EventNameTest, IsNeverTooLong) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(EventName(std::string(253, 'a'), now).size(), 253u);
  EXPECT_EQ(EventName(std::string(235, 'a') + "-b", now).find("-."), std::string::npos);
}

class EventCorrelatorTest : public testing::Test {
 protected:
  CorrelatedEvent Add(std::string_view message, std::string_view reason = "Reason",
                      std::string_view subject = "Pod ns/a") {
    return correlator_.Add(subject, "a", "Warning", reason, message,
                           {clock_.Now(), clock_.SteadyNow()});
  }
  base::FakeClock clock_;
  EventCorrelator correlator_;
};

// Set back, it must not silence a subject; set forward, it must not forget what was written.
TEST_F(EventCorrelatorTest, AStepOfTheWallClockChangesNothingButTheTimesWritten) {
  for (int i = 0; i < 20; ++i) EXPECT_NE(Add(std::to_string(i % 3)).kind, Kind::kDrop);
  clock_.StepWall(-absl::Hours(24));
  EXPECT_EQ(Add("0").kind, Kind::kUpdate);
  EXPECT_EQ(Add("0").last, clock_.Now());
  clock_.StepWall(absl::Hours(48));
  EXPECT_EQ(Add("0").kind, Kind::kUpdate);
}

TEST_F(EventCorrelatorTest, AnIdenticalEventRaisesTheCount) {
  const CorrelatedEvent first = Add("x");
  EXPECT_EQ(first.kind, Kind::kCreate);
  EXPECT_EQ(first.count, 1);
  clock_.Advance(absl::Minutes(1));
  const CorrelatedEvent second = Add("x");
  EXPECT_EQ(second.kind, Kind::kUpdate);
  EXPECT_EQ(second.name, first.name);
  EXPECT_EQ(second.count, 2);
  EXPECT_EQ(second.first, first.first);
  EXPECT_EQ(second.last, clock_.Now());
}

TEST_F(EventCorrelatorTest, OtherTextReasonOrSubjectIsAnotherEvent) {
  const std::string name = Add("x").name;
  for (const CorrelatedEvent& event :
       {Add("y"), Add("x", "Other"), Add("x", "Reason", "Pod ns/b")}) {
    EXPECT_EQ(event.kind, Kind::kCreate);
    EXPECT_NE(event.name, name);
  }
}

TEST_F(EventCorrelatorTest, AfterTenQuietMinutesItIsANewEvent) {
  Add("x");
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(Add("x").kind, Kind::kUpdate);
  clock_.Advance(absl::Minutes(10) + absl::Nanoseconds(1));
  const CorrelatedEvent event = Add("x");
  EXPECT_EQ(event.kind, Kind::kCreate);
  EXPECT_EQ(event.count, 1);
}

TEST_F(EventCorrelatorTest, ManySimilarMessagesAreCombined) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Add(std::to_string(i)).kind, Kind::kCreate);
  const CorrelatedEvent combined = Add("10");
  EXPECT_EQ(combined.kind, Kind::kCreate);
  EXPECT_EQ(combined.message, "(combined from similar events): 10");
  const CorrelatedEvent next = Add("11");
  EXPECT_EQ(next.kind, Kind::kUpdate);
  EXPECT_EQ(next.name, combined.name);
  EXPECT_EQ(next.message, "(combined from similar events): 11");
  EXPECT_EQ(Add("3").message, "3");
}

TEST_F(EventCorrelatorTest, ASubjectHasTwentyFiveAndThenOnePerFiveMinutes) {
  for (int i = 0; i < 25; ++i) EXPECT_NE(Add("x").kind, Kind::kDrop) << i;
  EXPECT_EQ(Add("x").kind, Kind::kDrop);
  EXPECT_NE(Add("x", "Reason", "Pod ns/b").kind, Kind::kDrop);
  clock_.Advance(absl::Minutes(5));
  const CorrelatedEvent event = Add("x");
  EXPECT_EQ(event.kind, Kind::kUpdate);
  EXPECT_EQ(event.count, 27) << "what was dropped is counted";
  EXPECT_EQ(Add("x").kind, Kind::kDrop);
}

TEST(LruMapTest, ForgetsTheKeyUsedLongestAgo) {
  LruMap<int> map(2);
  map["a"] = 1;
  map["b"] = 2;
  EXPECT_EQ(map["a"], 1);
  map["c"] = 3;
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map["a"], 1);
  EXPECT_EQ(map["b"], 0);
}

}  // namespace
}  // namespace calico::kube
