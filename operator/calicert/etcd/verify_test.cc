#include "operator/calicert/etcd/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kServer = {std::string(pki::kOidServerAuth)};
const std::vector<std::string> kClient = {std::string(pki::kOidClientAuth)};
const std::vector<std::string> kBoth = {std::string(pki::kOidServerAuth),
                                        std::string(pki::kOidClientAuth)};

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() : ca_("etcd-ca") {
    cluster_.client_ca = {"ca.pem", {ca_.certificate()}};
    cluster_.peer_ca = cluster_.client_ca;
    for (int i = 1; i <= 3; ++i) {
      const std::string host = "10.0.0.1" + std::to_string(i);
      const std::string name = "etcd-" + std::to_string(i);
      MemberCertificates member{.name = name, .client_hosts = {host}, .peer_hosts = {host}};
      member.server = Of(name + ".pem", {.common_name = name, .ip_addresses = {host}});
      member.peer = Of("peer-" + name + ".pem", {.common_name = name, .ip_addresses = {host}});
      cluster_.members.push_back(member);
    }
  }

  Shown Of(std::string file, const pki::TestLeafOptions& options) const {
    pki::TestLeafOptions lasting = options;
    if (lasting.valid_until_now == absl::Hours(24)) lasting.valid_until_now = absl::Hours(24 * 90);
    return {std::move(file), {ca_.Leaf(lasting).certificate}};
  }
  // "error usage peer-1.pem < etcd-2, etcd-3"
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const Finding& finding : Verify(cluster_, lookups_, pki::TestTime())) {
      EXPECT_FALSE(finding.reason.empty());
      EXPECT_TRUE(finding.severity != Severity::kError || !finding.advice.empty());
      lines.push_back(std::string(ToString(finding.severity)) + " " + finding.check + " " +
                      finding.file + (finding.refuser.empty() ? "" : " < " + finding.refuser));
    }
    return lines;
  }
  std::string Reasons() const {
    std::string text;
    for (const Finding& finding : Verify(cluster_, lookups_, pki::TestTime())) {
      text += finding.role + ": " + finding.reason + " -> " + finding.advice + "\n";
    }
    return text;
  }

  pki::TestCa ca_;
  ClusterCertificates cluster_;
  Lookups lookups_;
};

TEST_F(VerifyTest, GoodClusterHasNoFindings) {
  cluster_.users.push_back(
      {Of("alice.pem", {.common_name = "alice", .extended_key_usages = kClient}), "alice"});
  cluster_.grpc_proxies.push_back(Of("proxy.pem", {.extended_key_usages = kClient}));
  cluster_.proxies.push_back(
      {Of("proxy1.pem", {.dns_names = {"localhost"}, .extended_key_usages = kServer}),
       "proxy1",
       {"localhost"}});
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(VerifyTest, PeerWithoutClientAuthIsRefusedByTheOthers) {
  cluster_.members[0].peer =
      Of("peer-1.pem", {.ip_addresses = {"10.0.0.11"}, .extended_key_usages = kServer});
  EXPECT_THAT(Lines(), ElementsAre("error usage peer-1.pem < etcd-2, etcd-3"));
  EXPECT_THAT(Reasons(), HasSubstr("peer of etcd-1: it lacks clientAuth"));
}

TEST_F(VerifyTest, ServerWithoutClientAuthIsRefusedByItsOwnGateway) {
  cluster_.members[0].server =
      Of("member-1.pem", {.ip_addresses = {"10.0.0.11"}, .extended_key_usages = kServer});
  EXPECT_THAT(Lines(), ElementsAre("warning usage member-1.pem < etcd-1's own gateway"));
  cluster_.client_cert_auth = false;
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(VerifyTest, ClientCertificateIsNoServer) {
  cluster_.members[0].server =
      Of("user.pem",
         {.common_name = "alice", .ip_addresses = {"10.0.0.11"}, .extended_key_usages = kClient});
  EXPECT_THAT(Lines(), ElementsAre("error usage user.pem < every client"));
}

TEST_F(VerifyTest, NoUsagesAllowEverything) {
  cluster_.members[0].server =
      Of("no-eku.pem", {.ip_addresses = {"10.0.0.11"}, .extended_key_usages = {}});
  cluster_.members[0].peer =
      Of("no-eku.pem", {.ip_addresses = {"10.0.0.11"}, .extended_key_usages = {}});
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(VerifyTest, WildcardForMembersThatAreDialledByAddress) {
  cluster_.members[0].peer = Of("wildcard.pem", {.dns_names = {"*.etcd.example.com"}});
  EXPECT_THAT(Lines(), ElementsAre("error host wildcard.pem < etcd-2, etcd-3",
                                   "warning source wildcard.pem < etcd-2, etcd-3"));
  EXPECT_THAT(Reasons(), HasSubstr("10.0.0.11 resolves back to a name below etcd.example.com"));
}

TEST_F(VerifyTest, WildcardByNameStillNeedsTheReverseLookUp) {
  MemberCertificates& member = cluster_.members[0];
  member.peer_hosts = {"member-1.etcd.example.com"};
  member.peer = Of("wildcard.pem", {.dns_names = {"*.etcd.example.com"}});
  EXPECT_THAT(Lines(), ElementsAre("warning source wildcard.pem < etcd-2, etcd-3"));
  const base::IpAddress address = *base::IpAddress::Parse("10.0.0.11");
  lookups_.addresses["member-1.etcd.example.com"] = {address};
  lookups_.names[address] = {};
  EXPECT_THAT(Lines(), ElementsAre("error source wildcard.pem < etcd-2, etcd-3"));
  lookups_.names[address] = {"member-1.etcd.example.com."};
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(VerifyTest, UnspecifiedAddressIsNobodys) {
  cluster_.members[0].peer = Of("zero.pem", {.ip_addresses = {"0.0.0.0"}});
  EXPECT_THAT(Lines(), ElementsAre("error host zero.pem < etcd-2, etcd-3",
                                   "error source zero.pem < etcd-2, etcd-3"));
}

TEST_F(VerifyTest, UselessNamesAreToldWithoutKnowingTheUrls) {
  cluster_.members[0].client_hosts.clear();
  cluster_.members[0].peer_hosts.clear();
  EXPECT_THAT(Lines(), IsEmpty());
  cluster_.members[0].server = Of("zero.pem", {.ip_addresses = {"0.0.0.0"}});
  cluster_.members[0].peer = Of("none.pem", {.common_name = "10.0.0.11"});
  EXPECT_THAT(Lines(), ElementsAre("error host zero.pem < every client",
                                   "error host none.pem < etcd-2, etcd-3"));
}

TEST_F(VerifyTest, MembersWithNamesOfTheirOwnMachineOnlyAreNotFoundByOthers) {
  for (MemberCertificates& member : cluster_.members) {
    member.client_hosts.clear();
    member.peer_hosts.clear();
  }
  cluster_.members[0].server =
      Of("here.pem", {.dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1", "::1"}});
  cluster_.members[1].peer = Of("peer-here.pem", {.dns_names = {"localhost"}});
  EXPECT_THAT(Lines(), ElementsAre("warning host here.pem < every client",
                                   "warning host peer-here.pem < etcd-1, etcd-3"));
  EXPECT_THAT(Reasons(), HasSubstr("it is for localhost, 127.0.0.1, ::1 only, by which nobody on "
                                   "another machine dials it"));
  cluster_.members.resize(1);
  EXPECT_THAT(Lines(), IsEmpty()) << "one member may be for this machine";
}

TEST_F(VerifyTest, CommonNameIsNoHost) {
  cluster_.members[0].peer = Of("cn-only.pem", {.common_name = "10.0.0.11"});
  EXPECT_THAT(Lines(), ElementsAre("error host cn-only.pem < etcd-2, etcd-3"));
  EXPECT_THAT(Reasons(), HasSubstr("its common name is, but that does not count"));
}

// A leaf that OpenSSL makes, with extensions that our own code would refuse to write.
pki::Certificate OddLeaf(const std::string& ca_pem, std::string_view ca_key_pem,
                         std::string_view extensions) {
  const pki::OpensslCommand openssl;
  openssl.Write("ca.pem", ca_pem);
  openssl.Write("ca-key.pem", ca_key_pem);
  openssl.Write("ext", extensions);
  const auto made = openssl.Run(
      "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=*' -keyout k.pem "
      "-out r.csr && openssl x509 -req -in r.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial "
      "-days 90 -extfile ext -out leaf.pem");
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return *pki::Certificate::ParsePem(openssl.Read("leaf.pem"));
}

TEST_F(VerifyTest, EmptyDnsNameMatchesNothing) {
  const absl::Time now = absl::Now();  // what the openssl command signs begins now
  const pki::TestCa ca("etcd-ca", now);
  cluster_.client_ca = cluster_.peer_ca = {"ca.pem", {ca.certificate()}};
  cluster_.members.resize(1);
  cluster_.members[0].server.reset();
  cluster_.members[0].peer =
      Shown{"star.pem",
            {OddLeaf(ca.certificate_pem(), ca.key_pem(),
                     "subjectAltName=DER:30028200\nextendedKeyUsage=serverAuth,clientAuth\n")}};
  const std::vector<Finding> found = Verify(cluster_, lookups_, now + absl::Minutes(1));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].check, "host");
  EXPECT_EQ(found[0].refuser, "every other member");
  EXPECT_THAT(found[0].reason, HasSubstr("it is for \"\""));
  EXPECT_THAT(found[0].reason, HasSubstr("its common name \"*\" matches nothing"));
  EXPECT_EQ(found[1].check, "source");
  EXPECT_EQ(found[1].severity, Severity::kError);
}

TEST_F(VerifyTest, ForeignCaIsToldFromOneMadeAnew) {
  const pki::TestCa foreign("other-ca");
  const pki::TestCa anew("etcd-ca");
  const auto leaf = [](const pki::TestCa& ca) {
    return ca.Leaf({.common_name = "alice", .valid_until_now = absl::Hours(24 * 90)}).certificate;
  };
  cluster_.users.push_back({{"a.pem", {leaf(foreign)}}, "alice"});
  cluster_.users.push_back({{"b.pem", {leaf(anew)}}, "alice"});
  EXPECT_THAT(Lines(),
              ElementsAre("error chain a.pem < every member", "error chain b.pem < every member"));
  EXPECT_THAT(Reasons(), HasSubstr("its issuer \"CN=other-ca\" is not in ca.pem"));
  EXPECT_THAT(Reasons(), HasSubstr("with another key: the CA has been made anew"));
}

TEST_F(VerifyTest, IntermediateThatIsSentCompletesTheChain) {
  const pki::TestCa below = ca_.Intermediate("issuing");
  const pki::Certificate leaf =
      below.Leaf({.common_name = "alice", .valid_until_now = absl::Hours(24 * 90)}).certificate;
  cluster_.users.push_back({{"a.pem", {leaf}}, "alice"});
  EXPECT_THAT(Lines(), ElementsAre("error chain a.pem < every member"));
  cluster_.users[0].shown.chain.push_back(below.certificate());
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(VerifyTest, ClockOfOneCertificate) {
  cluster_.users.push_back({Of("old.pem", {.common_name = "alice",
                                           .valid_from_now = absl::Hours(-48),
                                           .valid_until_now = absl::Hours(-1)}),
                            "alice"});
  cluster_.users.push_back(
      {Of("new.pem", {.common_name = "alice", .valid_from_now = absl::Hours(1)}), "alice"});
  cluster_.users.push_back(
      {Of("soon.pem", {.common_name = "alice", .valid_until_now = absl::Hours(23)}), "alice"});
  EXPECT_THAT(Lines(), ElementsAre("error clock old.pem < every member",
                                   "error clock new.pem < every member", "warning clock soon.pem"));
}

TEST_F(VerifyTest, CaWithoutClientAuthLimitsPeersAndUsersOnly) {
  const absl::Time now = absl::Now();
  const pki::TestCa root("etcd-ca", now);
  const pki::PrivateKey key = *pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256);
  const pki::Certificate limited =
      root.Issue(key.public_key(), {.common_name = "limited",
                                    .subject = {},
                                    .key_usages = {pki::KeyUsage::kCertSign},
                                    .extended_key_usages = kServer,
                                    .not_before = now - absl::Minutes(30),
                                    .not_after = now + absl::Hours(24 * 200),
                                    .is_ca = true});
  const std::vector<pki::Certificate> chain = {
      OddLeaf(limited.pem(), key.ToPem().view(),
              "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:10.0.0.11\n"),
      limited};
  const Trust trust = {"ca.pem", {root.certificate()}};
  const absl::Time later = now + absl::Minutes(1);
  EXPECT_THAT(CheckChain(chain, trust, pki::ExtendedKeyUsage::kServerAuth, later), IsEmpty());
  const auto problems = CheckChain(chain, trust, pki::ExtendedKeyUsage::kClientAuth, later);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].check, "usage");
  EXPECT_THAT(problems[0].reason, HasSubstr("its CA \"CN=limited\" is limited to serverAuth"));
}

TEST_F(VerifyTest, UserIsItsCommonName) {
  cluster_.users.push_back({Of("none.pem", {}), "alice"});
  cluster_.users.push_back({Of("other.pem", {.common_name = "bob"}), "alice"});
  cluster_.users.push_back({Of("etcd.pem", {.common_name = "etcd"}), ""});
  EXPECT_THAT(Lines(), ElementsAre("error user none.pem < every member",
                                   "error user other.pem < every member", "warning user etcd.pem"));
  cluster_.users.clear();
  cluster_.users.push_back({Of("alice.pem", {.common_name = "alice"}), "alice"});
  cluster_.known_users = {"root", "bob"};
  EXPECT_THAT(Lines(), ElementsAre("error user alice.pem < every member"));
  EXPECT_THAT(Reasons(), HasSubstr("etcdctl user add alice --no-password"));
}

TEST_F(VerifyTest, MemberWhoseCommonNameIsAUserIsToldOf) {
  cluster_.members[0].server =
      Of("member.pem", {.common_name = "root", .ip_addresses = {"10.0.0.11"}});
  EXPECT_THAT(Lines(), ElementsAre("warning user member.pem"));
}

TEST_F(VerifyTest, AllowedCommonNameOfPeers) {
  cluster_.allowed_cn = "etcd-1";
  EXPECT_THAT(Lines(), ElementsAre("error user peer-etcd-2.pem < etcd-1, etcd-3",
                                   "error user peer-etcd-3.pem < etcd-1, etcd-2"));
}

TEST_F(VerifyTest, GrpcProxyMustNotHaveACommonName) {
  cluster_.grpc_proxies.push_back(Of("proxy.pem", {.common_name = "etcd"}));
  EXPECT_THAT(Lines(), ElementsAre("error user proxy.pem < grpc-proxy itself"));
}

TEST_F(VerifyTest, CertificateThatIsTrustedItselfIsTaken) {
  cluster_.members.resize(1);
  cluster_.client_ca = cluster_.peer_ca = {"self.pem", cluster_.members[0].peer->chain};
  cluster_.members[0].server = cluster_.members[0].peer;
  for (const Finding& finding : Verify(cluster_, lookups_, pki::TestTime())) {
    EXPECT_NE(finding.severity, Severity::kError) << finding.reason;
  }
}

TEST_F(VerifyTest, LeafAsCaIsTold) {
  cluster_.client_ca = {"ca.pem", {ca_.Leaf({.common_name = "x"}).certificate}};
  cluster_.members.clear();
  const std::vector<std::string> lines = Lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "warning chain ca.pem");
}

}  // namespace
}  // namespace calico::calicert::etcd
