#include "operator/validation/installation.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/base64.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::validation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const pki::TestCa& Ca() {
  static const pki::TestCa ca("example-ca");
  return ca;
}

api::Installation Good() {
  api::Installation installation;
  installation.certificate_management = api::CertificateManagement{
      .ca_cert_pem = Ca().certificate_pem(), .signer_name = "example.com/signer"};
  installation.spec = {
      {"cni", {{"type", "Calico"}, {"ipam", {{"type", "Calico"}}}}},
      {"calicoNetwork",
       {{"bgp", "Enabled"}, {"linuxDataplane", "Iptables"}, {"ipPools", json::array()}}}};
  return installation;
}

InstallationVerdict Validate(const api::Installation& installation, absl::Time now) {
  return ValidateCompleted(installation, {.spec = {.release = "v3.33"}, .now = now});
}

std::string SelfSigned(pki::CertificateTemplate wanted) {
  const absl::StatusOr<pki::PrivateKey> key =
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256);
  wanted.common_name = "odd";
  if (wanted.not_before == absl::Time()) wanted.not_before = pki::TestTime() - absl::Hours(1);
  if (wanted.not_after == absl::Time()) wanted.not_after = pki::TestTime() + absl::Hours(9000);
  return pki::SelfSign(*key, wanted)->pem();
}

std::string ExpiredCa() {
  return SelfSigned({.not_before = pki::TestTime() - absl::Hours(48),
                     .not_after = pki::TestTime() - absl::Hours(24),
                     .is_ca = true});
}

TEST(InstallationValidationTest, GoodOnesHaveNoProblem) {
  struct Case {
    const char* name;
    std::function<void(api::Installation&)> change;
  };
  const Case cases[] = {
      {"as it is", [](api::Installation&) {}},
      {"two CAs and comments",
       [](api::Installation& i) {
         i.certificate_management->ca_cert_pem = "# ours\n" + Ca().certificate_pem() +
                                                 "\n# theirs\n" +
                                                 pki::TestCa("other").certificate_pem() + "\n\n";
       }},
      {"ECDSA without a signature algorithm",
       [](api::Installation& i) { i.certificate_management->key_algorithm = "ECDSAWithCurve256"; }},
      {"ECDSA with one",
       [](api::Installation& i) {
         i.certificate_management->key_algorithm = "ECDSAWithCurve521";
         i.certificate_management->signature_algorithm = "ECDSAWithSHA512";
       }},
      {"RSA by default",
       [](api::Installation& i) {
         i.certificate_management->signature_algorithm = "SHA512WithRSA";
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Installation installation = Good();
    c.change(installation);
    const InstallationVerdict verdict = Validate(installation, pki::TestTime());
    EXPECT_TRUE(verdict.ok()) << ToString(verdict.problems);
    EXPECT_THAT(verdict.ca_certificates, testing::Not(IsEmpty()));
    EXPECT_THAT(verdict.warnings, IsEmpty());
  }
}

struct BadCase {
  const char* name;
  std::function<void(api::Installation&)> change;
  const char* path;
  const char* text;
};

void SetCa(api::Installation& installation, std::string pem) {
  installation.certificate_management->ca_cert_pem = std::move(pem);
}

const std::vector<BadCase>& BadCertificateManagement() {
  static const std::vector<BadCase> cases = {
      {"no caCert", [](api::Installation& i) { SetCa(i, ""); }, "spec.certificateManagement.caCert",
       "is required"},
      {"not PEM", [](api::Installation& i) { SetCa(i, "not pem at all"); },
       "spec.certificateManagement.caCert", "is not PEM"},
      {"more than fits into the environment of a program",
       [](api::Installation& i) {
         std::string pem;
         while (pem.size() < (97 << 10)) pem += Ca().certificate_pem();
         SetCa(i, pem);
       },
       "spec.certificateManagement.caCert", "keep only the CA certificates that sign for Calico"},
      {"DER", [](api::Installation& i) { SetCa(i, Ca().certificate().der()); },
       "spec.certificateManagement.caCert", "is DER"},
      {"encoded twice",
       [](api::Installation& i) { SetCa(i, base::Base64Encode(Ca().certificate_pem())); },
       "spec.certificateManagement.caCert", "base64 twice"},
      {"garbage in the block",
       [](api::Installation& i) {
         SetCa(i, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
       },
       "spec.certificateManagement.caCert", "block 1 is not a certificate"},
      {"cut off",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem().substr(0, Ca().certificate_pem().size() - 30));
       },
       "spec.certificateManagement.caCert", "is damaged PEM"},
      {"a leaf",
       [](api::Installation& i) {
         SetCa(i, Ca().Leaf({.common_name = "typha-server"}).certificate_pem);
       },
       "spec.certificateManagement.caCert", "is not a CA"},
      {"expired", [](api::Installation& i) { SetCa(i, ExpiredCa()); },
       "spec.certificateManagement.caCert", "expired on 2027-01-14"},
      {"not yet valid",
       [](api::Installation& i) {
         SetCa(i, SelfSigned({.not_before = pki::TestTime() + absl::Hours(24), .is_ca = true}));
       },
       "spec.certificateManagement.caCert", "is not valid before 2027-01-16"},
      {"may not sign",
       [](api::Installation& i) {
         SetCa(i, SelfSigned({.key_usages = {pki::KeyUsage::kCrlSign}, .is_ca = true}));
       },
       "spec.certificateManagement.caCert", "lacks keyCertSign"},
      {"a private key",
       [](api::Installation& i) { SetCa(i, Ca().certificate_pem() + Ca().key_pem()); },
       "spec.certificateManagement.caCert", "block 2 is a private key"},
      {"a request",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem() +
                      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE "
                      "REQUEST-----\n");
       },
       "spec.certificateManagement.caCert", "block 2 is a CERTIFICATE REQUEST"},
      {"the second of two is bad",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem() +
                      SelfSigned({.extended_key_usages = {std::string(pki::kOidServerAuth)},
                                  .is_ca = true}));
       },
       "spec.certificateManagement.caCert",
       "certificate 2 of 2 (CN=odd) limits what is below it by an extendedKeyUsage that lacks "
       "clientAuth, which calico-node needs"},
      {"no signer", [](api::Installation& i) { i.certificate_management->signer_name = ""; },
       "spec.certificateManagement.signerName", "is required"},
      {"kubernetes.io",
       [](api::Installation& i) {
         i.certificate_management->signer_name = "kubernetes.io/kube-apiserver-client";
       },
       "spec.certificateManagement.signerName", "does not sign certificates for TLS servers"},
      {"ECDSA key, RSA signature",
       [](api::Installation& i) {
         i.certificate_management->key_algorithm = "ECDSAWithCurve256";
         i.certificate_management->signature_algorithm = "SHA256WithRSA";
       },
       "spec.certificateManagement.signatureAlgorithm", "with an ECDSA key (ECDSAWithCurve256)"},
      {"default key, ECDSA signature",
       [](api::Installation& i) {
         i.certificate_management->signature_algorithm = "ECDSAWithSHA256";
       },
       "spec.certificateManagement.signatureAlgorithm", "keyAlgorithm is empty"},
      {"unknown key algorithm",
       [](api::Installation& i) { i.certificate_management->key_algorithm = "RSAWithSize1024"; },
       "spec.certificateManagement.keyAlgorithm", "is not known"},
      {"unknown signature algorithm",
       [](api::Installation& i) { i.certificate_management->signature_algorithm = "MD5"; },
       "spec.certificateManagement.signatureAlgorithm", "is not known"},
  };
  return cases;
}

void ExpectOneProblem(const BadCase& c) {
  SCOPED_TRACE(c.name);
  api::Installation installation = Good();
  c.change(installation);
  const InstallationVerdict verdict = Validate(installation, pki::TestTime());
  ASSERT_THAT(verdict.problems, SizeIs(1)) << ToString(verdict.problems);
  EXPECT_EQ(verdict.problems[0].path, c.path);
  EXPECT_THAT(verdict.problems[0].text, HasSubstr(c.text));
}

TEST(InstallationValidationTest, BadCertificateManagementNamesFieldAndRemedy) {
  for (const BadCase& c : BadCertificateManagement()) ExpectOneProblem(c);
}

TEST(InstallationValidationTest, AllProblemsAreToldAtOnce) {
  api::Installation installation = Good();
  SetCa(installation, ExpiredCa() + Ca().key_pem() + "rest");
  installation.certificate_management->signer_name = "signer";
  installation.certificate_management->signature_algorithm = "ECDSAWithSHA256";
  installation.spec["nodeMetricsPort"] = -1;
  installation.spec["imagePrefix"] = "a/b";
  const InstallationVerdict verdict = Validate(installation, pki::TestTime());
  EXPECT_THAT(verdict.problems, SizeIs(6)) << ToString(verdict.problems);
  EXPECT_THAT(verdict.ca_certificates, IsEmpty());
  EXPECT_THAT(ToString(verdict.problems), HasSubstr("; spec.certificateManagement.signerName: "));
}

TEST(InstallationValidationTest, ProblemsNeverQuoteThePem) {
  api::Installation installation = Good();
  SetCa(installation, Ca().certificate_pem() + Ca().key_pem());
  const std::string text = ToString(Validate(installation, pki::TestTime()).problems);
  const std::string body = Ca().key_pem().substr(Ca().key_pem().find('\n') + 1, 16);
  EXPECT_THAT(text, testing::Not(HasSubstr(body)));
}

TEST(InstallationValidationTest, SaysWhenItsVerdictChanges) {
  const pki::Certificate& ca = Ca().certificate();
  const absl::Time warn_at = ca.not_after() - pki::kCaEndsSoon;
  const InstallationVerdict now = Validate(Good(), pki::TestTime());
  EXPECT_EQ(now.recheck_at, warn_at + absl::Seconds(1));

  const InstallationVerdict soon = Validate(Good(), now.recheck_at);
  EXPECT_TRUE(soon.ok());
  ASSERT_THAT(soon.warnings, SizeIs(1));
  EXPECT_THAT(soon.warnings[0], HasSubstr("ends on 2028-01-15"));
  EXPECT_EQ(soon.recheck_at, ca.not_after() + absl::Seconds(1));

  EXPECT_FALSE(Validate(Good(), soon.recheck_at).ok());
}

TEST(InstallationValidationTest, TheLastDayOfAnOldRootIsANote) {
  api::Installation installation = Good();
  SetCa(installation, Ca().certificate_pem() + ExpiredCa());
  const InstallationVerdict verdict = Validate(installation, pki::TestTime());
  EXPECT_TRUE(verdict.ok()) << ToString(verdict.problems);
  EXPECT_THAT(verdict.ca_certificates, SizeIs(2));
  EXPECT_THAT(verdict.warnings,
              testing::ElementsAre(HasSubstr("spec.certificateManagement.caCert: certificate 2 of "
                                             "2 (CN=odd) expired on 2027-01-14")));
}

}  // namespace
}  // namespace calico::validation
