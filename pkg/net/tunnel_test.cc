#include "pkg/net/tunnel.h"

#include <gtest/gtest.h>

namespace calico::net {
namespace {

// The tunnels themselves: pkg/http/client_proxy_test.cc.

TEST(BasicAuthorizationTest, Base64OfAllLengths) {
  // RFC 7617 section 2, and the three paddings.
  EXPECT_EQ(BasicAuthorization({.user = "Aladdin", .password = "open sesame"}),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(BasicAuthorization({.user = "a", .password = "b"}), "Basic YTpi");
  EXPECT_EQ(BasicAuthorization({.user = "a"}), "Basic YTo=");
  EXPECT_EQ(BasicAuthorization({.user = "ab", .password = "c\xff"}), "Basic YWI6Y/8=");
  EXPECT_EQ(BasicAuthorization({}), "");
}

}  // namespace
}  // namespace calico::net
