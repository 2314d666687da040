#include "operator/calicert/cfssl/hosts.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(SplitHostsTest, EachKindInTheOrderOfTheList) {
  const auto split = SplitHosts(
      {"b.example.com", "10.0.0.1", "ops@example.com", "spiffe://x/y", "*.example.com",
       "Ops <o@example.com>", "::1", "etcd_1", "urn:uuid:1", "http://example.com/id", "LOCALHOST"},
      "hosts");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->names.dns_names,
              ElementsAre("b.example.com", "*.example.com", "etcd_1", "LOCALHOST"));
  EXPECT_THAT(split->names.emails, ElementsAre("ops@example.com", "o@example.com"));
  ASSERT_EQ(split->names.ip_addresses.size(), 2U);
  EXPECT_EQ(split->names.ip_addresses[1].ToString(), "::1");
  EXPECT_THAT(split->names.uris,
              ElementsAre("spiffe://x/y", "urn:uuid:1", "http://example.com/id"));
  EXPECT_THAT(split->warnings, IsEmpty());
}

TEST(SplitHostsTest, WhatNoClientCanMatchIsRefusedWithAdvice) {
  struct Case {
    const char* host;
    const char* advice;
  };
  const Case kCases[] = {
      {"localhost:443", "without ports: write localhost"},
      {"example.com:8443", "without ports: write example.com"},
      {"10.0.0.1:80", "without ports: write 10.0.0.1"},
      {"192.168.0.0/16", "a range of addresses"},
      {"fd00::/8", "a range of addresses"},
      {"https://api.example.com", "write api.example.com"},
      {"https://api.example.com:6443/", "write api.example.com"},
      {"10.0.0.5, 10.0.0.6", "write \"10.0.0.5\", \"10.0.0.6\""},
      {"a.example.com b.example.com", "no white space"},
      {"b\xc3\xbc"
       "cher.example",
       "write xn--bcher-kva.example"},
      {"10.0.0.256", "not an IPv4 address"},
      {"010.1.1.1", "not an IPv4 address"},
      {"10.0.0", "not an IPv4 address"},
      {"[fd00::5]", "without brackets and port: fd00::5"},
      {"[fd00::5]:2379", "without brackets and port: fd00::5"},
      {"fe80::1%eth0", "without zone: fe80::1"},
      {"fd00::zz", "not an IPv6 address"},
      {"/etc/hosts", "a path"},
      {"example.com/path", "write the host alone: example.com"},
      {"a..example.com", "two dots"},
      {"a!b.example.com", "'!' cannot stand in a host name"},
      {"\xff", "not ASCII"},
      {"10.0.0.1-10.0.0.9", "a range of addresses"},
      {"${HOST}", "a placeholder that nobody has replaced"},
      {"{{ ip }}", "a placeholder that nobody has replaced"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.host);
    const auto split = SplitHosts({"ok.example.com", c.host}, "hosts");
    EXPECT_THAT(split, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("hosts[1]: ")));
    EXPECT_THAT(split, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.advice)));
  }
}

TEST(SplitHostsTest, EveryBadHostIsNamed) {
  const auto split = SplitHosts({"a:1", "b", "c:2"}, "-hostname");
  EXPECT_THAT(split,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-hostname[0]: \"a:1\"")));
  EXPECT_THAT(split,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\n-hostname[2]: \"c:2\"")));
}

TEST(SplitHostsTest, WhatIsMendedIsSaid) {
  const auto split = SplitHosts({" etcd-1", "kube.svc.cluster.local.", "", "*"}, "hosts");
  ASSERT_THAT(split, IsOk());
  EXPECT_THAT(split->names.dns_names, ElementsAre("etcd-1", "kube.svc.cluster.local", "", "*"));
  EXPECT_THAT(split->warnings,
              ElementsAre(HasSubstr("white space"), HasSubstr("the dot at its end is dropped"),
                          HasSubstr("users of etcd"), HasSubstr("clients match a '*' only")));
}

TEST(SplitHostsTest, LongNamesAreRefused) {
  const std::string label(64, 'a');
  EXPECT_THAT(SplitHosts({label + ".example.com"}, "hosts"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 63")));
  std::string name = "a";
  while (name.size() < 260) name += ".abcdefgh";
  EXPECT_THAT(SplitHosts({name}, "hosts"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 253")));
}

TEST(SplitHostnameFlagTest, CutsAtCommasAndTrims) {
  EXPECT_THAT(SplitHostnameFlag("10.0.0.5, 10.0.0.6"), ElementsAre("10.0.0.5", "10.0.0.6"));
  EXPECT_THAT(SplitHostnameFlag(""), IsEmpty());
  EXPECT_THAT(SplitHostnameFlag("a"), ElementsAre("a"));
}

TEST(AsciiHostTest, VectorsOfPunycode) {
  EXPECT_EQ(AsciiHost("m\xc3\xbcnchen.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(AsciiHost("\xe4\xbe\x8b\xe5\xad\x90.example"), "xn--fsqu00a.example");
  EXPECT_EQ(AsciiHost("plain.example"), "plain.example");
  EXPECT_EQ(AsciiHost("\xff"), "");
}

}  // namespace
}  // namespace calico::calicert::cfssl
