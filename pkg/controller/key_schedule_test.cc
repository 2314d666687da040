#include "pkg/controller/key_schedule.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeyScheduleTest : public testing::Test {
 protected:
  void Add(const std::string& name) { schedule_.Add({"ns", name}, clock_.Now()); }
  void AddAfter(const std::string& name, absl::Duration delay) {
    schedule_.AddAt({"ns", name}, clock_.Now() + delay);
  }
  void Done(const std::string& name) { schedule_.Done({"ns", name}, clock_.Now()); }
  // Takes everything that is ready and leaves it in work.
  std::vector<std::string> TakeAll() {
    std::vector<std::string> names;
    while (const auto taken = schedule_.Take(clock_.Now())) names.push_back(taken->key.name);
    return names;
  }

  base::FakeClock clock_;
  KeySchedule schedule_;
};

TEST_F(KeyScheduleTest, FirstInFirstOutAndEachOnce) {
  for (const char* name : {"a", "b", "a", "c", "b"}) Add(name);
  EXPECT_EQ(schedule_.ready(), 3u);
  EXPECT_THAT(TakeAll(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(schedule_.in_work(), 3u);
}

TEST_F(KeyScheduleTest, AThousandKeysOfOneFlowDoNotDelayAnothers) {
  // The first letter is the flow.
  schedule_ = KeySchedule([](const api::ObjectKey& key) { return uint64_t(key.name[0]); });
  for (int i = 0; i < 1000; ++i) Add("s" + std::to_string(i));
  EXPECT_EQ(schedule_.Take(clock_.Now())->key.name, "s0");
  Add("a0");
  Add("a1");
  Add("b0");
  EXPECT_EQ(schedule_.ready(), 1002u);
  std::vector<std::string> next;
  for (int i = 0; i < 6; ++i) next.push_back(schedule_.Take(clock_.Now())->key.name);
  EXPECT_THAT(next, ElementsAre("s1", "a0", "b0", "s2", "a1", "s3"));
}

TEST_F(KeyScheduleTest, AFlowThatComesAgainAndAgainWaitsForItsTurn) {
  schedule_ = KeySchedule([](const api::ObjectKey& key) { return uint64_t(key.name[0]); });
  Add("b0");
  Add("b1");
  for (int i = 0; i < 2; ++i) {
    Add("a" + std::to_string(i));
    EXPECT_EQ(schedule_.Take(clock_.Now())->key.name, "b" + std::to_string(i));
    EXPECT_EQ(schedule_.Take(clock_.Now())->key.name, "a" + std::to_string(i));
  }
  EXPECT_EQ(schedule_.ready(), 0u);
  // What is added in work is of its flow again.
  Add("b0");
  Add("b2");
  Add("c0");
  Done("b0");
  EXPECT_THAT(TakeAll(), ElementsAre("b2", "c0", "b0"));
}

TEST_F(KeyScheduleTest, SameNameInAnotherNamespaceIsAnotherKey) {
  schedule_.Add({"x", "a"}, clock_.Now());
  schedule_.Add({"y", "a"}, clock_.Now());
  EXPECT_EQ(schedule_.ready(), 2u);
}

TEST_F(KeyScheduleTest, AddedInWorkIsReadyAgainAfterDoneOnce) {
  Add("a");
  EXPECT_THAT(TakeAll(), ElementsAre("a"));
  Add("a");
  Add("a");
  EXPECT_THAT(TakeAll(), IsEmpty());
  Done("a");
  EXPECT_THAT(TakeAll(), ElementsAre("a"));
  Done("a");
  EXPECT_THAT(TakeAll(), IsEmpty());
}

TEST_F(KeyScheduleTest, DueKeysBecomeReadyInTheOrderOfTheirTimes) {
  AddAfter("c", absl::Seconds(3));
  AddAfter("a", absl::Seconds(1));
  AddAfter("b", absl::Seconds(2));
  EXPECT_EQ(schedule_.NextDue(), clock_.Now() + absl::Seconds(1));
  EXPECT_THAT(TakeAll(), IsEmpty());
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(TakeAll(), ElementsAre("a", "b"));
  EXPECT_EQ(schedule_.NextDue(), clock_.Now() + absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(TakeAll(), ElementsAre("c"));
  EXPECT_EQ(schedule_.NextDue(), absl::InfiniteFuture());
}

TEST_F(KeyScheduleTest, EarliestDueTimeWins) {
  struct Case {
    const char* name;
    int first, second, want;
  };
  const Case kCases[] = {{"later after earlier", 1, 5, 1}, {"earlier after later", 5, 1, 1}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    schedule_.Clear();
    AddAfter("a", absl::Seconds(c.first));
    AddAfter("a", absl::Seconds(c.second));
    EXPECT_EQ(schedule_.NextDue(), clock_.Now() + absl::Seconds(c.want));
    clock_.Advance(absl::Seconds(10));
    EXPECT_THAT(TakeAll(), ElementsAre("a"));
    Done("a");
    EXPECT_THAT(TakeAll(), IsEmpty());
  }
}

TEST_F(KeyScheduleTest, DueWhileInWorkIsReadyAfterDone) {
  Add("a");
  TakeAll();
  AddAfter("a", absl::Seconds(1));
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(TakeAll(), IsEmpty());
  Done("a");
  EXPECT_THAT(TakeAll(), ElementsAre("a"));
}

TEST_F(KeyScheduleTest, TellsSinceWhenAKeyHasBeenReady) {
  const absl::Time start = clock_.Now();
  Add("a");
  AddAfter("b", absl::Seconds(1));
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(schedule_.Take(clock_.Now())->ready_since, start);
  EXPECT_EQ(schedule_.Take(clock_.Now())->ready_since, start + absl::Seconds(1));
}

TEST_F(KeyScheduleTest, ClearDropsAllButWork) {
  Add("a");
  TakeAll();
  Add("a");
  Add("b");
  AddAfter("c", absl::Seconds(1));
  schedule_.Clear();
  EXPECT_EQ(schedule_.NextDue(), absl::InfiniteFuture());
  Done("a");
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(TakeAll(), IsEmpty());
}

TEST_F(KeyScheduleTest, DoneOfAKeyThatIsNotInWorkIsABug) { EXPECT_DEATH(Done("a"), "in_work_"); }

}  // namespace
}  // namespace calico::controller
