#include "pkg/base/ip_address.h"

#include <set>

#include <absl/hash/hash_testing.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

using ::testing::HasSubstr;

TEST(IpAddressTest, ParsesAndPrintsCanonicalText) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case kCases[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"192.0.2.1", "192.0.2.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"fe80:0:0:0:0:0:0:0", "fe80::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"::192.0.2.1", "::c000:201"},
      {"::1:0", "::1:0"},
      {"::ffff:0:192.0.2.1", "::ffff:0:c000:201"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::FFFF:c000:0201", "192.0.2.1"},
      {"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<IpAddress> address = IpAddress::Parse(c.text);
    ASSERT_THAT(address, IsOk());
    EXPECT_EQ(address->ToString(), c.want);
    EXPECT_THAT(IpAddress::Parse(address->ToString()), IsOkAndHolds(*address));
    EXPECT_THAT(IpAddress::FromBytes(address->bytes()), IsOkAndHolds(*address));
  }
}

TEST(IpAddressTest, RefusesWhatIsNotAnAddress) {
  const char* kCases[] = {
      "",
      " ",
      "192.0.2",
      "192.0.2.1.2",
      "192.0.2.256",
      "192.0.2.01",
      "192.0.2.",
      ".192.0.2.1",
      "192.0..1",
      "192.0.2.1 ",
      " 192.0.2.1",
      "192.0.2.-1",
      "192.0.2.1:80",
      "192.0.2.0/24",
      "0x7f.0.0.1",
      "2130706433",
      "1.2.3.0004",
      "localhost",
      ":",
      ":::",
      "::1::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "12345::",
      "00001::",
      "g::",
      "1:",
      ":1",
      "fe80::1%eth0",
      "[::1]",
      "::1.2.3",
      "::1.2.3.4:5",
      "1.2.3.4::",
      "1:2:3:4:5:6:7:1.2.3.4",
      "::ffff:01.2.3.4",
      "2001:db8::1/64",
      "::1\n",
  };
  for (const char* text : kCases) {
    EXPECT_THAT(IpAddress::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(IpAddress::Parse(std::string_view("1.2.3.4\0", 8)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(IpAddress::Parse(std::string(100'000, '1')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too many")));
}

TEST(IpAddressTest, ReadsOnlyFourOrSixteenBytes) {
  for (size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(IpAddress::FromBytes(std::string(size, 'x')).ok(), size == 4 || size == 16) << size;
  }
}

TEST(IpAddressTest, MappedAddressIsTheIpv4Address) {
  const IpAddress text = *IpAddress::Parse("::ffff:10.0.0.1");
  EXPECT_TRUE(text.is_ipv4());
  EXPECT_EQ(text, *IpAddress::FromBytes(std::string_view("\x0a\0\0\x01", 4)));
  EXPECT_EQ(text.bytes().size(), 4);
}

TEST(IpAddressTest, OrdersAndHashesByValue) {
  const std::set<IpAddress> sorted = {*IpAddress::Parse("::1"), *IpAddress::Parse("10.0.0.2"),
                                      *IpAddress::Parse("9.255.0.0")};
  EXPECT_EQ(sorted.begin()->ToString(), "9.255.0.0");
  EXPECT_EQ(sorted.rbegin()->ToString(), "::1");
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {*IpAddress::Parse("::1"), *IpAddress::Parse("::ffff:1.2.3.4"), *IpAddress::Parse("1.2.3.4"),
       *IpAddress::Parse("1::")}));
}

}  // namespace
}  // namespace calico::base
