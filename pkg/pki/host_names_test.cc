#include "pkg/pki/host_names.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

Certificate For(std::vector<std::string> names, std::vector<std::string> addresses) {
  static const TestCa ca;
  return ca.Leaf({.common_name = "member", .dns_names = names, .ip_addresses = addresses})
      .certificate;
}

TEST(HostProblemTest, AddressIsFoundAmongAddressesOnly) {
  EXPECT_FALSE(HostProblem(For({}, {"10.0.0.11"}), "10.0.0.11").has_value());
  EXPECT_FALSE(HostProblem(For({}, {"fd00::1"}), "[fd00::1]").has_value());
  EXPECT_EQ(HostProblem(For({}, {"10.0.0.11"}), "10.0.0.12"),
            "it is for 10.0.0.11, not for 10.0.0.12");
  EXPECT_EQ(HostProblem(For({"10.0.0.11"}, {}), "10.0.0.11"),
            "it has \"10.0.0.11\" as a DNS name or URI, and an address that is dialled counts only "
            "as an IP address, without port");
  EXPECT_EQ(HostProblem(For({"10.0.0.11.example.com"}, {}), "10.0.0.11"),
            "it has no IP address as a subject alternative name (it is for 10.0.0.11.example.com), "
            "and it is dialled at 10.0.0.11");
}

TEST(HostProblemTest, CommonNameIsNotLookedAt) {
  EXPECT_EQ(HostProblem(For({}, {}), "member"), "it is for no name, not for member");
}

TEST(HostProblemTest, WildcardIsOneWholeLabel) {
  const Certificate certificate = For({"*.etcd.example.com"}, {});
  EXPECT_FALSE(HostProblem(certificate, "Member-1.ETCD.example.com.").has_value());
  for (const char* host : {"etcd.example.com", "a.b.etcd.example.com", "xetcd.example.com"}) {
    EXPECT_TRUE(HostProblem(certificate, host).has_value()) << host;
  }
}

TEST(HostProblemTest, LoneStarIsForHostsOfOneLabel) {
  EXPECT_FALSE(HostProblem(For({"*"}, {}), "localhost").has_value());
  EXPECT_TRUE(HostProblem(For({"*"}, {}), "a.b").has_value());
  EXPECT_TRUE(HostProblem(For({"*"}, {}), "10.0.0.11").has_value());
}

TEST(HostProblemTest, NamesAsGoTakesThem) {
  struct Case {
    const char* name;
    const char* host;
    bool matches;
  };
  const Case kCases[] = {
      {"etcd-0.example.com", "ETCD-0.example.com", true},
      {"etcd-0.example.com", "etcd-0.example.com.", true},
      {"etcd-0.example.com.", "etcd-0.example.com", false},  // the dot is the host's alone
      {"a_b.example.com", "a_b.example.com", true},
      {"*.example.com", "-a.example.com", false},  // no host name: letter by letter only
      {"-a.example.com", "-A.example.com", true},
      {"-a.example.com", "-a.example.com.", false},
      {"*.exa!mple.com", "a.exa!mple.com", false},
      {"a.*.com", "a.b.com", false},
      {"a.*.com", "a.*.com", true},
      {"w*.example.com", "www.example.com", false},
      {"*.*.example.com", "a.b.example.com", false},
      {"*.example.com", ".example.com", false},
      {"*.example.com", "*.example.com", true},
      {"example.com", "[example.com]", false},  // brackets are for addresses
      {"example.com", "", false},
      {".", ".", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(!HostProblem(For({c.name}, {}), c.host).has_value(), c.matches)
        << c.name << " for " << c.host;
  }
}

TEST(HasUsableNameTest, AnAddressOfSomebodyOrAName) {
  EXPECT_TRUE(HasUsableName(For({"a"}, {})));
  EXPECT_TRUE(HasUsableName(For({}, {"10.0.0.1"})));
  EXPECT_FALSE(HasUsableName(For({}, {"0.0.0.0"})));
  EXPECT_FALSE(HasUsableName(For({}, {"::"})));
  EXPECT_FALSE(HasUsableName(For({}, {})));
}

TEST(NameListTest, NamesBeforeAddresses) {
  EXPECT_EQ(NameList(For({"b", "a"}, {"10.0.0.1"})), "b, a, 10.0.0.1");
  EXPECT_EQ(NameList(For({}, {})), "no name");
}

}  // namespace
}  // namespace calico::pki
