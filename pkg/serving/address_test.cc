#include "pkg/serving/address.h"

#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::serving {
namespace {

using ::testing::HasSubstr;

TEST(ParseListenAddressTest, TakesWhatFlagsHold) {
  struct Case {
    const char* text;
    const char* host;
    uint16_t port;
  };
  const Case kCases[] = {
      {":8080", "::", 8080},           {"0.0.0.0:9094", "0.0.0.0", 9094},
      {"127.0.0.1:0", "127.0.0.1", 0}, {"localhost:65535", "127.0.0.1", 65535},
      {"[::1]:80", "::1", 80},         {"[::]:80", "::", 80},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(c.text);
    ASSERT_THAT(address, base::IsOk());
    EXPECT_EQ(address->host, c.host);
    EXPECT_EQ(address->port, c.port);
  }
}

TEST(ParseListenAddressTest, RefusesTheRestAndSaysWhy) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case kCases[] = {
      {"", "no port"},
      {"8080", "no port"},
      {":", "no number"},
      {":65536", "no number"},
      {":-1", "no number"},
      {":80x", "no number"},
      {":+80", "no number"},
      {"example.com:80", "no IP address"},
      {"::1:80", "no IP address"},
      {"[127.0.0.1]:80", "no IP address"},
      {"[]:80", "no IP address"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseListenAddress(c.text),
                base::StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.want)));
  }
}

}  // namespace
}  // namespace calico::serving
