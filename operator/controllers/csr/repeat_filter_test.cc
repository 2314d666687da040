#include "operator/controllers/csr/repeat_filter.h"

#include <string>

#include <gtest/gtest.h>

#include "pkg/api/meta/resources.h"

namespace calico::csr {
namespace {

class RepeatFilterTest : public testing::Test {
 protected:
  // About a request that is made anew each time.
  RepeatFilter::Verdict Add(const std::string& message, absl::Duration at = absl::ZeroDuration()) {
    const std::string uid = "uid-" + std::to_string(++count_);
    return filter_.Add(message, "text of " + uid,
                       {&api::kCertificateSigningRequests, {"", "name"}, uid, "1"},
                       absl::UnixEpoch() + at);
  }

  RepeatFilter filter_{absl::Minutes(10)};
  int count_ = 0;
};

TEST_F(RepeatFilterTest, IsQuietForAWhileAndThenTellsHowOften) {
  EXPECT_TRUE(Add("a").is_news);
  EXPECT_FALSE(Add("a", absl::Minutes(5)).is_news);
  EXPECT_TRUE(Add("b", absl::Minutes(5)).is_news);
  const RepeatFilter::Verdict third = Add("a", absl::Minutes(9));
  EXPECT_FALSE(third.is_news);
  EXPECT_EQ(third.repeated, 2);
  EXPECT_EQ(third.subject->uid, "uid-1") << "one Event counts them";
  EXPECT_EQ(*third.text, "text of uid-1");
  const RepeatFilter::Verdict fourth = Add("a", absl::Minutes(10));
  EXPECT_TRUE(fourth.is_news);
  EXPECT_EQ(fourth.repeated, 2);
  EXPECT_EQ(fourth.subject->uid, "uid-1");
  EXPECT_EQ(Add("a", absl::Minutes(11)).repeated, 1);
}

TEST_F(RepeatFilterTest, BeginsAnewAfterAPause) {
  EXPECT_TRUE(Add("a").is_news);
  EXPECT_FALSE(Add("a", absl::Minutes(1)).is_news);
  const RepeatFilter::Verdict verdict = Add("a", absl::Minutes(11));
  EXPECT_TRUE(verdict.is_news);
  EXPECT_EQ(verdict.repeated, 0);
  EXPECT_EQ(verdict.subject->uid, "uid-3");
}

TEST_F(RepeatFilterTest, IsBounded) {
  for (int i = 0; i < 1024; ++i) Add(std::to_string(i));
  EXPECT_FALSE(Add("7").is_news);
  EXPECT_TRUE(Add("one more").is_news);  // starts over rather than grow
  EXPECT_TRUE(Add("7").is_news);
}

}  // namespace
}  // namespace calico::csr
