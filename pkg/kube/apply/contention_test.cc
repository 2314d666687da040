#include "pkg/kube/apply/contention.h"

#include <gtest/gtest.h>

namespace calico::kube {
namespace {

const Contention::Id kId = {"DaemonSet", {"ns", "d"}};
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHash[] = "hash";
constexpr char kPath[] = "spec.template.spec.image";

// Puts it right if it may; true when it was sent.
bool PutRight(Contention& contention, absl::Time now, const char* path = kPath,
              const char* hash = kHash) {
  if (!contention.MaySend(kId, hash, path, "", now)) return false;
  contention.Sent(kId, path, now);
  return true;
}

// Until it is contested; returns when.
absl::Time Fight(Contention& contention) {
  absl::Time now = kStart;
  while (PutRight(contention, now)) now += absl::Seconds(1);
  return now;
}

TEST(ContentionTest, DriftInManyPlacesIsPutRightAtOnce) {
  Contention contention;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(PutRight(contention, kStart, ("path" + std::to_string(i % 20)).c_str())) << i;
  }
  EXPECT_FALSE(contention.IsContested(kId));
}

TEST(ContentionTest, TheSameFieldNowAndThenIsNoContest) {
  Contention contention;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(PutRight(contention, kStart + i * absl::Minutes(20))) << i;
  }
}

TEST(ContentionTest, TheSameFieldAgainAndAgainWaitsLongerEachTime) {
  Contention contention;
  const absl::Time end = kStart + absl::Minutes(30);
  int sent = 0;
  int in_the_first_85_seconds = 0;
  for (absl::Time now = kStart; now < end; now += absl::Seconds(1)) {
    if (!PutRight(contention, now)) continue;
    ++sent;
    if (now < kStart + absl::Seconds(85)) ++in_the_first_85_seconds;
  }
  EXPECT_LE(in_the_first_85_seconds, 7);
  EXPECT_LE(sent, 15);
  ASSERT_TRUE(contention.Find(kId).has_value());
  EXPECT_EQ(contention.Find(kId)->path, kPath);
  EXPECT_FALSE(contention.Find(kId)->in_answer);
}

TEST(ContentionTest, WhatIsWantedNowIsSentAtOnce) {
  Contention contention;
  const absl::Time now = Fight(contention);
  EXPECT_FALSE(PutRight(contention, now));
  EXPECT_TRUE(PutRight(contention, now, kPath, "another"));
  EXPECT_FALSE(contention.IsContested(kId));
}

TEST(ContentionTest, EndsWhenItHasStayedForAWhile) {
  Contention contention;
  absl::Time now = Fight(contention);
  const absl::Time next = contention.Find(kId)->again_at;
  EXPECT_GT(next, now);
  EXPECT_FALSE(PutRight(contention, next - absl::Seconds(1)));
  EXPECT_TRUE(PutRight(contention, next));
  now = next + absl::Seconds(1);
  contention.InPlace(kId, now);
  ASSERT_TRUE(contention.IsContested(kId));
  const absl::Time calm = contention.Find(kId)->again_at;
  EXPECT_EQ(calm, now + absl::Seconds(30));
  contention.InPlace(kId, calm);
  EXPECT_FALSE(contention.IsContested(kId));
}

TEST(ContentionTest, AChangeBeforeThatStartsTheWaitAgain) {
  Contention contention;
  absl::Time now = Fight(contention) + absl::Minutes(1);
  EXPECT_TRUE(PutRight(contention, now));
  contention.InPlace(kId, now);
  now += absl::Seconds(25);
  EXPECT_TRUE(PutRight(contention, now));
  contention.InPlace(kId, now + absl::Seconds(10));
  EXPECT_TRUE(contention.IsContested(kId));
}

TEST(ContentionTest, AnAnswerThatDiffersIsAContestAtOnce) {
  Contention contention;
  EXPECT_TRUE(contention.MaySend(kId, kHash, "", "", kStart));
  contention.Rewritten(kId, kPath, kStart);
  ASSERT_TRUE(contention.Find(kId).has_value());
  EXPECT_TRUE(contention.Find(kId)->in_answer);
  EXPECT_FALSE(contention.MaySend(kId, kHash, kPath, "", kStart + absl::Seconds(9)));
  EXPECT_TRUE(contention.MaySend(kId, kHash, kPath, "", kStart + absl::Seconds(10)));
  contention.Rewritten(kId, kPath, kStart + absl::Seconds(10));
  EXPECT_FALSE(contention.MaySend(kId, kHash, kPath, "", kStart + absl::Seconds(29)));
  EXPECT_TRUE(contention.MaySend(kId, kHash, kPath, "", kStart + absl::Seconds(30)));
  // The webhook has gone.
  contention.Sent(kId, kPath, kStart + absl::Seconds(30));
  EXPECT_FALSE(contention.IsContested(kId));
}

// Each put-right of a workload restarts its pods.
TEST(ContentionTest, AWriterThatComesByEveryFewMinutesIsBackedOffFrom) {
  for (const int period : {40, 60, 180}) {
    SCOPED_TRACE(period);
    Contention contention;
    absl::Time differs_at = kStart;
    int sent = 0;
    for (absl::Time now = kStart; now < kStart + absl::Hours(1); now += absl::Seconds(1)) {
      if (now < differs_at) {
        contention.InPlace(kId, now);
      } else if (PutRight(contention, now)) {
        ++sent;
        differs_at = now + absl::Seconds(period);
      }
    }
    EXPECT_LE(sent, 20);
    EXPECT_TRUE(contention.IsContested(kId));
  }
}

TEST(ContentionTest, DriftInFourPlacesIsPutRightAtOnceAndForgotten) {
  Contention contention;
  absl::Time now = kStart;
  for (const char* path : {"a", "b", "c", "d", "a"}) {
    EXPECT_TRUE(PutRight(contention, now, path));
    now += absl::Minutes(1);
    contention.InPlace(kId, now);
  }
  EXPECT_FALSE(contention.IsContested(kId));
}

TEST(ContentionTest, APlaceThatWasContestedIsNotNewForAnHour) {
  Contention contention;
  absl::Time now = Fight(contention) + absl::Minutes(1);
  EXPECT_TRUE(PutRight(contention, now));
  contention.InPlace(kId, now);
  now += absl::Seconds(30);
  contention.InPlace(kId, now);
  ASSERT_FALSE(contention.IsContested(kId));
  Contention later = contention;
  now += absl::Minutes(10);
  EXPECT_TRUE(PutRight(contention, now)) << "it has waited long enough";
  EXPECT_TRUE(contention.IsContested(kId));
  EXPECT_FALSE(PutRight(contention, now + absl::Seconds(39)));
  now += absl::Hours(1);
  EXPECT_TRUE(PutRight(later, now));
  EXPECT_FALSE(later.IsContested(kId));
}

TEST(ContentionTest, WhatIsForgottenIsNew) {
  Contention contention;
  const absl::Time now = Fight(contention);
  contention.Forget(kId);
  EXPECT_FALSE(contention.IsContested(kId));
  EXPECT_TRUE(PutRight(contention, now));
}

TEST(ContentionTest, TheWriterIsRemembered) {
  Contention contention;
  const absl::Time now = Fight(contention);
  EXPECT_FALSE(contention.MaySend(kId, kHash, kPath, "other-operator", now));
  EXPECT_FALSE(contention.MaySend(kId, kHash, kPath, "", now));
  EXPECT_EQ(contention.Find(kId)->writer, "other-operator");
}

TEST(ContentionTest, ClearForgetsAll) {
  Contention contention;
  const absl::Time now = Fight(contention);
  contention.Clear();
  EXPECT_TRUE(PutRight(contention, now));
}

}  // namespace
}  // namespace calico::kube
