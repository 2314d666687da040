#include "pkg/base/ip_prefix.h"

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

using ::testing::HasSubstr;

TEST(IpPrefixTest, ParsesAndPrintsTheNetwork) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"10.0.0.0/16", "10.0.0.0/16"},        {"10.0.3.4/16", "10.0.0.0/16"},
      {"10.0.0.255/25", "10.0.0.128/25"},    {"0.0.0.0/0", "0.0.0.0/0"},
      {"192.0.2.1/32", "192.0.2.1/32"},      {"fd00:10:48::/64", "fd00:10:48::/64"},
      {"FD00:0010:0::1/64", "fd00:10::/64"}, {"::/0", "::/0"},
      {"fd00::ff/121", "fd00::80/121"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<IpPrefix> prefix = IpPrefix::Parse(c.text);
    ASSERT_TRUE(prefix.ok()) << c.text << ": " << prefix.status();
    EXPECT_EQ(prefix->ToString(), c.want) << c.text;
  }
}

TEST(IpPrefixTest, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0/8", "fd00::/129", "fd00::", "/8", "10.0.0.0/8/8", "10.0.0.0/8 ", " 10.0.0.0/8",
        "::ffff:10.0.0.0/112", "fe80::%eth0/64", "10.0.0.0/1e1", "ten/8"}) {
    EXPECT_FALSE(IpPrefix::Parse(text).ok()) << text;
  }
  EXPECT_THAT(IpPrefix::Parse("10.0.0.0").status().message(), HasSubstr("no slash"));
  EXPECT_THAT(IpPrefix::Parse("10.0.0.0/40").status().message(), HasSubstr("between 0 and 32"));
}

TEST(IpPrefixTest, BitsBehindThePrefixAreNotPartOfTheValue) {
  const IpPrefix exact = *IpPrefix::Parse("10.0.0.0/16");
  const IpPrefix other = *IpPrefix::Parse("10.0.0.1/16");
  EXPECT_TRUE(exact.is_exact());
  EXPECT_FALSE(other.is_exact());
  EXPECT_EQ(exact, other);
  EXPECT_TRUE(IpPrefix::Parse("fd00:0:0::/64")->is_exact());
  EXPECT_NE(exact, *IpPrefix::Parse("10.0.0.0/17"));
}

TEST(IpPrefixTest, ContainsWhatIsInside) {
  const IpPrefix net = *IpPrefix::Parse("10.244.0.0/16");
  EXPECT_TRUE(net.Contains(*IpPrefix::Parse("10.244.0.0/16")));
  EXPECT_TRUE(net.Contains(*IpPrefix::Parse("10.244.128.0/17")));
  EXPECT_FALSE(net.Contains(*IpPrefix::Parse("10.244.0.0/15")));
  EXPECT_FALSE(net.Contains(*IpPrefix::Parse("10.245.0.0/24")));
  EXPECT_FALSE(net.Contains(*IpPrefix::Parse("fd00::/64")));
  EXPECT_FALSE(IpPrefix::Parse("::/0")->Contains(net));
  EXPECT_TRUE(net.Contains(*IpAddress::Parse("10.244.3.4")));
  EXPECT_FALSE(net.Contains(*IpAddress::Parse("10.243.3.4")));
  EXPECT_TRUE(net.Overlaps(*IpPrefix::Parse("10.0.0.0/8")));
  EXPECT_FALSE(net.Overlaps(*IpPrefix::Parse("10.245.0.0/16")));
}

}  // namespace
}  // namespace calico::base
