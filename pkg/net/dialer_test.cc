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
    absl::Duration least = absl::Seconds(2);
  };
  const Case kCases[] = {
      {absl::Seconds(30), 1, absl::Seconds(10)},
      {absl::Seconds(30), 3, absl::Seconds(10)},
      {absl::Seconds(30), 6, absl::Seconds(5)},
      {absl::Seconds(6), 2, absl::Seconds(3)},
      {absl::Seconds(3), 2, absl::Seconds(2)},
      {absl::Seconds(-1), 2, absl::Seconds(2)},
      {absl::InfiniteDuration(), 2, absl::Seconds(10)},
      {absl::Seconds(4), 5, absl::Milliseconds(800), absl::ZeroDuration()},
      {absl::Seconds(-1), 5, absl::ZeroDuration(), absl::ZeroDuration()},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(AddressTimeout(c.remaining, c.left, c.least, absl::Seconds(10)), c.want)
        << c.remaining;
  }
}

}  // namespace
}  // namespace calico::net
