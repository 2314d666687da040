#include "operator/calicert/etcd/peer_names.h"

#include <gtest/gtest.h>

#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::etcd {
namespace {

pki::Certificate For(std::vector<std::string> names, std::vector<std::string> addresses) {
  static const pki::TestCa ca;
  return ca.Leaf({.common_name = "member", .dns_names = names, .ip_addresses = addresses})
      .certificate;
}

base::IpAddress Ip(std::string_view text) { return *base::IpAddress::Parse(text); }

TEST(JudgeSourceTest, AddressAsADnsNameCountsLoneStarDoesNot) {
  EXPECT_EQ(JudgeSource(For({"10.0.0.11"}, {}), Ip("10.0.0.11"), {}).verdict,
            SourceVerdict::kAccepted);
  EXPECT_EQ(JudgeSource(For({"*"}, {}), Ip("10.0.0.11"), {}).verdict, SourceVerdict::kRefused);
}

TEST(JudgeSourceTest, NoNamesAreTakenFromEverywhere) {
  EXPECT_EQ(JudgeSource(For({}, {}), Ip("10.0.0.11"), {}).verdict, SourceVerdict::kAccepted);
}

TEST(JudgeSourceTest, OtherAddressesAloneAreRefused) {
  const SourceFinding found = JudgeSource(For({}, {"10.0.0.12"}), Ip("10.0.0.11"), {});
  EXPECT_EQ(found.verdict, SourceVerdict::kRefused);
  EXPECT_EQ(found.reason, "it connects from 10.0.0.11, and its certificate is for 10.0.0.12");
}

TEST(JudgeSourceTest, NameCountsWhereItResolvesToTheSource) {
  const pki::Certificate certificate = For({"member-1"}, {"10.0.0.12"});
  Lookups lookups;
  const SourceFinding unknown = JudgeSource(certificate, Ip("10.0.0.11"), lookups);
  EXPECT_EQ(unknown.verdict, SourceVerdict::kDepends);
  EXPECT_EQ(unknown.reason,
            "it connects from 10.0.0.11, which is taken only where member-1 has the address "
            "10.0.0.11");
  lookups.addresses["member-1"] = {Ip("10.0.0.11")};
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kAccepted);
  lookups.addresses["member-1"] = {Ip("10.0.0.13")};
  lookups.names[Ip("10.0.0.11")] = {};
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kRefused);
  lookups.names[Ip("10.0.0.11")] = {"member-1."};
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kAccepted);
}

TEST(JudgeSourceTest, WildcardCountsOnlyByTheNameOfTheAddress) {
  const pki::Certificate certificate = For({"*.etcd.example.com"}, {});
  Lookups lookups;
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kDepends);
  lookups.names[Ip("10.0.0.11")] = {"member-1.example.com."};
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kRefused);
  lookups.names[Ip("10.0.0.11")] = {"member-1.etcd.example.com."};
  EXPECT_EQ(JudgeSource(certificate, Ip("10.0.0.11"), lookups).verdict, SourceVerdict::kAccepted);
}

}  // namespace
}  // namespace calico::calicert::etcd
