#include "pkg/net/dialer.h"

#include <gtest/gtest.h>

namespace calico::net {
namespace {

// Dialing itself: pkg/http/client_test.cc.

TEST(AddressTimeoutTest, Table) {
  struct Case {
    absl::Duration remaining;
    size_t left;
    absl::Duration want;
  };
  const Case kCases[] = {
      {absl::Seconds(30), 1, absl::Seconds(10)},        {absl::Seconds(30), 3, absl::Seconds(10)},
      {absl::Seconds(30), 6, absl::Seconds(5)},         {absl::Seconds(6), 2, absl::Seconds(3)},
      {absl::Seconds(3), 2, absl::Seconds(2)},          {absl::Seconds(-1), 2, absl::Seconds(2)},
      {absl::InfiniteDuration(), 2, absl::Seconds(10)},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(AddressTimeout(c.remaining, c.left, absl::Seconds(10)), c.want) << c.remaining;
  }
}

}  // namespace
}  // namespace calico::net
