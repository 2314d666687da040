#include "pkg/pki/ca/ca_check.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

CaDemands Demands() {
  return {.usages = {{std::string(kOidServerAuth), "calico-typha"},
                     {std::string(kOidClientAuth), "calico-node"}},
          .names = {"typha-client", "typha-server"},
          .has_ip_addresses = true};
}

PrivateKey NewKey() { return PrivateKey::Generate(KeyAlgorithm::kEcdsaP256).value(); }

PrivateKey Copy(const PrivateKey& key) { return PrivateKey::ParsePem(key.ToPem().view()).value(); }

Certificate SelfSigned(CertificateTemplate wanted, const PrivateKey& key = NewKey()) {
  if (wanted.common_name.empty()) wanted.common_name = "odd";
  wanted.is_ca = true;
  if (wanted.not_before == absl::Time()) wanted.not_before = TestTime() - absl::Hours(1);
  if (wanted.not_after == absl::Time()) wanted.not_after = TestTime() + absl::Hours(9000);
  return SelfSign(key, wanted).value();
}

Certificate Expired(const PrivateKey& key = NewKey()) {
  return SelfSigned({.common_name = "old",
                     .not_before = TestTime() - absl::Hours(48),
                     .not_after = TestTime() - absl::Hours(24)},
                    key);
}
Certificate Future(const PrivateKey& key = NewKey()) {
  return SelfSigned({.common_name = "next", .not_before = TestTime() + absl::Hours(24)}, key);
}

// A CA with an extension that only the `openssl` command writes.
Certificate WithExtension(const std::string& extension) {
  const OpensslCommand openssl;
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out ca.pem -days "
      "36500 -subj /O=Example/CN=constrained -addext 'keyUsage=critical,keyCertSign' -addext '{}'",
      extension);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return Certificate::ParsePem(openssl.Read("ca.pem")).value();
}

TEST(CaProblemsTest, AnExtendedKeyUsageMustHaveWhatIsNeeded) {
  struct Case {
    std::vector<std::string> usages;
    std::vector<const char*> missing;
  };
  const Case cases[] = {
      {{}, {}},
      {{std::string(kOidAnyExtendedKeyUsage)}, {}},
      {{std::string(kOidServerAuth), std::string(kOidClientAuth)}, {}},
      {{std::string(kOidServerAuth)}, {"lacks clientAuth, which calico-node needs"}},
      {{std::string(kOidClientAuth)}, {"lacks serverAuth, which calico-typha needs"}},
      {{std::string(kOidCodeSigning)}, {"serverAuth", "calico-typha", "clientAuth", "calico-node"}},
  };
  for (const Case& c : cases) {
    const auto problems = CaProblems(SelfSigned({.extended_key_usages = c.usages}), Demands());
    ASSERT_THAT(problems, SizeIs(c.missing.empty() ? 0 : 1));
    for (const char* text : c.missing) EXPECT_THAT(problems[0], HasSubstr(text));
  }
}

TEST(CaProblemsTest, NameConstraintsAreNamedWithTheNamesTheyExclude) {
  struct Case {
    const char* extension;
    std::vector<const char*> texts;  // all in one problem; empty: none
  };
  const Case cases[] = {
      {"nameConstraints=critical,permitted;DNS:example.com",
       {"\"example.com\"", "\"typha-client\"", "\"typha-server\""}},
      {"nameConstraints=critical,permitted;DNS:typha-client,permitted;DNS:typha-server", {}},
      {"nameConstraints=critical,permitted;DNS:TYPHA-client,permitted;DNS:typha-server", {}},
      {"nameConstraints=permitted;DNS:typha-client", {"not \"typha-server\""}},
      {"nameConstraints=critical,excluded;DNS:typha-server", {"exclude", "\"typha-server\""}},
      {"nameConstraints=critical,excluded;DNS:example.com", {}},
      {"nameConstraints=critical,permitted;email:example.com", {}},
      {"nameConstraints=critical,excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::", {}},
      {"nameConstraints=critical,excluded;IP:0.0.0.0/0.0.0.0", {}},
      {"nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0", {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.extension);
    const auto problems = CaProblems(WithExtension(c.extension), Demands());
    ASSERT_THAT(problems, SizeIs(c.texts.empty() ? 0 : 1)) << problems[0];
    for (const char* text : c.texts) EXPECT_THAT(problems[0], HasSubstr(text));
  }
}

TEST(CaBundleTest, AddressesThatAreNotPermittedAreANote) {
  CaDemands demands = Demands();
  for (const char* address : {"10.1.2.3", "192.168.1.5", "fd00::5"}) {
    demands.ip_addresses.push_back(base::IpAddress::Parse(address).value());
  }
  const auto check = [&](const char* extension) {
    const Certificate ca = WithExtension(extension);
    return CheckCaBundle({ca}, demands, std::max(TestTime(), ca.not_before()));
  };
  const CaFindings ten = check("nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0");
  EXPECT_THAT(ten.problems, IsEmpty());
  EXPECT_THAT(ten.notes, ElementsAre(AllOf(HasSubstr("permit only the IP addresses 10.0.0.0/8"),
                                           HasSubstr("not 192.168.1.5, fd00::5"))));
  const CaFindings none =
      check("nameConstraints=critical,excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::");
  EXPECT_THAT(none.problems, IsEmpty());
  EXPECT_THAT(none.notes, ElementsAre(HasSubstr("permits no IP address")));
}

TEST(CaProblemsTest, WhatGoCannotReadIsAProblem) {
  const auto problems =
      CaProblems(WithExtension("1.3.6.1.4.1.99999.2=critical,DER:0500"), Demands());
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0], AllOf(HasSubstr("Go"), HasSubstr("1.3.6.1.4.1.99999.2")));
}

TEST(CaBundleTest, InARolloverTheOtherOnesAreNotes) {
  const Certificate good = SelfSigned({.common_name = "good"});
  const CaFindings old = CheckCaBundle({good, Expired()}, Demands(), TestTime());
  EXPECT_THAT(old.problems, IsEmpty());
  EXPECT_THAT(old.notes,
              ElementsAre(HasSubstr("certificate 2 of 2 (CN=old) expired on 2027-01-14")));
  const CaFindings next = CheckCaBundle({Future(), good}, Demands(), TestTime());
  EXPECT_THAT(next.problems, IsEmpty());
  EXPECT_THAT(
      next.notes,
      ElementsAre(HasSubstr("certificate 1 of 2 (CN=next) is not valid before 2027-01-16")));
  EXPECT_EQ(next.recheck_at, TestTime() + absl::Hours(24) + absl::Seconds(1));
}

TEST(CaBundleTest, WhenNoneIsValidEachDateIsAProblem) {
  const CaFindings findings = CheckCaBundle({Expired(), Future()}, Demands(), TestTime());
  EXPECT_THAT(findings.problems,
              ElementsAre(HasSubstr("certificate 1 of 2 (CN=old) expired on 2027-01-14"),
                          HasSubstr("(CN=next) is not valid before 2027-01-16")));
  EXPECT_THAT(findings.notes, IsEmpty());
}

TEST(CaBundleTest, AnExpiredMemberIsJudgedByNothingElse) {
  const TestCa ca("root");
  const TestLeaf leaf = ca.Leaf({.common_name = "leaf",
                                 .valid_from_now = absl::Hours(-1),
                                 .valid_until_now = absl::Hours(1)});
  const std::vector<Certificate> bundle = {ca.certificate(), leaf.certificate};
  EXPECT_THAT(CheckCaBundle(bundle, Demands(), TestTime()).problems,
              ElementsAre(HasSubstr("certificate 2 of 2 (CN=leaf) is not a CA")));
  EXPECT_THAT(CheckCaBundle(bundle, Demands(), TestTime() + absl::Hours(2)).problems, IsEmpty());
}

// A root with path length 0 and a CA below it, which our own CAs would not make.
struct TooDeep {
  Certificate root;
  CertificateAuthority issuing;
};
TooDeep MakeTooDeep(int days) {
  const PrivateKey key = NewKey();
  Certificate root = SelfSigned({.common_name = "root", .is_ca = true, .path_length = 0}, key);
  const OpensslCommand openssl;
  openssl.Write("root.pem", root.pem());
  openssl.Write("root.key", std::string(key.ToPem().view()));
  openssl.Write("ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  const auto made = openssl.Run(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out r -subj /CN=issuing "
      "&& openssl x509 -req -in r -CA root.pem -CAkey root.key -CAcreateserial -extfile ext "
      "-days {} -out issuing.pem",
      days);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return {std::move(root),
          CertificateAuthority::Create({Certificate::ParsePem(openssl.Read("issuing.pem")).value()},
                                       PrivateKey::ParsePem(openssl.Read("k")).value())
              .value()};
}

TEST(CaBundleTest, APathLengthThatForbidsWhatIsTrustedItselfIsANote) {
  const TooDeep made = MakeTooDeep(36500);
  const Certificate& issuing = made.issuing.certificate();
  const absl::Time now = std::max(TestTime(), issuing.not_before());
  const CaFindings findings = CheckCaBundle({issuing, made.root}, Demands(), now);
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_THAT(findings.notes,
              ElementsAre(AllOf(HasSubstr("certificate 2 of 2 (CN=root) has a path length of 0"),
                                HasSubstr("forbids certificate 1 of 2 (CN=issuing)"))));
  const auto leaf = made.issuing.Issue(NewKey().public_key(),
                                       {.common_name = "leaf",
                                        .extended_key_usages = {std::string(kOidClientAuth)},
                                        .not_before = now,
                                        .not_after = now + absl::Hours(1)},
                                       now);
  ASSERT_THAT(leaf, IsOk());
  const auto verify = [&](const std::vector<Certificate>& roots) {
    return VerifyChain(*leaf, {issuing}, roots, ExtendedKeyUsage::kClientAuth, now);
  };
  EXPECT_THAT(verify({issuing, made.root}), IsOk());
  EXPECT_THAT(verify({made.root, issuing}), IsOk());
  EXPECT_THAT(verify({made.root}), StatusIs(absl::StatusCode::kFailedPrecondition));
  const TestCa good("good");
  EXPECT_THAT(CheckCaBundle({good.Intermediate("a").certificate(), good.certificate()}, Demands(),
                            TestTime())
                  .notes,
              IsEmpty());
}

TEST(CaBundleTest, APathLengthDoesNotRegardWhatHasExpired) {
  const TooDeep made = MakeTooDeep(1);
  const Certificate& issuing = made.issuing.certificate();
  const absl::Time now = std::max(TestTime(), issuing.not_after() + absl::Hours(1));
  const CaFindings findings = CheckCaBundle({issuing, made.root}, Demands(), now);
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_THAT(findings.notes, ElementsAre(HasSubstr("(CN=issuing) expired on")));
}

TEST(CaChainTest, TheValidCertificateThatFitsTheKeyIsTakenWhateverItsPlace) {
  const PrivateKey key = NewKey();
  const Certificate ca = SelfSigned({.common_name = "now"}, key);
  const Certificate same_key_expired = Expired(key);
  const Certificate other_expired = Expired();
  struct Case {
    std::vector<Certificate> file;
    size_t index;
  };
  for (const Case& c : {Case{{ca}, 0}, Case{{ca, other_expired}, 0}, Case{{other_expired, ca}, 1},
                        Case{{same_key_expired, ca}, 1}, Case{{Future(key), ca}, 1}}) {
    const auto chain = ChooseCaChain(c.file, key.public_key(), TestTime());
    ASSERT_THAT(chain, IsOk());
    EXPECT_THAT(chain->indices, ElementsAre(c.index));
    EXPECT_THAT(chain->notes, SizeIs(c.file.size() - 1));
  }
}

TEST(CaChainTest, TheValidOnesAboveAreInOrder) {
  const TestCa root("root");
  const TestCa issuing = root.Intermediate("issuing");
  const auto chain = ChooseCaChain({root.certificate(), Expired(), issuing.certificate()},
                                   issuing.certificate().public_key(), TestTime());
  ASSERT_THAT(chain, IsOk());
  EXPECT_THAT(chain->indices, ElementsAre(2, 0));
  EXPECT_THAT(chain->notes, ElementsAre(HasSubstr("certificate 2 of 3 (CN=old) expired on")));
}

TEST(CaChainTest, OfSeveralValidOnesForTheKeyTheLastToEndSigns) {
  const PrivateKey key = NewKey();
  const Certificate old = SelfSigned({.common_name = "ca"}, key);
  const Certificate renewed =
      SelfSigned({.common_name = "ca", .not_after = TestTime() + absl::Hours(20000)}, key);
  const auto second = ChooseCaChain({old, renewed}, key.public_key(), TestTime());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(second->indices, ElementsAre(1));
  EXPECT_THAT(second->notes, ElementsAre(HasSubstr("certificate 1 of 2 (CN=ca) is for the key "
                                                   "too, but of such the one that ends last")));
  EXPECT_THAT(ChooseCaChain({renewed, old}, key.public_key(), TestTime())->indices, ElementsAre(0));
}

// A CA below the key of "cross", which has a certificate of its own that lasts and another one,
// issued by a further CA, that ends after an hour.
TEST(CaChainTest, AnExpiredCrossCertificateAboveIsANote) {
  const TestCa top("top");
  const PrivateKey key = NewKey();
  const Certificate own = SelfSigned({.common_name = "cross"}, key);
  const Certificate cross = top.Issue(key.public_key(), {.common_name = "cross",
                                                         .not_before = TestTime(),
                                                         .not_after = TestTime() + absl::Hours(1),
                                                         .is_ca = true});
  const PrivateKey ca_key = NewKey();
  const Certificate ca = CertificateAuthority::Create({own}, Copy(key))
                             ->Issue(ca_key.public_key(),
                                     {.common_name = "ca",
                                      .not_before = TestTime(),
                                      .not_after = TestTime() + absl::Hours(5000),
                                      .is_ca = true},
                                     TestTime())
                             .value();
  const auto choose = [&](const std::vector<Certificate>& file, absl::Duration after) {
    return ChooseCaChain(file, ca_key.public_key(), TestTime() + after);
  };
  EXPECT_THAT(choose({ca, cross}, absl::ZeroDuration())->indices, ElementsAre(0, 1));
  const auto later = choose({ca, cross}, absl::Hours(2));
  ASSERT_THAT(later, IsOk());
  EXPECT_THAT(later->indices, ElementsAre(0));
  EXPECT_THAT(later->notes, ElementsAre(AllOf(HasSubstr("2 of 2 (CN=cross) expired on 2027-01-15"),
                                              HasSubstr("stands above the CA: it is not sent"))));
  const auto both = choose({ca, cross, own}, absl::ZeroDuration());
  EXPECT_THAT(both->indices, ElementsAre(0, 2)) << "the one that ends last";
  EXPECT_THAT(choose({ca, cross, own}, absl::Hours(2))->notes,
              ElementsAre(AllOf(HasSubstr("(CN=cross) expired on"), Not(HasSubstr("above")))));
  EXPECT_THAT(both->notes, ElementsAre(HasSubstr("(CN=cross) is above the CA too")));
}

TEST(CaChainTest, ARenewedRootThatTheSerialDoesNotNameIsLeftOut) {
  const OpensslCommand openssl;
  openssl.Write("ext",
                "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                "authorityKeyIdentifier=keyid,issuer:always\n");
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out old.pem "
      "-days 36500 -subj /CN=root && openssl req -x509 -key root.key -out new.pem -days 36500 "
      "-subj /CN=root && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
      "key -out r -subj /CN=issuing && openssl x509 -req -in r -CA old.pem -CAkey root.key "
      "-CAcreateserial -extfile ext -days 36500 -out issuing.pem");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Certificate issuing = Certificate::ParsePem(openssl.Read("issuing.pem")).value();
  const Certificate old = Certificate::ParsePem(openssl.Read("old.pem")).value();
  const Certificate renewed = Certificate::ParsePem(openssl.Read("new.pem")).value();
  const absl::Time now = issuing.not_before() + absl::Minutes(1);
  const auto chain = ChooseCaChain({issuing, renewed}, issuing.public_key(), now);
  ASSERT_THAT(chain, IsOk());
  EXPECT_THAT(chain->indices, ElementsAre(0));
  EXPECT_THAT(chain->notes, ElementsAre(AllOf(HasSubstr("certificate 2 of 2 (CN=root)"),
                                              HasSubstr("its serial number"))));
  EXPECT_THAT(ChooseCaChain({issuing, renewed, old}, issuing.public_key(), now)->indices,
              ElementsAre(0, 2));
}

TEST(CaChainTest, AWeakSignatureOfAnIntermediateIsNoted) {
  const OpensslCommand openssl;
  openssl.Write("ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem "
      "-days 36500 -subj /CN=root && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
      "-nodes -keyout key -out r -subj /CN=issuing && openssl x509 -req -sha1 -in r -CA root.pem "
      "-CAkey root.key -CAcreateserial -extfile ext -days 36500 -out issuing.pem");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Certificate issuing = Certificate::ParsePem(openssl.Read("issuing.pem")).value();
  const auto chain =
      ChooseCaChain({issuing}, issuing.public_key(), issuing.not_before() + absl::Minutes(1));
  ASSERT_THAT(chain, IsOk());
  EXPECT_THAT(chain->notes, ElementsAre(HasSubstr("(CN=issuing) has a weak signature")));
}

TEST(CaChainTest, AnIssuersNameInOtherBytesIsNoted) {
  const OpensslCommand openssl;
  openssl.Write("ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  openssl.Write("cnf",
                "[req]\nprompt=no\ndistinguished_name=dn\nstring_mask=pkix\nx509_extensions=e\n"
                "[dn]\nCN=root\n[e]\nbasicConstraints=critical,CA:TRUE\n");
  // The same key under the same name, once as PrintableString and once as UTF8String.
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out a.pem "
      "-days 36500 -config cnf && openssl req -x509 -key root.key -utf8 -out root.pem -days 36500 "
      "-subj /CN=root && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
      "key -out r -subj /CN=issuing && openssl x509 -req -in r -CA a.pem -CAkey root.key "
      "-CAcreateserial -extfile ext -days 36500 -out issuing.pem");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Certificate issuing = Certificate::ParsePem(openssl.Read("issuing.pem")).value();
  const Certificate same = Certificate::ParsePem(openssl.Read("a.pem")).value();
  const Certificate other = Certificate::ParsePem(openssl.Read("root.pem")).value();
  const absl::Time now = issuing.not_before() + absl::Minutes(1);
  EXPECT_THAT(ChooseCaChain({issuing, same}, issuing.public_key(), now)->notes, IsEmpty());
  EXPECT_THAT(
      ChooseCaChain({issuing, other}, issuing.public_key(), now)->notes,
      ElementsAre(HasSubstr("encodes its issuer's name in another way than certificate 2")));
}

TEST(CaChainTest, RefusalsNameTheDates) {
  const PrivateKey key = NewKey();
  EXPECT_THAT(ChooseCaChain({Future(key)}, key.public_key(), TestTime()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the certificate (CN=next) is not valid before 2027-01-16")));
  EXPECT_THAT(ChooseCaChain({Expired(key), Expired()}, key.public_key(), TestTime()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("certificate 1 of 2 (CN=old) expired on 2027-01-14")));
  EXPECT_THAT(ChooseCaChain({Expired(), Expired()}, key.public_key(), TestTime()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("none of the 2 certificates is for the key")));
}

}  // namespace
}  // namespace calico::pki
