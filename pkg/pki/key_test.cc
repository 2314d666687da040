#include "pkg/pki/key.h"

#include <string>
#include <type_traits>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/pem.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

static_assert(!std::is_copy_constructible_v<PrivateKey>);
static_assert(std::is_nothrow_move_constructible_v<PrivateKey>);

struct AlgorithmCase {
  KeyAlgorithm algorithm;
  KeyFamily family;
  int bits;
  const char* curve;
  const char* description;
  const char* label;
};
const AlgorithmCase kAlgorithms[] = {
    {KeyAlgorithm::kRsa2048, KeyFamily::kRsa, 2048, "", "RSA-2048", "RSA PRIVATE KEY"},
    {KeyAlgorithm::kRsa4096, KeyFamily::kRsa, 4096, "", "RSA-4096", "RSA PRIVATE KEY"},
    {KeyAlgorithm::kRsa8192, KeyFamily::kRsa, 8192, "", "RSA-8192", "RSA PRIVATE KEY"},
    {KeyAlgorithm::kEcdsaP256, KeyFamily::kEcdsa, 256, "P-256", "ECDSA-P256", "EC PRIVATE KEY"},
    {KeyAlgorithm::kEcdsaP384, KeyFamily::kEcdsa, 384, "P-384", "ECDSA-P384", "EC PRIVATE KEY"},
    {KeyAlgorithm::kEcdsaP521, KeyFamily::kEcdsa, 521, "P-521", "ECDSA-P521", "EC PRIVATE KEY"},
};

// The key that `openssl <command> -out key.pem <options>` makes.
std::string OpensslKey(const OpensslCommand& openssl, std::string_view arguments) {
  const size_t space = arguments.find(' ');
  const OpensslCommand::Result result =
      openssl.Run("{} -out key.pem {}", arguments.substr(0, space), arguments.substr(space));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return openssl.Read("key.pem");
}

absl::StatusOr<PublicKey> OpensslPublicKey(const OpensslCommand& openssl, std::string_view pem) {
  openssl.Write("private.pem", pem);
  const OpensslCommand::Result result = openssl.Run("pkey -in private.pem -pubout -out public.pem");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  absl::StatusOr<std::string> der = ParseSinglePem(openssl.Read("public.pem"), "PUBLIC KEY");
  return der.ok() ? PublicKey::ParseDer(*der) : der.status();
}

TEST(PrivateKeyTest, GeneratesEveryAlgorithmAndOpensslAgrees) {
  const OpensslCommand openssl;
  for (const AlgorithmCase& c : kAlgorithms) {
    SCOPED_TRACE(c.description);
    const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(c.algorithm);
    ASSERT_THAT(key, IsOk());
    EXPECT_EQ(key->family(), c.family);
    EXPECT_EQ(key->public_key().bits(), c.bits);
    EXPECT_EQ(key->public_key().curve(), c.curve);
    EXPECT_EQ(key->public_key().Description(), c.description);
    EXPECT_THAT(key->public_key().CheckStrength(), IsOk());

    const std::string pem(key->ToPem().view());
    EXPECT_THAT(pem, StartsWith(std::string("-----BEGIN ") + c.label + "-----\n"));
    EXPECT_THAT(pem, Not(HasSubstr("PARAMETERS")));
    const absl::StatusOr<PrivateKey> again = PrivateKey::ParsePem(pem);
    ASSERT_THAT(again, IsOk());
    EXPECT_TRUE(again->public_key() == key->public_key());
    EXPECT_EQ(again->ToPem().view(), pem);

    const absl::StatusOr<PublicKey> seen = OpensslPublicKey(openssl, pem);
    ASSERT_THAT(seen, IsOk());
    EXPECT_EQ(seen->der(), key->public_key().der());
  }
}

// The command's own opinion: 64 rounds of primality for each factor, and all relations.
TEST(PrivateKeyTest, OpensslChecksGeneratedKeys) {
  const OpensslCommand openssl;
  for (int i = 0; i < 30; ++i) {
    const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kRsa2048);
    ASSERT_THAT(key, IsOk());
    openssl.Write("key.pem", key->ToPem().view());
    const OpensslCommand::Result result = openssl.Run("rsa -in key.pem -check -noout");
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.output, HasSubstr("RSA key ok"));
  }
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::kRsa4096, KeyAlgorithm::kEcdsaP256,
                                       KeyAlgorithm::kEcdsaP384, KeyAlgorithm::kEcdsaP521}) {
    const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
    ASSERT_THAT(key, IsOk());
    openssl.Write("key.pem", key->ToPem().view());
    const OpensslCommand::Result result = openssl.Run("pkey -in key.pem -check -noout");
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.output, HasSubstr("Key is valid")) << ToString(algorithm);
  }
}

TEST(PrivateKeyTest, ReadsEveryFormOfOpenssl) {
  const OpensslCommand openssl;
  struct Case {
    const char* arguments;
    const char* label;
    const char* description;
  };
  const Case kCases[] = {
      {"genrsa -traditional 2048", "BEGIN RSA PRIVATE KEY", "RSA-2048"},
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072", "BEGIN PRIVATE KEY", "RSA-3072"},
      {"ecparam -name prime256v1 -genkey", "BEGIN EC PARAMETERS", "ECDSA-P256"},
      {"ecparam -name secp384r1 -genkey -noout", "BEGIN EC PRIVATE KEY", "ECDSA-P384"},
      {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "BEGIN PRIVATE KEY", "ECDSA-P521"},
      {"genpkey -algorithm ED25519", "BEGIN PRIVATE KEY", "Ed25519"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.arguments);
    const std::string pem = OpensslKey(openssl, c.arguments);
    EXPECT_THAT(pem, HasSubstr(c.label));
    const absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(pem);
    ASSERT_THAT(key, IsOk());
    EXPECT_EQ(key->public_key().Description(), c.description);
    EXPECT_THAT(key->public_key().CheckStrength(), IsOk());
    const absl::StatusOr<PublicKey> seen = OpensslPublicKey(openssl, pem);
    ASSERT_THAT(seen, IsOk());
    EXPECT_TRUE(*seen == key->public_key());
    const absl::StatusOr<PrivateKey> again = PrivateKey::ParsePem(key->ToPem().view());
    ASSERT_THAT(again, IsOk());
    EXPECT_TRUE(again->public_key() == key->public_key());
  }
}

TEST(PrivateKeyTest, SkipsTextAndCertificatesAroundTheKey) {
  const OpensslCommand openssl;
  const std::string key = OpensslKey(openssl,
                                     "genpkey -algorithm EC -pkeyopt "
                                     "ec_paramgen_curve:P-256");
  const std::string certificate = EncodePem("CERTIFICATE", "not looked at");
  EXPECT_THAT(PrivateKey::ParsePem("Bag Attributes\n" + certificate + key + "end"), IsOk());
}

TEST(PrivateKeyTest, RefusesEncryptedKeysWithAdvice) {
  const OpensslCommand openssl;
  for (const char* arguments :
       {"genrsa -traditional -aes128 -passout pass:word 2048",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:word"}) {
    const std::string pem = OpensslKey(openssl, arguments);
    EXPECT_THAT(PrivateKey::ParsePem(pem), StatusIs(kInvalid, HasSubstr("encrypted"))) << arguments;
  }
}

TEST(PrivateKeyTest, RefusesWhatIsNoUsableKey) {
  const OpensslCommand openssl;
  const std::string ec = OpensslKey(openssl, "ecparam -name prime256v1 -genkey -noout");
  const std::string ec_der = *ParseSinglePem(ec, "EC PRIVATE KEY");
  const std::string dsa_parameters =
      OpensslKey(openssl, "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024");
  openssl.Write("dsa.pem", dsa_parameters);
  const std::string dsa = OpensslKey(openssl, "genpkey -paramfile dsa.pem");
  const std::string ed448 = OpensslKey(openssl, "genpkey -algorithm ED448");
  struct Case {
    const char* name;
    std::string pem;
    const char* message;
  };
  const Case kCases[] = {
      {"empty", "", "no PEM block"},
      {"text", "hello", "no PEM block"},
      {"certificate", EncodePem("CERTIFICATE", "x"), "no PEM block with a private key"},
      {"public key", EncodePem("PUBLIC KEY", "x"), "no PEM block with a private key"},
      {"two keys", ec + ec, "several private keys"},
      {"garbage", EncodePem("PRIVATE KEY", "garbage"), "parse private key"},
      {"garbage in RSA", EncodePem("RSA PRIVATE KEY", std::string(300, '\x30')), "parse private"},
      {"empty body", EncodePem("EC PRIVATE KEY", ""), "parse private key"},
      {"truncated", EncodePem("EC PRIVATE KEY", ec_der.substr(0, ec_der.size() - 1)), "parse"},
      {"trailing bytes", EncodePem("EC PRIVATE KEY", ec_der + "x"), "left over"},
      {"wrong label", EncodePem("RSA PRIVATE KEY", ec_der), "parse private key"},
      {"OpenSSH", EncodePem("OPENSSH PRIVATE KEY", "x"), "unsupported format"},
      {"DSA", dsa, "neither RSA, ECDSA nor Ed25519"},
      {"Ed448", ed448, "neither RSA, ECDSA nor Ed25519"},
      {"no END", "-----BEGIN PRIVATE KEY-----\nAAAA\n", "no END line"},
      {"not base64", "-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n", "base64"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(PrivateKey::ParsePem(c.pem), StatusIs(kInvalid, HasSubstr(c.message)));
  }
  EXPECT_THAT(PrivateKey::ParsePem(std::string(300'000, ' ')),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(PrivateKeyTest, AFlippedBitNeverMakesAnotherKey) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256);
  ASSERT_THAT(key, IsOk());
  const std::string der = *ParseSinglePem(key->ToPem().view(), "EC PRIVATE KEY");
  int accepted = 0;
  for (size_t i = 0; i < der.size() * 8; ++i) {
    std::string broken = der;
    broken[i / 8] = static_cast<char>(broken[i / 8] ^ (1 << (i % 8)));
    const absl::StatusOr<PrivateKey> read =
        PrivateKey::ParsePem(EncodePem("EC PRIVATE KEY", broken));
    if (!read.ok()) continue;
    ++accepted;
    EXPECT_TRUE(read->public_key() == key->public_key()) << "bit " << i;
  }
  // The library overlooks the version number and the count of unused bits.
  EXPECT_LE(accepted, 16);
}

TEST(PrivateKeyTest, RefusesAnRsaKeyWhoseNumbersDoNotFit) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kRsa2048);
  ASSERT_THAT(key, IsOk());
  std::string der = *ParseSinglePem(key->ToPem().view(), "RSA PRIVATE KEY");
  der[der.size() - 1] = static_cast<char>(der[der.size() - 1] ^ 0x01);  // the CRT coefficient
  EXPECT_THAT(PrivateKey::ParsePem(EncodePem("RSA PRIVATE KEY", der)),
              StatusIs(kInvalid, HasSubstr("CRT coefficient")));
}

TEST(PrivateKeyTest, ErrorsDoNotContainTheKey) {
  const OpensslCommand openssl;
  const std::string pem = OpensslKey(openssl, "ecparam -name prime256v1 -genkey -noout");
  const std::string body = pem.substr(pem.find('\n') + 1, 24);
  const absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(pem + pem);
  EXPECT_THAT(key, StatusIs(kInvalid, Not(HasSubstr(body))));
}

TEST(PublicKeyTest, JudgesStrength) {
  const OpensslCommand openssl;
  struct Case {
    const char* arguments;
    const char* message;  // empty: accepted
  };
  const Case kCases[] = {
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024", "2048 to 8192 bits"},
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2047", "2048 to 8192 bits"},
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
       "exponent"},
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:65539", ""},
      {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp224r1", "curve"},
      {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "curve"},
      {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
       "curve"},
      {"genpkey -algorithm ED448", "neither"},
      {"genpkey -algorithm X25519", "neither"},
      {"genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "neither"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.arguments);
    const absl::StatusOr<PublicKey> key =
        OpensslPublicKey(openssl, OpensslKey(openssl, c.arguments));
    ASSERT_THAT(key, IsOk());
    if (c.message[0] == '\0') {
      EXPECT_THAT(key->CheckStrength(), IsOk());
    } else {
      EXPECT_THAT(key->CheckStrength(), StatusIs(kInvalid, HasSubstr(c.message)));
    }
  }
}

TEST(PublicKeyTest, EqualWhateverTheEncodingOfThePoint) {
  const OpensslCommand openssl;
  const std::string pem = OpensslKey(openssl, "ecparam -name prime256v1 -genkey -noout");
  const absl::StatusOr<PublicKey> plain = OpensslPublicKey(openssl, pem);
  ASSERT_EQ(openssl.Run("ec -in private.pem -pubout -conv_form compressed -out c.pem").exit_code,
            0);
  const absl::StatusOr<PublicKey> compressed =
      PublicKey::ParseDer(*ParseSinglePem(openssl.Read("c.pem"), "PUBLIC KEY"));
  ASSERT_THAT(plain, IsOk());
  ASSERT_THAT(compressed, IsOk());
  EXPECT_NE(plain->der(), compressed->der());
  EXPECT_TRUE(*plain == *compressed);
  EXPECT_THAT(compressed->CheckStrength(), IsOk());

  const absl::StatusOr<PublicKey> other =
      OpensslPublicKey(openssl, OpensslKey(openssl, "ecparam -name prime256v1 -genkey -noout"));
  ASSERT_THAT(other, IsOk());
  EXPECT_FALSE(*plain == *other);
}

TEST(PublicKeyTest, RefusesMalformedInfo) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kRsa2048);
  ASSERT_THAT(key, IsOk());
  const std::string& der = key->public_key().der();
  EXPECT_THAT(PublicKey::ParseDer(""), StatusIs(kInvalid));
  EXPECT_THAT(PublicKey::ParseDer("garbage"), StatusIs(kInvalid));
  EXPECT_THAT(PublicKey::ParseDer(der + "x"), StatusIs(kInvalid, HasSubstr("left over")));
  EXPECT_THAT(PublicKey::ParseDer(std::string_view(der).substr(0, der.size() - 1)),
              StatusIs(kInvalid));
}

TEST(PublicKeyTest, RefusesAPointOffTheCurveAndInfinity) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256);
  ASSERT_THAT(key, IsOk());
  std::string off = key->public_key().der();
  off.back() = static_cast<char>(off.back() ^ 1);
  const absl::StatusOr<PublicKey> off_curve = PublicKey::ParseDer(off);
  if (off_curve.ok()) EXPECT_FALSE(off_curve->CheckStrength().ok());

  // SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING { 00 } }
  const std::string infinity(
      "\x30\x19\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
      "\x03\x02\x00\x00",
      27);
  const absl::StatusOr<PublicKey> at_infinity = PublicKey::ParseDer(infinity);
  if (at_infinity.ok()) EXPECT_FALSE(at_infinity->CheckStrength().ok());
}

TEST(AlgorithmTest, FamiliesAndDefaults) {
  for (const AlgorithmCase& c : kAlgorithms) {
    EXPECT_EQ(FamilyOf(c.algorithm), c.family);
    EXPECT_EQ(ToString(c.algorithm), c.description);
    EXPECT_EQ(FamilyOf(DefaultSignature(c.family)), c.family);
  }
  EXPECT_EQ(DefaultSignature(KeyFamily::kRsa), SignatureAlgorithm::kSha256WithRsa);
  EXPECT_EQ(DefaultSignature(KeyFamily::kEcdsa), SignatureAlgorithm::kEcdsaWithSha256);
  EXPECT_EQ(FamilyOf(SignatureAlgorithm::kSha512WithRsa), KeyFamily::kRsa);
  EXPECT_EQ(FamilyOf(SignatureAlgorithm::kEcdsaWithSha512), KeyFamily::kEcdsa);
  EXPECT_EQ(ToString(SignatureAlgorithm::kSha384WithRsa), "SHA384-RSA");
  EXPECT_EQ(ToString(SignatureAlgorithm::kEcdsaWithSha512), "ECDSA-SHA512");
  EXPECT_EQ(ToString(KeyFamily::kOther), "other");
}

}  // namespace
}  // namespace calico::pki
