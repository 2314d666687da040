#include "pkg/pki/verify.h"

#include <string>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::StatusCode kFailed = absl::StatusCode::kFailedPrecondition;
constexpr ExtendedKeyUsage kAny = ExtendedKeyUsage::kAny;
constexpr ExtendedKeyUsage kServer = ExtendedKeyUsage::kServerAuth;
constexpr ExtendedKeyUsage kClient = ExtendedKeyUsage::kClientAuth;

TEST(VerifyChainTest, AcceptsAGoodChain) {
  const TestCa root("root");
  const TestCa middle = root.Intermediate("middle", std::nullopt);
  const TestCa low = middle.Intermediate("low", 0);
  const TestLeaf direct = root.Leaf({.common_name = "direct"});
  const TestLeaf deep = low.Leaf({.common_name = "deep"});
  for (const ExtendedKeyUsage purpose : {kAny, kServer, kClient}) {
    EXPECT_THAT(VerifyChain(direct.certificate, {}, {root.certificate()}, purpose, TestTime()),
                IsOk());
    EXPECT_THAT(VerifyChain(deep.certificate, {low.certificate(), middle.certificate()},
                            {root.certificate()}, purpose, TestTime()),
                IsOk());
    // The order of intermediates and roots does not matter.
    EXPECT_THAT(
        VerifyChain(deep.certificate, {middle.certificate(), low.certificate()},
                    {TestCa("other").certificate(), root.certificate()}, purpose, TestTime()),
        IsOk());
  }
}

TEST(VerifyChainTest, AnIntermediateMayBeTheAnchor) {
  const TestCa root("root");
  const TestCa middle = root.Intermediate("middle");
  const TestLeaf leaf = middle.Leaf({.common_name = "leaf"});
  EXPECT_THAT(VerifyChain(leaf.certificate, {}, {middle.certificate()}, kServer, TestTime()),
              IsOk());
  EXPECT_THAT(VerifyChain(leaf.certificate, {middle.certificate()}, {middle.certificate()}, kServer,
                          TestTime()),
              IsOk());
}

TEST(VerifyChainTest, AnExpiredNamesakeOfTheRootHarmsNobody) {
  const PrivateKey key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256).value();
  const PrivateKey old_key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256).value();
  const auto root = [](const PrivateKey& signer, absl::Duration from, absl::Duration until) {
    return SelfSign(signer, {.common_name = "root",
                             .not_before = TestTime() + from,
                             .not_after = TestTime() + until,
                             .is_ca = true})
        .value();
  };
  const Certificate good = root(key, absl::Hours(-1), absl::Hours(100));
  const Certificate same_key = root(key, absl::Hours(-99), absl::Hours(-9));
  const Certificate other_key = root(old_key, absl::Hours(-99), absl::Hours(-9));
  const CertificateAuthority ca =
      CertificateAuthority::Create({good}, PrivateKey::ParsePem(key.ToPem().view()).value())
          .value();
  const Certificate leaf = ca.Issue(old_key.public_key(),
                                    {.common_name = "leaf",
                                     .not_before = TestTime(),
                                     .not_after = TestTime() + absl::Hours(1)},
                                    TestTime())
                               .value();
  for (const std::vector<Certificate>& roots :
       {std::vector{same_key, good}, {good, same_key}, {other_key, good}, {good, other_key}}) {
    EXPECT_THAT(VerifyChain(leaf, {}, roots, kServer, TestTime()), IsOk());
  }
}

TEST(VerifyChainTest, RefusesAnUnknownIssuer) {
  const TestCa root("root"), other("other"), namesake("root");
  const TestLeaf leaf = root.Leaf({.common_name = "leaf"});
  EXPECT_THAT(VerifyChain(leaf.certificate, {}, {other.certificate()}, kAny, TestTime()),
              StatusIs(kFailed, AllOf(HasSubstr("issuer certificate"), HasSubstr("CN=leaf"),
                                      HasSubstr("issuer \"CN=root\""))));
  EXPECT_THAT(VerifyChain(leaf.certificate, {}, {namesake.certificate()}, kAny, TestTime()),
              StatusIs(kFailed));
  EXPECT_THAT(VerifyChain(leaf.certificate, {}, {}, kAny, TestTime()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no trusted roots")));
  // A missing intermediate.
  const TestCa middle = root.Intermediate("middle");
  EXPECT_THAT(VerifyChain(middle.Leaf({}).certificate, {}, {root.certificate()}, kAny, TestTime()),
              StatusIs(kFailed, HasSubstr("CN=middle")));
}

TEST(VerifyChainTest, IntermediatesAreNotTrusted) {
  const TestCa root("root"), mine("mine");
  const TestLeaf leaf = mine.Leaf({.common_name = "leaf"});
  EXPECT_THAT(
      VerifyChain(leaf.certificate, {mine.certificate()}, {root.certificate()}, kAny, TestTime()),
      StatusIs(kFailed, HasSubstr("self-signed certificate")));
}

TEST(VerifyChainTest, ChecksValidityAtTheGivenTime) {
  const TestCa ca("root", TestTime(), absl::Hours(72));
  const TestLeaf leaf = ca.Leaf({.common_name = "leaf"});
  const auto verify = [&](absl::Duration offset) {
    return VerifyChain(leaf.certificate, {}, {ca.certificate()}, kAny, TestTime() + offset);
  };
  EXPECT_THAT(verify(absl::Minutes(-59)), IsOk());
  EXPECT_THAT(verify(absl::Minutes(-61)),
              StatusIs(kFailed, AllOf(HasSubstr("not yet valid"), HasSubstr("CN=leaf"),
                                      HasSubstr("not before 2027-01-15"))));
  EXPECT_THAT(verify(absl::Hours(23)), IsOk());
  EXPECT_THAT(verify(absl::Hours(25)),
              StatusIs(kFailed, AllOf(HasSubstr("has expired"), HasSubstr("CN=leaf"),
                                      HasSubstr("not after 2027-01-16"))));
  EXPECT_THAT(verify(absl::Hours(73)), StatusIs(kFailed, HasSubstr("has expired")));
}

TEST(VerifyChainTest, ChecksTheCasValidity) {
  const TestCa root("root", TestTime(), absl::Hours(1));
  CertificateTemplate wanted;
  wanted.common_name = "leaf";
  wanted.not_before = TestTime();
  wanted.not_after = TestTime() + absl::Hours(1000);
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256);
  ASSERT_THAT(key, IsOk());
  const Certificate leaf = root.Issue(key->public_key(), wanted);
  EXPECT_THAT(VerifyChain(leaf, {}, {root.certificate()}, kAny, TestTime() + absl::Hours(2)),
              StatusIs(kFailed, HasSubstr("expired")));
}

TEST(VerifyChainTest, ChecksThePurpose) {
  const TestCa ca;
  const TestLeaf server =
      ca.Leaf({.common_name = "server", .extended_key_usages = {std::string(kOidServerAuth)}});
  const TestLeaf client =
      ca.Leaf({.common_name = "client", .extended_key_usages = {std::string(kOidClientAuth)}});
  const TestLeaf neither =
      ca.Leaf({.common_name = "mail", .extended_key_usages = {std::string(kOidEmailProtection)}});
  const TestLeaf unlimited = ca.Leaf({.common_name = "any", .extended_key_usages = {}});
  const auto verify = [&](const TestLeaf& leaf, ExtendedKeyUsage purpose) {
    return VerifyChain(leaf.certificate, {}, {ca.certificate()}, purpose, TestTime());
  };
  EXPECT_THAT(verify(server, kServer), IsOk());
  EXPECT_THAT(verify(server, kClient),
              StatusIs(kFailed, AllOf(HasSubstr("purpose"), HasSubstr("wanted for clientAuth"),
                                      HasSubstr("[serverAuth]"))));
  EXPECT_THAT(verify(client, kClient), IsOk());
  EXPECT_THAT(verify(client, kServer), StatusIs(kFailed, HasSubstr("purpose")));
  EXPECT_THAT(verify(neither, kServer), StatusIs(kFailed, HasSubstr("[emailProtection]")));
  EXPECT_THAT(verify(neither, kAny), IsOk());
  EXPECT_THAT(verify(unlimited, kServer), IsOk());
  EXPECT_THAT(verify(unlimited, kClient), IsOk());
}

// Certificates that our own issuer would not make, made by the command.
class ForgedChain {
 public:
  // `ca` and `leaf` are extension sections; the CA is signed by itself.
  ForgedChain(std::string_view ca, std::string_view leaf,
              std::string_view key =
                  "ec -pkeyopt "
                  "ec_paramgen_curve:"
                  "P-256",
              std::string_view leaf_options = "") {
    openssl_.Write("x.cnf", fmt::format("[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n[ca]\n{}\n"
                                        "[leaf]\n{}\n",
                                        ca, leaf));
    Must(
        openssl_.Run("req -x509 -newkey {} -nodes -keyout ca.key -subj /CN=forged-ca -config x.cnf "
                     "-extensions ca -days 30 -out ca.pem",
                     key));
    Must(
        openssl_.Run("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout l.key "
                     "-subj /CN=forged-leaf -config x.cnf -out l.csr"));
    Must(
        openssl_.Run("x509 -req -in l.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 "
                     "-extfile x.cnf -extensions leaf {} -out l.pem",
                     leaf_options));
  }
  absl::Status Verify() const {
    absl::StatusOr<Certificate> ca = Certificate::ParsePem(openssl_.Read("ca.pem"));
    absl::StatusOr<Certificate> leaf = Certificate::ParsePem(openssl_.Read("l.pem"));
    if (!ca.ok()) return ca.status();
    if (!leaf.ok()) return leaf.status();
    return VerifyChain(*leaf, {}, {*ca}, kServer, leaf->not_before() + absl::Minutes(1));
  }

 private:
  static void Must(const OpensslCommand::Result& result) {
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }

  OpensslCommand openssl_;
};

constexpr char kCa[] = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";

TEST(VerifyChainTest, ChecksTheCaItself) {
  EXPECT_THAT(ForgedChain(kCa, "").Verify(), IsOk());
  EXPECT_THAT(ForgedChain("basicConstraints=critical,CA:FALSE", "").Verify(),
              StatusIs(kFailed, HasSubstr("invalid CA")));
  EXPECT_THAT(
      ForgedChain("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign", "").Verify(),
      StatusIs(kFailed));
  EXPECT_THAT(ForgedChain(std::string(kCa) + "\nextendedKeyUsage=clientAuth", "").Verify(),
              StatusIs(kFailed, HasSubstr("purpose")));
}

TEST(VerifyChainTest, ChecksCriticalExtensionsAndNameConstraints) {
  EXPECT_THAT(ForgedChain(kCa, "1.2.3.4=critical,ASN1:NULL").Verify(),
              StatusIs(kFailed, HasSubstr("unhandled critical extension")));
  const std::string constrained = std::string(kCa) +
                                  "\nnameConstraints=critical,permitted;DNS:"
                                  "example.com";
  EXPECT_THAT(ForgedChain(constrained, "subjectAltName=DNS:a.example.com").Verify(), IsOk());
  EXPECT_THAT(ForgedChain(constrained, "subjectAltName=DNS:a.example.org").Verify(),
              StatusIs(kFailed, AllOf(HasSubstr("permitted subtree"),
                                      HasSubstr("permit only the DNS names \"example.com\", not "
                                                "\"a.example.org\""))));
  EXPECT_THAT(ForgedChain(std::string(kCa) + "\nnameConstraints=excluded;IP:0.0.0.0/0.0.0.0",
                          "subjectAltName=IP:10.1.2.3")
                  .Verify(),
              StatusIs(kFailed, HasSubstr("exclude the IP addresses 0.0.0.0/0, and with it "
                                          "10.1.2.3")));
}

TEST(VerifyChainTest, ACaForAnyPurposeLimitsNothing) {
  const std::string any = std::string(kCa) + "\nextendedKeyUsage=anyExtendedKeyUsage";
  EXPECT_THAT(ForgedChain(any, "extendedKeyUsage=serverAuth").Verify(), IsOk());
  EXPECT_THAT(ForgedChain(any, "extendedKeyUsage=clientAuth").Verify(),
              StatusIs(kFailed, HasSubstr("purpose")));
  EXPECT_THAT(
      ForgedChain("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=anyExtendedKeyUsage",
                  "extendedKeyUsage=serverAuth")
          .Verify(),
      StatusIs(kFailed, HasSubstr("invalid CA")));
}

TEST(VerifyChainTest, ChecksStrength) {
  EXPECT_THAT(ForgedChain(kCa, "", "rsa:1024").Verify(), StatusIs(kFailed, HasSubstr("too weak")));
  EXPECT_THAT(ForgedChain(kCa, "", "rsa:2048", "-sha1").Verify(),
              StatusIs(kFailed, HasSubstr("too weak")));
  EXPECT_THAT(ForgedChain(kCa, "", "rsa:2048", "-sha256").Verify(), IsOk());
}

TEST(VerifyChainTest, ChecksPathLength) {
  // root with pathlen 0, an intermediate below it all the same, and a leaf.
  const OpensslCommand openssl;
  openssl.Write("x.cnf",
                "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n"
                "[root]\nbasicConstraints=critical,CA:TRUE,pathlen:0\n"
                "[ca]\nbasicConstraints=critical,CA:TRUE\n[leaf]\nkeyUsage=digitalSignature\n");
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config x.cnf";
  const std::string commands[] = {
      "req -x509 " + key + " -keyout r.key -subj /CN=root -extensions root -out r.pem",
      "req -new " + key + " -keyout m.key -subj /CN=middle -out m.csr",
      "x509 -req -in m.csr -CA r.pem -CAkey r.key -CAcreateserial -extfile x.cnf -extensions ca "
      "-out m.pem",
      "req -new " + key + " -keyout l.key -subj /CN=leaf -out l.csr",
      "x509 -req -in l.csr -CA m.pem -CAkey m.key -CAcreateserial -extfile x.cnf -extensions leaf "
      "-out l.pem",
  };
  for (const std::string& command : commands) {
    const OpensslCommand::Result result = openssl.Run("{}", command);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  const absl::StatusOr<Certificate> root = Certificate::ParsePem(openssl.Read("r.pem"));
  const absl::StatusOr<Certificate> middle = Certificate::ParsePem(openssl.Read("m.pem"));
  const absl::StatusOr<Certificate> leaf = Certificate::ParsePem(openssl.Read("l.pem"));
  ASSERT_THAT(root, IsOk());
  ASSERT_THAT(middle, IsOk());
  ASSERT_THAT(leaf, IsOk());
  const absl::Time now = leaf->not_before() + absl::Minutes(1);
  EXPECT_THAT(VerifyChain(*leaf, {*middle}, {*root}, kAny, now),
              StatusIs(kFailed, HasSubstr("path length")));
  EXPECT_THAT(VerifyChain(*leaf, {}, {*middle}, kAny, now), IsOk());
}

TEST(VerifyChainTest, AFlippedBitIsNoticed) {
  const TestCa ca;
  const std::string der = ca.Leaf({.common_name = "leaf"}).certificate.der();
  for (size_t bit = 0; bit < der.size() * 8; bit += 3) {
    std::string broken = der;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    const absl::StatusOr<Certificate> leaf = Certificate::ParseDer(broken);
    if (!leaf.ok()) continue;
    EXPECT_FALSE(VerifyChain(*leaf, {}, {ca.certificate()}, kAny, TestTime()).ok()) << bit;
  }
}

TEST(KeyMatchesTest, ComparesKeys) {
  const TestCa ca;
  const TestLeaf a = ca.Leaf({.common_name = "a"}), b = ca.Leaf({.common_name = "b"});
  EXPECT_THAT(KeyMatches(a.certificate, a.key), IsOk());
  EXPECT_THAT(KeyMatches(a.certificate, a.key.public_key()), IsOk());
  EXPECT_THAT(KeyMatches(a.certificate, b.key),
              StatusIs(kFailed, AllOf(HasSubstr("CN=a"), HasSubstr("another ECDSA-P256 key"))));
}

TEST(NamesMatchTest, TellsTheFirstDifference) {
  const TestCa ca;
  const TestLeaf leaf = ca.Leaf({.common_name = "typha", .dns_names = {"typha", "typha.ns.svc"}});
  const std::string names[] = {"typha.ns.svc", "typha"};
  EXPECT_THAT(NamesMatch(leaf.certificate, {.common_name = "typha"}), IsOk())
      << "other names may be there, too";
  EXPECT_THAT(NamesMatch(leaf.certificate, {.common_name = "typha", .dns_names = names}), IsOk());
  EXPECT_THAT(NamesMatch(leaf.certificate, {.common_name = "Typha"}),
              StatusIs(kFailed, "common name: 'typha' instead of 'Typha'"));
  const std::string other[] = {"typha", "typha.ns"};
  EXPECT_THAT(NamesMatch(leaf.certificate, {.common_name = "typha", .dns_names = other}),
              StatusIs(kFailed, "DNS names: 'typha.ns' is missing"));
}

}  // namespace
}  // namespace calico::pki
