#include "pkg/pki/issue.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using ::calico::base::IpAddress;
using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

PrivateKey NewKey(KeyAlgorithm algorithm = KeyAlgorithm::kEcdsaP256) {
  return *PrivateKey::Generate(algorithm);
}

const PublicKey& LeafKey() {
  static const PrivateKey* const key = new PrivateKey(NewKey());
  return key->public_key();
}

CertificateTemplate LeafTemplate() {
  CertificateTemplate wanted;
  wanted.common_name = "typha-server";
  wanted.key_usages = {KeyUsage::kDigitalSignature, KeyUsage::kKeyEncipherment};
  wanted.extended_key_usages = {std::string(kOidServerAuth), std::string(kOidClientAuth)};
  wanted.not_before = TestTime() - absl::Minutes(5);
  wanted.not_after = TestTime() + absl::Hours(1);
  return wanted;
}

CertificateTemplate CaTemplate() {
  CertificateTemplate wanted;
  wanted.common_name = "ca";
  wanted.not_before = TestTime();
  wanted.not_after = TestTime() + absl::Hours(100);
  wanted.is_ca = true;
  return wanted;
}

TEST(IssueTest, WritesWhatTheTemplateSays) {
  const TestCa ca("issuer");
  CertificateTemplate wanted = LeafTemplate();
  wanted.subject = {{"O", "Example"}, {"OU", "x"}};
  wanted.dns_names = {"a.example", "b.example"};
  wanted.ip_addresses = {*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("2001:db8::1")};
  wanted.emails = {"a@b.c"};
  wanted.uris = {"spiffe://x/y"};
  const absl::StatusOr<Certificate> leaf = ca.authority().Issue(LeafKey(), wanted, TestTime());
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(leaf->subject(), "CN=typha-server,OU=x,O=Example");
  EXPECT_EQ(leaf->issuer(), "CN=issuer");
  EXPECT_EQ(leaf->dns_names(), wanted.dns_names);
  EXPECT_EQ(leaf->ip_addresses(), wanted.ip_addresses);
  EXPECT_EQ(leaf->emails(), wanted.emails);
  EXPECT_EQ(leaf->uris(), wanted.uris);
  EXPECT_EQ(leaf->key_usages(), wanted.key_usages);
  EXPECT_EQ(leaf->extended_key_usages(), wanted.extended_key_usages);
  EXPECT_EQ(leaf->not_before(), wanted.not_before);
  EXPECT_EQ(leaf->not_after(), wanted.not_after);
  EXPECT_FALSE(leaf->is_ca());
  EXPECT_FALSE(leaf->is_self_signed());
  EXPECT_TRUE(leaf->public_key() == LeafKey());
  EXPECT_EQ(leaf->subject_key_id().size(), 20);
  EXPECT_EQ(leaf->authority_key_id(), ca.certificate().subject_key_id());
  EXPECT_THAT(VerifyChain(*leaf, {}, {ca.certificate()}, ExtendedKeyUsage::kServerAuth, TestTime()),
              IsOk());
}

TEST(IssueTest, OpensslReadsAndVerifiesIt) {
  const TestCa root("root", absl::Now());
  const TestCa middle = root.Intermediate("middle");
  const TestLeaf leaf =
      middle.Leaf({.common_name = "leaf", .dns_names = {"a.example"}, .ip_addresses = {"::1"}});
  const OpensslCommand openssl;
  openssl.Write("root.pem", root.certificate_pem());
  openssl.Write("middle.pem", middle.certificate_pem());
  openssl.Write("leaf.pem", leaf.certificate_pem);
  openssl.Write("key.pem", leaf.key_pem);
  for (const char* purpose : {"sslserver", "sslclient"}) {
    const OpensslCommand::Result result = openssl.Run(
        "verify -x509_strict -purpose {} -CAfile root.pem -untrusted middle.pem leaf.pem", purpose);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_NE(openssl.Run("verify -CAfile root.pem leaf.pem").exit_code, 0);
  const std::string text = openssl.Run("x509 -in leaf.pem -noout -text").output;
  EXPECT_THAT(text, HasSubstr("Version: 3"));
  EXPECT_THAT(text, HasSubstr("X509v3 Basic Constraints: critical\n                CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("DNS:a.example, IP Address:0:0:0:0:0:0:0:1"));
  const std::string serial = openssl.Run("x509 -in leaf.pem -noout -serial").output;
  EXPECT_EQ(serial, "serial=" + leaf.certificate.serial() + "\n");
  EXPECT_EQ(openssl.Run("x509 -in leaf.pem -noout -pubkey").output,
            openssl.Run("pkey -in key.pem -pubout").output);
}

TEST(IssueTest, SerialsAreRandomAndPositive) {
  const TestCa ca;
  std::set<std::string> serials;
  int long_ones = 0;
  for (int i = 0; i < 200; ++i) {
    const Certificate leaf = ca.Issue(LeafKey(), LeafTemplate());
    EXPECT_TRUE(serials.insert(leaf.serial()).second);
    EXPECT_NE(leaf.serial().front(), '-');
    EXPECT_LE(leaf.serial().size(), 32);
    long_ones += leaf.serial().size() == 32 ? 1 : 0;
  }
  EXPECT_GT(long_ones, 180);  // of 128 bits, all but one in 256 need 16 bytes
}

TEST(IssueTest, HashFollowsTheCasKey) {
  const OpensslCommand openssl;
  struct Case {
    KeyAlgorithm algorithm;
    const char* signature;
  };
  const Case kCases[] = {
      {KeyAlgorithm::kRsa2048, "sha256WithRSAEncryption"},
      {KeyAlgorithm::kEcdsaP256, "ecdsa-with-SHA256"},
      {KeyAlgorithm::kEcdsaP384, "ecdsa-with-SHA384"},
      {KeyAlgorithm::kEcdsaP521, "ecdsa-with-SHA512"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.signature);
    PrivateKey key = NewKey(c.algorithm);
    const absl::StatusOr<Certificate> root = SelfSign(key, CaTemplate());
    ASSERT_THAT(root, IsOk());
    const absl::StatusOr<CertificateAuthority> ca =
        CertificateAuthority::Create({*root}, std::move(key));
    ASSERT_THAT(ca, IsOk());
    const absl::StatusOr<Certificate> leaf = ca->Issue(LeafKey(), LeafTemplate(), TestTime());
    ASSERT_THAT(leaf, IsOk());
    for (const Certificate& certificate : {*root, *leaf}) {
      openssl.Write("c.pem", certificate.pem());
      EXPECT_THAT(openssl.Run("x509 -in c.pem -noout -text").output,
                  HasSubstr(std::string("Signature Algorithm: ") + c.signature));
    }
  }
}

TEST(IssueTest, WorksWithAnEd25519Ca) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genpkey -algorithm ED25519 -out k.pem").exit_code, 0);
  absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(openssl.Read("k.pem"));
  ASSERT_THAT(key, IsOk());
  const absl::StatusOr<Certificate> root = SelfSign(*key, CaTemplate());
  ASSERT_THAT(root, IsOk());
  const absl::StatusOr<CertificateAuthority> ca =
      CertificateAuthority::Create({*root}, *std::move(key));
  ASSERT_THAT(ca, IsOk());
  const absl::StatusOr<Certificate> leaf = ca->Issue(LeafKey(), LeafTemplate(), TestTime());
  ASSERT_THAT(leaf, IsOk());
  EXPECT_THAT(VerifyChain(*leaf, {}, {*root}, ExtendedKeyUsage::kAny, TestTime()), IsOk());
}

TEST(IssueTest, NeverOutlivesAnyCaOfTheChain) {
  const TestCa root("root", TestTime(), absl::Hours(10));
  const TestCa middle = root.Intermediate("middle");
  EXPECT_EQ(middle.authority().not_after(), TestTime() + absl::Hours(10));
  CertificateTemplate wanted = LeafTemplate();
  wanted.not_before = TestTime() - absl::Hours(1000);
  wanted.not_after = TestTime() + absl::Hours(1000);
  const absl::StatusOr<Certificate> leaf = middle.authority().Issue(LeafKey(), wanted, TestTime());
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(leaf->not_before(), middle.certificate().not_before());
  EXPECT_EQ(leaf->not_after(), TestTime() + absl::Hours(10));
}

TEST(IssueTest, RefusesWhenTheCaIsNotValid) {
  const TestCa root("root", TestTime(), absl::Hours(10));
  const TestCa middle = root.Intermediate("middle");
  CertificateTemplate wanted = LeafTemplate();
  wanted.not_after = TestTime() + absl::Hours(1000);
  EXPECT_THAT(middle.authority().Issue(LeafKey(), wanted, TestTime() + absl::Hours(11)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("CN=middle"), HasSubstr("valid from 2027-01-13"))));
  EXPECT_THAT(middle.authority().Issue(LeafKey(), wanted, TestTime() - absl::Hours(49)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(IssueTest, RefusesBadTemplates) {
  const TestCa ca;
  struct Case {
    const char* name;
    void (*change)(CertificateTemplate&);
    const char* message;
  };
  const Case kCases[] = {
      {"ends before it begins",
       [](CertificateTemplate& t) { t.not_before = t.not_after + absl::Hours(1); }, "not after"},
      {"in the past",
       [](CertificateTemplate& t) {
         t.not_before = TestTime() - absl::Hours(2);
         t.not_after = TestTime() - absl::Hours(1);
       },
       "would have ended"},
      {"long CN", [](CertificateTemplate& t) { t.common_name = std::string(65, 'x'); }, "CN="},
      {"bad DNS name", [](CertificateTemplate& t) { t.dns_names = {"a b"}; }, "DNS name"},
      {"bad EKU", [](CertificateTemplate& t) { t.extended_key_usages = {"x"}; }, "no identifier"},
      {"path length of a leaf", [](CertificateTemplate& t) { t.path_length = 0; }, "without a CA"},
      {"negative path length",
       [](CertificateTemplate& t) {
         t.is_ca = true;
         t.path_length = -1;
       },
       "path length of -1"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    CertificateTemplate wanted = LeafTemplate();
    c.change(wanted);
    EXPECT_THAT(ca.authority().Issue(LeafKey(), wanted, TestTime()),
                StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(IssueTest, RefusesAWeakKey) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genrsa -out k.pem 1024").exit_code, 0);
  const absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(openssl.Read("k.pem"));
  ASSERT_THAT(key, IsOk());
  EXPECT_THAT(TestCa().authority().Issue(key->public_key(), LeafTemplate(), TestTime()),
              StatusIs(kInvalid, HasSubstr("2048 to 8192 bits")));
  EXPECT_THAT(SelfSign(*key, CaTemplate()), StatusIs(kInvalid, HasSubstr("2048 to 8192 bits")));
}

TEST(IssueTest, KeepsPathLengths) {
  const TestCa root("root");
  const TestCa middle = root.Intermediate("middle", 1);
  const TestCa low = middle.Intermediate("low", std::nullopt);
  CertificateTemplate wanted = CaTemplate();
  EXPECT_THAT(low.authority().Issue(LeafKey(), wanted, TestTime()),
              StatusIs(kInvalid, AllOf(HasSubstr("path length 1"), HasSubstr("CN=middle"))));
  EXPECT_THAT(root.Intermediate("zero", 0).authority().Issue(LeafKey(), wanted, TestTime()),
              StatusIs(kInvalid, HasSubstr("path length 0")));
  EXPECT_THAT(low.authority().Issue(LeafKey(), LeafTemplate(), TestTime()), IsOk());
}

// A CA with an extension that only the command writes.
CertificateAuthority Constrained(const std::string& extension) {
  const OpensslCommand openssl;
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out ca.pem -days "
      "36500 -subj /O=Example/CN=constrained -addext 'keyUsage=critical,keyCertSign' -addext '{}'",
      extension);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return *CertificateAuthority::Create({*Certificate::ParsePem(openssl.Read("ca.pem"))},
                                       *PrivateKey::ParsePem(openssl.Read("key")));
}

TEST(IssueTest, RefusesWhatTheCasConstraintsForbid) {
  struct Case {
    const char* extension;
    const char* message;  // empty: issued
  };
  const Case cases[] = {
      {"nameConstraints=critical,permitted;DNS:typha-server,permitted;IP:10.0.0.0/255.0.0.0", ""},
      {"nameConstraints=critical,permitted;DNS:example.com",
       "permit only the DNS names \"example.com\", not \"typha-server\""},
      {"nameConstraints=critical,permitted;IP:192.168.0.0/255.255.0.0", "not 10.1.2.3"},
      {"nameConstraints=critical,permitted;IP:fd00::/ff00::", "not 10.1.2.3"},
      {"nameConstraints=critical,excluded;IP:10.1.0.0/255.255.0.0",
       "exclude the IP addresses 10.1.0.0/16, and with it 10.1.2.3"},
      {"extendedKeyUsage=serverAuth", "does not allow clientAuth"},
      {"extendedKeyUsage=anyExtendedKeyUsage", ""},
  };
  CertificateTemplate wanted = LeafTemplate();
  wanted.dns_names = {"typha-server"};
  wanted.ip_addresses = {*IpAddress::Parse("10.1.2.3")};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.extension);
    const CertificateAuthority ca = Constrained(c.extension);
    const absl::Time now = std::max(TestTime(), ca.certificate().not_before());
    wanted.not_before = now - absl::Minutes(5);
    wanted.not_after = now + absl::Hours(1);
    const auto leaf = ca.Issue(LeafKey(), wanted, now);
    const auto peers = [&] {
      return VerifyChain(*leaf, {}, {ca.certificate()}, ExtendedKeyUsage::kClientAuth, now);
    };
    if (std::string(c.message).empty()) {
      ASSERT_THAT(leaf, IsOk());
      EXPECT_THAT(peers(), IsOk()) << "and the verifier agrees";
    } else {
      EXPECT_THAT(leaf, StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr(c.message)));
    }
  }
}

TEST(IssueTest, NoNamesAtAll) {
  const TestCa ca;
  CertificateTemplate wanted = LeafTemplate();
  wanted.common_name = "";
  wanted.dns_names = {"a.example"};
  const Certificate leaf = ca.Issue(LeafKey(), wanted);
  EXPECT_EQ(leaf.subject(), "");
  EXPECT_EQ(leaf.common_name(), "");
  const OpensslCommand openssl;
  openssl.Write("c.pem", leaf.pem());
  EXPECT_THAT(openssl.Run("x509 -in c.pem -noout -text").output,
              HasSubstr("X509v3 Subject Alternative Name: critical"));
}

TEST(IssueTest, FromSeveralThreadsAtOnce) {
  const TestCa ca;
  std::vector<std::thread> threads;
  std::vector<int> issued(4);
  for (int& count : issued) {
    threads.emplace_back([&ca, &count] {
      for (int i = 0; i < 50; ++i) {
        const absl::StatusOr<Certificate> leaf =
            ca.authority().Issue(LeafKey(), LeafTemplate(), TestTime());
        if (leaf.ok() &&
            VerifyChain(*leaf, {}, {ca.certificate()}, ExtendedKeyUsage::kAny, TestTime()).ok()) {
          ++count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(issued, ElementsAre(50, 50, 50, 50));
}

TEST(CertificateAuthorityTest, RefusesWhatCannotSign) {
  const TestCa ca("ca"), other("other");
  const TestLeaf leaf = ca.Leaf({.common_name = "leaf"});
  const auto key = [](const std::string& pem) { return *PrivateKey::ParsePem(pem); };
  EXPECT_THAT(CertificateAuthority::Create({}, NewKey()),
              StatusIs(kInvalid, HasSubstr("no certificate")));
  EXPECT_THAT(CertificateAuthority::Create({ca.certificate()}, NewKey()),
              StatusIs(kInvalid, HasSubstr("another ECDSA-P256 key")));
  EXPECT_THAT(CertificateAuthority::Create({leaf.certificate}, key(leaf.key_pem)),
              StatusIs(kInvalid, HasSubstr("not a CA")));
  EXPECT_THAT(
      CertificateAuthority::Create({ca.certificate(), other.certificate()}, key(ca.key_pem())),
      StatusIs(kInvalid, HasSubstr("was not issued by")));
  EXPECT_THAT(CertificateAuthority::Create({ca.certificate()}, key(ca.key_pem())), IsOk());
}

TEST(CertificateAuthorityTest, RefusesACaWithoutCertSign) {
  const PrivateKey key = NewKey();
  CertificateTemplate wanted = CaTemplate();
  wanted.key_usages = {KeyUsage::kCrlSign};
  const absl::StatusOr<Certificate> root = SelfSign(key, wanted);
  ASSERT_THAT(root, IsOk());
  absl::StatusOr<PrivateKey> same = PrivateKey::ParsePem(key.ToPem().view());
  ASSERT_THAT(same, IsOk());
  EXPECT_THAT(CertificateAuthority::Create({*root}, *std::move(same)),
              StatusIs(kInvalid, HasSubstr("keyCertSign")));
}

TEST(CertificateAuthorityTest, ChainPemLeavesOutTheRoot) {
  const TestCa root("root");
  const TestCa middle = root.Intermediate("middle");
  const TestLeaf direct = root.Leaf({.common_name = "direct"});
  const TestLeaf deep = middle.Leaf({.common_name = "deep"});
  EXPECT_EQ(direct.chain_pem, direct.certificate_pem);
  EXPECT_EQ(deep.chain_pem, deep.certificate_pem + middle.certificate_pem());
}

TEST(SelfSignTest, MakesACa) {
  const PrivateKey key = NewKey();
  const absl::StatusOr<Certificate> root = SelfSign(key, CaTemplate());
  ASSERT_THAT(root, IsOk());
  EXPECT_TRUE(root->is_ca());
  EXPECT_TRUE(root->is_self_signed());
  EXPECT_EQ(root->key_usages(), (KeyUsages{KeyUsage::kCertSign, KeyUsage::kCrlSign}));
  EXPECT_EQ(root->path_length(), std::nullopt);
  EXPECT_EQ(root->authority_key_id(), root->subject_key_id());
  CertificateTemplate limited = CaTemplate();
  limited.path_length = 3;
  const absl::StatusOr<Certificate> other = SelfSign(key, limited);
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->path_length(), 3);
}

}  // namespace
}  // namespace calico::pki
