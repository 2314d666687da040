// Every kind of key with every signature algorithm of its family, through both implementations:
// what we make the openssl command must accept, and what it makes we must.

#include <map>
#include <string>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using ::calico::base::IpAddress;
using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

struct SignatureCase {
  SignatureAlgorithm algorithm;
  const char* openssl_name;
  const char* digest_option;
};
const SignatureCase kSignatures[] = {
    {SignatureAlgorithm::kSha256WithRsa, "sha256WithRSAEncryption", "-sha256"},
    {SignatureAlgorithm::kSha384WithRsa, "sha384WithRSAEncryption", "-sha384"},
    {SignatureAlgorithm::kSha512WithRsa, "sha512WithRSAEncryption", "-sha512"},
    {SignatureAlgorithm::kEcdsaWithSha256, "ecdsa-with-SHA256", "-sha256"},
    {SignatureAlgorithm::kEcdsaWithSha384, "ecdsa-with-SHA384", "-sha384"},
    {SignatureAlgorithm::kEcdsaWithSha512, "ecdsa-with-SHA512", "-sha512"},
};

// One key of each kind for all tests: RSA-8192 takes seconds.
const PrivateKey& KeyOf(KeyAlgorithm algorithm) {
  static auto* const keys = new std::map<KeyAlgorithm, PrivateKey>();
  const auto found = keys->find(algorithm);
  if (found != keys->end()) return found->second;
  return keys->emplace(algorithm, *PrivateKey::Generate(algorithm)).first->second;
}

class AlgorithmMatrixTest : public ::testing::TestWithParam<KeyAlgorithm> {};

TEST_P(AlgorithmMatrixTest, OurRequestsSatisfyOpenssl) {
  const OpensslCommand openssl;
  const PrivateKey& key = KeyOf(GetParam());
  for (const SignatureCase& c : kSignatures) {
    SCOPED_TRACE(c.openssl_name);
    const absl::StatusOr<std::string> pem = CreateCertificateRequest(
        key, {.common_name = "x", .dns_names = {"a"}, .signature_algorithm = c.algorithm});
    if (FamilyOf(c.algorithm) != key.family()) {
      EXPECT_THAT(pem, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot sign")));
      continue;
    }
    ASSERT_THAT(pem, IsOk());
    openssl.Write("r.csr", *pem);
    const OpensslCommand::Result result = openssl.Run("req -in r.csr -verify -noout -text");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("verify OK"));
    EXPECT_THAT(result.output, HasSubstr(std::string("Signature Algorithm: ") + c.openssl_name));
    const absl::StatusOr<CertificateRequest> request = CertificateRequest::ParsePem(*pem);
    ASSERT_THAT(request, IsOk());
    EXPECT_THAT(request->VerifySignature(), IsOk());
  }
}

TEST_P(AlgorithmMatrixTest, WeAcceptOpensslsRequestsAndCertificates) {
  const OpensslCommand openssl;
  const PrivateKey& key = KeyOf(GetParam());
  openssl.Write("k.pem", key.ToPem().view());
  for (const SignatureCase& c : kSignatures) {
    if (FamilyOf(c.algorithm) != key.family()) continue;
    SCOPED_TRACE(c.openssl_name);
    ASSERT_EQ(openssl
                  .Run("req -new -key k.pem {} -subj /CN=x -addext subjectAltName=DNS:a,IP:::1 "
                       "-out r.csr",
                       c.digest_option)
                  .exit_code,
              0);
    const absl::StatusOr<CertificateRequest> request =
        CertificateRequest::ParsePem(openssl.Read("r.csr"));
    ASSERT_THAT(request, IsOk());
    EXPECT_THAT(request->VerifySignature(), IsOk());
    EXPECT_TRUE(request->public_key() == key.public_key());
    EXPECT_THAT(request->ip_addresses(), testing::ElementsAre(*IpAddress::Parse("::1")));

    ASSERT_EQ(
        openssl.Run("req -x509 -key k.pem {} -subj /CN=x -out c.pem", c.digest_option).exit_code,
        0);
    const absl::StatusOr<Certificate> certificate = Certificate::ParsePem(openssl.Read("c.pem"));
    ASSERT_THAT(certificate, IsOk());
    EXPECT_TRUE(certificate->is_self_signed());
    EXPECT_THAT(KeyMatches(*certificate, key), IsOk());
    EXPECT_THAT(VerifyChain(*certificate, {}, {*certificate}, ExtendedKeyUsage::kServerAuth,
                            certificate->not_before() + absl::Minutes(1)),
                IsOk());
  }
}

TEST_P(AlgorithmMatrixTest, OurCertificatesSatisfyOpenssl) {
  const OpensslCommand openssl;
  absl::StatusOr<PrivateKey> ca_key = PrivateKey::ParsePem(KeyOf(GetParam()).ToPem().view());
  const absl::StatusOr<PrivateKey> leaf_key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256);
  ASSERT_THAT(ca_key, IsOk());
  ASSERT_THAT(leaf_key, IsOk());
  const absl::Time now = absl::Now();
  CertificateTemplate wanted;
  wanted.common_name = "ca";
  wanted.not_before = now - absl::Hours(1);
  wanted.not_after = now + absl::Hours(1);
  wanted.is_ca = true;
  const absl::StatusOr<Certificate> root = SelfSign(*ca_key, wanted);
  ASSERT_THAT(root, IsOk());
  const absl::StatusOr<CertificateAuthority> ca =
      CertificateAuthority::Create({*root}, *std::move(ca_key));
  ASSERT_THAT(ca, IsOk());
  wanted.common_name = "leaf";
  wanted.is_ca = false;
  wanted.dns_names = {"leaf.example"};
  wanted.key_usages = {KeyUsage::kDigitalSignature};
  const absl::StatusOr<Certificate> leaf = ca->Issue(leaf_key->public_key(), wanted, now);
  ASSERT_THAT(leaf, IsOk());
  openssl.Write("ca.pem", root->pem());
  openssl.Write("leaf.pem", leaf->pem());
  const OpensslCommand::Result result = openssl.Run(
      "verify -x509_strict -purpose sslserver -verify_hostname leaf.example -CAfile ca.pem "
      "leaf.pem");
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

INSTANTIATE_TEST_SUITE_P(AllKeys, AlgorithmMatrixTest,
                         ::testing::Values(KeyAlgorithm::kRsa2048, KeyAlgorithm::kRsa4096,
                                           KeyAlgorithm::kRsa8192, KeyAlgorithm::kEcdsaP256,
                                           KeyAlgorithm::kEcdsaP384, KeyAlgorithm::kEcdsaP521),
                         [](const ::testing::TestParamInfo<KeyAlgorithm>& info) {
                           std::string name(ToString(info.param));
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace calico::pki
