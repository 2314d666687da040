#include "operator/controllers/csr/repeat_filter.h"

#include <gtest/gtest.h>

namespace calico::csr {
namespace {

TEST(RepeatFilterTest, QuietForAWhile) {
  RepeatFilter filter(absl::Minutes(10));
  const absl::Time start = absl::UnixEpoch();
  EXPECT_TRUE(filter.IsNew("a", start));
  EXPECT_FALSE(filter.IsNew("a", start + absl::Minutes(9)));
  EXPECT_TRUE(filter.IsNew("b", start + absl::Minutes(9)));
  EXPECT_TRUE(filter.IsNew("a", start + absl::Minutes(10)));
  EXPECT_FALSE(filter.IsNew("a", start + absl::Minutes(19)));
}

TEST(RepeatFilterTest, IsBounded) {
  RepeatFilter filter(absl::Minutes(10));
  const absl::Time start = absl::UnixEpoch();
  for (int i = 0; i < 4096; ++i) filter.IsNew(std::to_string(i), start);
  EXPECT_FALSE(filter.IsNew("7", start));
  EXPECT_TRUE(filter.IsNew("one more", start));  // starts over rather than grow
  EXPECT_TRUE(filter.IsNew("7", start));
}

}  // namespace
}  // namespace calico::csr
