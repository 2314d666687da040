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
  return {&api::kNodes, has_synced, kube::NextTrouble({}, api::kNodes, std::move(error), kStart),
          kStart};
}

TEST(CacheHealthTest, WhatIsInSyncHasNothingToTell) {
  const CacheHealth health = JudgeCaches({{&api::kNodes, true, {}, kStart}}, kStart);
  EXPECT_THAT(health.lines, IsEmpty());
  EXPECT_TRUE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::InfiniteDuration());
}

TEST(CacheHealthTest, ARefusalIsToldAfterAMoment) {
  const std::vector<CacheState> caches = {Troubled(Refused(403)), {&api::kPods, true, {}, kStart}};
  CacheHealth health = JudgeCaches(caches, kStart + absl::Seconds(1));
  EXPECT_THAT(health.lines, IsEmpty());
  EXPECT_FALSE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::Seconds(1));
  health = JudgeCaches(caches, kStart + absl::Seconds(2));
  EXPECT_THAT(health.lines, ElementsAre(HasSubstr("cannot list resource \"nodes\" in API group"),
                                        HasSubstr("apply the operator.yaml of this version")));
  EXPECT_TRUE(health.settled);
}

TEST(CacheHealthTest, AMissingKindIsToldWithWhatToDo) {
  const CacheHealth health = JudgeCaches({Troubled(Refused(404))}, kStart + absl::Seconds(2));
  EXPECT_THAT(health.lines, ElementsAre(testing::_, HasSubstr("--manage-crds")));
}

TEST(CacheHealthTest, AnOutageIsGivenTime) {
  for (const absl::Status& error : {absl::UnavailableError("refused"), Refused(500), Refused(429),
                                    Refused(401), Refused(408)}) {
    SCOPED_TRACE(error);
    EXPECT_THAT(JudgeCaches({Troubled(error)}, kStart + absl::Seconds(119)).lines, IsEmpty());
    EXPECT_THAT(JudgeCaches({Troubled(error)}, kStart + absl::Minutes(2)).lines,
                ElementsAre(testing::_));
  }
}

TEST(CacheHealthTest, NoAnswerAtAllIsToldInTheEnd) {
  const std::vector<CacheState> caches = {{&api::kNodes, false, {}, kStart}};
  EXPECT_FALSE(JudgeCaches(caches, kStart + absl::Seconds(60)).settled);
  const CacheHealth health = JudgeCaches(caches, kStart + absl::Minutes(2));
  EXPECT_TRUE(health.settled);
  EXPECT_THAT(health.lines, ElementsAre("list Node: no answer yet"));
}

TEST(CacheHealthTest, WhatIsWatchedLaterHasItsOwnPatience) {
  const absl::Time later = kStart + absl::Minutes(10);
  const std::vector<CacheState> caches = {{&api::kSecrets, false, {}, later}};
  EXPECT_THAT(JudgeCaches(caches, later + absl::Seconds(119)).lines, IsEmpty());
  EXPECT_THAT(JudgeCaches(caches, later + absl::Minutes(2)).lines, ElementsAre(testing::_));
}

// An API server that starts answers before it knows the roles.
TEST(CacheHealthTest, ARefusalAfterAnOutageIsGivenItsOwnTime) {
  const absl::Status outage = absl::UnavailableError("refused");
  const auto lines = [](const kube::CacheTrouble& trouble, absl::Duration at) {
    return JudgeCaches({{&api::kNodes, true, trouble, kStart}}, kStart + at).lines;
  };
  const auto next = [](const kube::CacheTrouble& before, const absl::Status& error, int second) {
    return kube::NextTrouble(before, api::kNodes, error, kStart + absl::Seconds(second));
  };
  const kube::CacheTrouble first = kube::NextTrouble({}, api::kNodes, outage, kStart);
  const kube::CacheTrouble refused = next(first, Refused(403), 20);
  EXPECT_THAT(lines(refused, absl::Seconds(29)), IsEmpty());
  EXPECT_THAT(lines(refused, absl::Seconds(30)), testing::SizeIs(2));
  // The first of those in a row counts, and an outage between them begins anew.
  EXPECT_THAT(lines(next(refused, Refused(404), 29), absl::Seconds(30)), testing::SizeIs(2));
  const kube::CacheTrouble again = next(next(refused, outage, 25), Refused(403), 40);
  EXPECT_THAT(lines(again, absl::Seconds(49)), IsEmpty());
  EXPECT_THAT(lines(again, absl::Seconds(50)), testing::SizeIs(2));
}

TEST(CacheHealthTest, ARightToSecretsIsOfAnotherFile) {
  CacheState state = Troubled(Refused(403));
  state.resource = &api::kSecrets;
  state.is_of_copies = true;
  EXPECT_THAT(JudgeCaches({state}, kStart + absl::Seconds(2)).lines,
              ElementsAre(testing::_, HasSubstr("-f image-pull-secrets.yaml`")));
}

TEST(CacheHealthTest, AWatchThatIsRefusedIsToldThoughTheListWasComplete) {
  const CacheHealth health = JudgeCaches({Troubled(Refused(403), true)}, kStart + absl::Seconds(1));
  EXPECT_TRUE(health.settled);
  EXPECT_EQ(health.recheck_after, absl::Seconds(1));
}

TEST(CacheHealthTest, WhetherTheRestGoesOnIsToldAsItIs) {
  const auto lines = [](bool is_vital, bool has_synced, int http_status) {
    CacheState state = Troubled(Refused(http_status), has_synced);
    state.is_vital = is_vital;
    return JudgeCaches({state, Troubled(Refused(http_status))}, kStart + absl::Minutes(2)).lines;
  };
  EXPECT_THAT(lines(false, false, 403),
              ElementsAre(testing::_, HasSubstr("everything else does meanwhile")));
  // What was known goes on counting.
  EXPECT_THAT(lines(true, true, 403),
              ElementsAre(testing::_, HasSubstr("everything else does meanwhile")));
  for (const int http_status : {403, 404, 500}) {
    const std::vector<std::string> told = lines(true, false, http_status);
    EXPECT_THAT(told, testing::Contains(HasSubstr("what runs is left as it is")));
    EXPECT_THAT(told, testing::Not(testing::Contains(HasSubstr("everything else"))));
  }
}

TEST(CacheHealthTest, TheSameIsToldOnce) {
  EXPECT_THAT(
      JudgeCaches({Troubled(Refused(403)), Troubled(Refused(403))}, kStart + absl::Minutes(1))
          .lines,
      testing::SizeIs(2));
}

}  // namespace
}  // namespace calico::installation
