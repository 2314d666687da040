#include "operator/controllers/kinds/api_service_health.h"

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::kinds {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

json::object ApiService(std::string_view status, absl::Duration ago) {
  return {{"metadata", {{"name", kApiServiceName}}},
          {"status",
           {{"conditions",
             {{{"type", "Available"},
               {"status", status},
               {"reason", "FailedDiscoveryCheck"},
               {"message", "no response from https://10.0.0.5:5443"},
               {"lastTransitionTime",
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", kNow - ago, absl::UTCTimeZone())}}}}}}};
}

TEST(ApiServiceHealthTest, OneThatAnswersIsNotTalkedAbout) {
  const json::object object = ApiService("True", absl::Hours(1));
  EXPECT_THAT(JudgeApiService(&object, kNow, kNow).progress, IsEmpty());
}

TEST(ApiServiceHealthTest, OneThatIsNotSeenOrNotLookedAtYetIsOnItsWay) {
  EXPECT_THAT(JudgeApiService(nullptr, kNow, kNow).progress, HasSubstr("not seen yet"));
  const json::object object = {{"metadata", {{"name", kApiServiceName}}}};
  const ApiServiceHealth health = JudgeApiService(&object, kNow, kNow);
  EXPECT_THAT(health.progress, AllOf(HasSubstr(kApiServiceName), HasSubstr("not looked at yet")));
  EXPECT_FALSE(health.is_failing);
  EXPECT_EQ(health.recheck_at, kNow + absl::Minutes(5));
}

TEST(ApiServiceHealthTest, OneThatCannotBeReachedFailsAfterFiveMinutesWithTheCause) {
  const json::object object = ApiService("False", absl::Minutes(4));
  const ApiServiceHealth early = JudgeApiService(&object, kNow - absl::Hours(1), kNow);
  EXPECT_THAT(early.progress, AllOf(HasSubstr("FailedDiscoveryCheck"), HasSubstr("10.0.0.5:5443")));
  EXPECT_FALSE(early.is_failing);
  EXPECT_EQ(early.recheck_at, kNow + absl::Minutes(1));
  EXPECT_TRUE(JudgeApiService(&object, kNow - absl::Hours(1), early.recheck_at).is_failing);
}

TEST(ApiServiceHealthTest, TheTimeBeforeAPodCouldAnswerDoesNotCount) {
  const json::object object = ApiService("False", absl::Hours(1));
  EXPECT_FALSE(JudgeApiService(&object, kNow, kNow).is_failing);
  EXPECT_TRUE(JudgeApiService(&object, kNow - absl::Minutes(6), kNow).is_failing);
}

}  // namespace
}  // namespace calico::kinds
