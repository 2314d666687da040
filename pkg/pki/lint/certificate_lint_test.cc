#include "pkg/pki/lint/certificate_lint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/pki/lint/certificate_facts.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Rules(const Certificate& certificate,
                               std::optional<absl::Time> now = std::nullopt) {
  std::vector<std::string> rules;
  for (const Finding& finding : LintCertificate(certificate, now)) rules.push_back(finding.rule);
  return rules;
}

// A self-signed one by the openssl command.
Certificate Made(const std::string& options) {
  const OpensslCommand openssl;
  const auto made = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -days 30 -out c.pem "
      "{}",
      options);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  auto certificate = Certificate::ParsePem(openssl.Read("c.pem"));
  EXPECT_TRUE(certificate.ok()) << certificate.status();
  return *std::move(certificate);
}

TEST(CertificateLintTest, AGoodLeafAndAGoodCaHaveNothing) {
  const TestCa ca("ca");
  EXPECT_THAT(Rules(ca.certificate(), TestTime()), IsEmpty());
  EXPECT_THAT(Rules(ca.Leaf({.common_name = "a",
                             .dns_names = {"a.example.com", "*.b.example"},
                             .ip_addresses = {"10.0.0.1"}})
                        .certificate,
                    TestTime()),
              IsEmpty());
}

TEST(CertificateLintTest, TimeIsJudgedWhenThereIsOne) {
  const Certificate leaf = TestCa("ca").Leaf({.dns_names = {"a"}}).certificate;
  EXPECT_THAT(Rules(leaf, TestTime() + absl::Hours(48)), Contains("expired"));
  EXPECT_THAT(Rules(leaf, TestTime() - absl::Hours(48)), Contains("not-yet-valid"));
  EXPECT_THAT(Rules(leaf), Not(Contains("expired")));
}

TEST(CertificateLintTest, EachRuleFindsItsCase) {
  struct Case {
    const char* options;
    const char* rule;
  };
  const Case cases[] = {
      {"-subj /CN=a -set_serial -5", "serial-negative"},
      {"-subj /CN=a -set_serial 0", "serial-zero"},
      {"-subj /CN=a -set_serial 0xff00112233445566778899aabbccddeeff001122", "serial-long"},
      {"-subj /CN=a -addext basicConstraints=CA:TRUE", "ca-key-usage"},
      {"-subj /CN=a -addext basicConstraints=critical,CA:TRUE -addext keyUsage=digitalSignature",
       "ca-cannot-sign"},
      {"-subj /CN=a -addext basicConstraints=CA:TRUE -addext keyUsage=keyCertSign",
       "ca-not-critical"},
      {"-subj /CN=a -addext basicConstraints=critical,CA:FALSE -addext keyUsage=keyCertSign",
       "sign-without-ca"},
      {"-subj /CN=a -addext basicConstraints=critical,CA:FALSE", "no-names"},
      {"-subj / -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:a",
       "names-not-critical"},
      {"-subj /CN=a -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:10.0.0.1",
       "dns-name"},
      {"-subj /CN=a -addext basicConstraints=CA:FALSE -addext subjectAltName=IP:0.0.0.0",
       "unspecified-address"},
      {"-subj /CN=a.example.com -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:b",
       "common-name-alone"},
      {"-subj /CN=a -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:b,DNS:b",
       "name-twice"},
      {"-subj /CN=a -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:b -days 900",
       "long-life"},
      {"-subj /CN=a -addext basicConstraints=CA:FALSE -addext "
       "extendedKeyUsage=anyExtendedKeyUsage",
       "any-usage"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.options);
    EXPECT_THAT(Rules(Made(c.options)), Contains(c.rule));
  }
}

TEST(CertificateLintTest, WeakSignaturesAndKeysAreErrors) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=ca -out ca.pem")
                .exit_code,
            0);
  ASSERT_EQ(openssl.Run("req -newkey rsa:1024 -nodes -keyout k -subj /CN=a -out a.csr").exit_code,
            0);
  ASSERT_EQ(openssl
                .Run("x509 -req -in a.csr -CA ca.pem -CAkey ca.key -sha1 -days 9 -CAcreateserial "
                     "-out a.pem")
                .exit_code,
            0);
  const auto certificate = Certificate::ParsePem(openssl.Read("a.pem"));
  ASSERT_TRUE(certificate.ok());
  EXPECT_THAT(Rules(*certificate), Contains("weak-key"));
  EXPECT_THAT(Rules(*certificate), Contains("weak-signature"));
  EXPECT_THAT(Rules(*certificate), Contains("version")) << "openssl writes no extension here";
  EXPECT_EQ(LintCertificate(*certificate, std::nullopt).front().severity, Severity::kError);
}

TEST(CertificateLintTest, DnsNamesThatNoClientMatches) {
  for (const char* good :
       {"a", "a.example.com", "*.example.com", "xn--bcher-kva.example", "a_b.c", "node-1.10"}) {
    EXPECT_EQ(DnsNameFault(good), std::nullopt) << good;
  }
  for (const char* bad :
       {"", "*", "a.", "a..b", "10.0.0.1", "fd00::5", "a b", "a:443", "a/b", "w*.example", "a.*.b",
        "b\xc3\xbc"
        "cher.example"}) {
    EXPECT_NE(DnsNameFault(bad), std::nullopt) << bad;
  }
  EXPECT_THAT(*DnsNameFault("localhost:443"), HasSubstr("\":\""));
}

TEST(CertificateFactsTest, TellsWhatCertificatesDoNotShow) {
  const Certificate certificate = Made(
      "-subj /CN=a -addext crlDistributionPoints=URI:http://crl.example/ca.crl -addext "
      "authorityInfoAccess=OCSP\\;URI:http://ocsp.example,caIssuers\\;URI:http://ca.example/c "
      "-addext subjectAltName=RID:1.2.3");
  const CertificateFacts facts = ReadFacts(certificate);
  EXPECT_EQ(facts.version, 3);
  EXPECT_EQ(facts.signature_algorithm, "ecdsa-with-SHA256");
  EXPECT_THAT(facts.crl_urls, ElementsAre("http://crl.example/ca.crl"));
  EXPECT_THAT(facts.ocsp_urls, ElementsAre("http://ocsp.example"));
  EXPECT_THAT(facts.issuer_urls, ElementsAre("http://ca.example/c"));
  EXPECT_THAT(facts.other_name_kinds, ElementsAre("registeredID"));
  ASSERT_NE(facts.Find("2.5.29.19"), nullptr);
  EXPECT_TRUE(facts.Find("2.5.29.19")->is_critical);
  EXPECT_THAT(CertificateText(certificate), HasSubstr("URI:http://crl.example/ca.crl"));
}

}  // namespace
}  // namespace calico::pki
