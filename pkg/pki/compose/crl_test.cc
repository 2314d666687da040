#include "pkg/pki/compose/crl.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/compose/composition.h"
#include "pkg/pki/compose/key_generation.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

struct Issuer {
  PrivateKey key;
  Certificate certificate;
};

Issuer NewIssuer(KeyUsages usages = {KeyUsage::kCertSign, KeyUsage::kCrlSign}) {
  PrivateKey key = *GenerateKey(KeyFamily::kEcdsa, 256);
  CertificateParts parts{.subject = {{{"CN", "Test CA"}}},
                         .not_before = kNow,
                         .not_after = kNow + absl::Hours(24),
                         .key_usages = usages,
                         .constraints = CaConstraints{.is_ca = true}};
  Certificate certificate =
      *Certificate::ParseDer(*ComposeCertificate(key.public_key(), parts, {nullptr, &key}));
  return {std::move(key), std::move(certificate)};
}

CrlParts Parts(std::vector<std::string> serials) {
  CrlParts parts{.this_update = kNow, .next_update = kNow + absl::Hours(168)};
  for (std::string& serial : serials) parts.revoked.push_back({std::move(serial), kNow});
  return parts;
}

TEST(ComposeCrlTest, OpensslReadsAndVerifiesIt) {
  const OpensslCommand openssl;
  const Issuer issuer = NewIssuer();
  const auto der = ComposeCrl(Parts({"12", "617153190637063862503580624552583811349230626796"}),
                              issuer.certificate, issuer.key);
  ASSERT_THAT(der, IsOk());
  const std::string crl = openssl.Write("crl.der", *der);
  const std::string ca = openssl.Write("ca.pem", issuer.certificate.pem());
  const auto shown = openssl.Run("crl -inform DER -in {} -noout -text -CAfile {}", crl, ca);
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("verify OK"));
  EXPECT_THAT(shown.output, HasSubstr("Serial Number: 0C\n"));
  EXPECT_THAT(shown.output, HasSubstr("Serial Number: 6C1A1B2EF6EC8E9FEE4A557CFCCC4919E85BA7EC\n"));
  EXPECT_THAT(shown.output, HasSubstr("Authority Key Identifier"));
}

TEST(ComposeCrlTest, MistakesAreNamed) {
  const Issuer issuer = NewIssuer();
  EXPECT_THAT(ComposeCrl(Parts({"12", "0x1F"}), issuer.certificate, issuer.key),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("entry 2: \"0x1F\"")));
  EXPECT_THAT(ComposeCrl(Parts({"12", "12"}), issuer.certificate, issuer.key),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("12 is there twice")));
  EXPECT_THAT(ComposeCrl(Parts({}), issuer.certificate, NewIssuer().key),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const Issuer other = NewIssuer({KeyUsage::kCertSign});
  EXPECT_THAT(ComposeCrl(Parts({}), other.certificate, other.key),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cRLSign")));
  CrlParts over = Parts({});
  over.next_update = kNow;
  EXPECT_THAT(ComposeCrl(over, issuer.certificate, issuer.key),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("end before")));
}

}  // namespace
}  // namespace calico::pki
