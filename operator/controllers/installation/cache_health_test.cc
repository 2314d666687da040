#include "operator/controllers/installation/cache_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/meta/resources.h"
#include "pkg/kube/client/errors.h"

namespace calico::installation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

absl::Status Refused(int http_status) {
  return kube::ErrorFromResponse(
      {.status = http_status,
       .body = R"({"kind":"Status","message":"nodes is forbidden: User \"u\" cannot list resource )"
               R"(\"nodes\" in API group \"\" at the cluster scope"})"});
}

CacheState Troubled(absl::Status error, bool has_synced = false) {
  return {&api::kNodes, has_synced, kube::CacheTrouble{&api::kNodes, std::move(error), kStart}};
}

TEST(CacheHealthTest, WhatIsInSyncHasNothingToTell) {
  const CacheHealth health = JudgeCaches({{&api::kNodes, true, {}}}, kStart, kStart);
  EXPECT_THAT(health.lines, IsEmpty());
  EXPECT_TRUE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::InfiniteDuration());
}

TEST(CacheHealthTest, ARefusalIsToldAfterAMoment) {
  const std::vector<CacheState> caches = {Troubled(Refused(403)), {&api::kPods, true, {}}};
  CacheHealth health = JudgeCaches(caches, kStart, kStart + absl::Seconds(1));
  EXPECT_THAT(health.lines, IsEmpty());
  EXPECT_FALSE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::Seconds(1));
  health = JudgeCaches(caches, kStart, kStart + absl::Seconds(2));
  EXPECT_THAT(health.lines, ElementsAre(HasSubstr("cannot list resource \"nodes\" in API group"),
                                        HasSubstr("apply the operator.yaml of this version")));
  EXPECT_TRUE(health.settled);
}

TEST(CacheHealthTest, AMissingKindIsToldWithWhatToDo) {
  const CacheHealth health =
      JudgeCaches({Troubled(Refused(404))}, kStart, kStart + absl::Seconds(2));
  EXPECT_THAT(health.lines, ElementsAre(testing::_, HasSubstr("--manage-crds")));
}

TEST(CacheHealthTest, AnOutageIsGivenTime) {
  for (const absl::Status& error :
       {absl::UnavailableError("refused"), Refused(500), Refused(429)}) {
    SCOPED_TRACE(error);
    EXPECT_THAT(JudgeCaches({Troubled(error)}, kStart, kStart + absl::Seconds(119)).lines,
                IsEmpty());
    EXPECT_THAT(JudgeCaches({Troubled(error)}, kStart, kStart + absl::Minutes(2)).lines,
                ElementsAre(testing::_));
  }
}

TEST(CacheHealthTest, NoAnswerAtAllIsToldInTheEnd) {
  const std::vector<CacheState> caches = {{&api::kNodes, false, {}}};
  EXPECT_FALSE(JudgeCaches(caches, kStart, kStart + absl::Seconds(60)).settled);
  const CacheHealth health = JudgeCaches(caches, kStart, kStart + absl::Minutes(2));
  EXPECT_TRUE(health.settled);
  EXPECT_THAT(health.lines, ElementsAre("list Node: no answer yet"));
}

TEST(CacheHealthTest, AWatchThatIsRefusedIsToldThoughTheListWasComplete) {
  const CacheHealth health =
      JudgeCaches({Troubled(Refused(403), true)}, kStart, kStart + absl::Seconds(1));
  EXPECT_TRUE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::Seconds(1));
}

TEST(CacheHealthTest, TheSameIsToldOnce) {
  EXPECT_THAT(JudgeCaches({Troubled(Refused(403)), Troubled(Refused(403))}, kStart,
                          kStart + absl::Minutes(1))
                  .lines,
              testing::SizeIs(2));
}

}  // namespace
}  // namespace calico::installation
