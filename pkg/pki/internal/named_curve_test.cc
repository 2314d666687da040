#include "pkg/pki/internal/named_curve.h"

#include <string>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>

#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"

namespace calico::pki::internal {
namespace {

const char* const kCurves[] = {"P-256", "P-384", "P-521"};

// What the library's own encoder makes of it.
std::string EncodedByLibrary(const EVP_PKEY* key) {
  const openssl::EncoderCtxPtr encoder(
      OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", "type-specific", nullptr));
  unsigned char* der = nullptr;
  size_t size = 0;
  EXPECT_EQ(OSSL_ENCODER_to_data(encoder.get(), &der, &size), 1);
  const openssl::BytesPtr owned(der);
  return {reinterpret_cast<const char*>(der), size};
}

openssl::BnPtr PrivateNumber(const EVP_PKEY* key) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number);
  return openssl::BnPtr(number);
}

// The key whose private number is 1, so that its public point is the generator.
openssl::EvpPkeyPtr KeyOfOne(const char* curve, size_t width) {
  std::string sec1 = std::string("\x30", 1);
  std::string body("\x02\x01\x01\x04", 4);
  body += static_cast<char>(width);
  body += std::string(width - 1, '\0') + '\x01';
  ASN1_OBJECT* object = OBJ_nid2obj(NistCurve(curve));
  const std::string oid = Encode(i2d_ASN1_OBJECT, object);
  body += '\xa0';
  body += static_cast<char>(oid.size());
  body += oid;
  sec1 += static_cast<char>(body.size());
  sec1 += body;
  const unsigned char* in = ToBytes(sec1);
  return openssl::EvpPkeyPtr(
      d2i_PrivateKey(EVP_PKEY_EC, nullptr, &in, static_cast<long>(sec1.size())));
}

TEST(NamedCurveTest, EncodesAsTheLibraryDoes) {
  for (const char* curve : kCurves) {
    SCOPED_TRACE(curve);
    // Numbers that begin with zero bits are rare enough to need several keys, cheap as they are.
    for (int i = 0; i < 300; ++i) {
      const openssl::EvpPkeyPtr key(EVP_EC_gen(curve));
      ASSERT_NE(key, nullptr);
      ASSERT_EQ(CurveOf(key.get()), curve);
      const int nid = NistCurve(curve);
      const openssl::X509PubkeyPtr info = PublicInfoOf(key.get(), nid);
      ASSERT_NE(info, nullptr);
      ASSERT_EQ(Encode(i2d_X509_PUBKEY, info.get()), Encode(i2d_PUBKEY, key.get()));
      ASSERT_EQ(Sec1Of(key.get(), nid).view(), EncodedByLibrary(key.get()));
    }
  }
}

TEST(NamedCurveTest, ACompressedPointStaysOne) {
  const openssl::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                           OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED),
            1);
  const int nid = NistCurve("P-256");
  const openssl::X509PubkeyPtr info = PublicInfoOf(key.get(), nid);
  EXPECT_EQ(Encode(i2d_X509_PUBKEY, info.get()), Encode(i2d_PUBKEY, key.get()));
  EXPECT_EQ(Sec1Of(key.get(), nid).view(), EncodedByLibrary(key.get()));
  EXPECT_EQ(EVP_PKEY_eq(PublicPartOf(key.get(), nid).get(), key.get()), 1);
}

TEST(NamedCurveTest, ASmallPrivateNumberKeepsItsLength) {
  const size_t kWidths[] = {32, 48, 66};
  for (size_t i = 0; i < std::size(kWidths); ++i) {
    SCOPED_TRACE(kCurves[i]);
    const openssl::EvpPkeyPtr key = KeyOfOne(kCurves[i], kWidths[i]);
    ASSERT_NE(key, nullptr);
    const base::SecretString sec1 = Sec1Of(key.get(), NistCurve(kCurves[i]));
    const std::string scalar = std::string(kWidths[i] - 1, '\0') + '\x01';
    EXPECT_NE(sec1.view().find(static_cast<char>(kWidths[i]) + scalar + '\xa0'),
              std::string_view::npos);
  }
}

TEST(NamedCurveTest, ThePublicPartIsTheSameKeyWithoutItsPrivateNumber) {
  for (const char* curve : kCurves) {
    SCOPED_TRACE(curve);
    const openssl::EvpPkeyPtr key(EVP_EC_gen(curve));
    const openssl::EvpPkeyPtr part = PublicPartOf(key.get(), NistCurve(curve));
    ASSERT_NE(part, nullptr);
    EXPECT_EQ(EVP_PKEY_eq(part.get(), key.get()), 1);
    EXPECT_EQ(CurveOf(part.get()), curve);
    EXPECT_EQ(Encode(i2d_PUBKEY, part.get()), Encode(i2d_PUBKEY, key.get()));
    EXPECT_NE(PrivateNumber(key.get()), nullptr);
    EXPECT_EQ(PrivateNumber(part.get()), nullptr);
  }
}

TEST(NamedCurveTest, OtherKeysAreLeftToTheLibrary) {
  const openssl::EvpPkeyPtr koblitz(EVP_EC_gen("secp256k1"));
  EXPECT_EQ(CurveOf(koblitz.get()), "secp256k1");
  EXPECT_EQ(NistCurve(CurveOf(koblitz.get())), NID_undef);
  const openssl::EvpPkeyPtr edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(CurveOf(edwards.get()), "");
  EXPECT_EQ(NistCurve(""), NID_undef);
  // The library's names are not the standard's.
  EXPECT_EQ(NistCurve("prime256v1"), NID_undef);
}

TEST(NamedCurveTest, ASpelledOutCurveHasNoName) {
  const openssl::EvpPkeyPtr named(EVP_EC_gen("P-256"));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(named.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                           OSSL_PKEY_EC_ENCODING_EXPLICIT),
            1);
  const std::string der = Encode(i2d_PUBKEY, named.get());
  const auto spelled_out = DecodeAll<openssl::X509PubkeyPtr>(d2i_X509_PUBKEY, der);
  ASSERT_NE(spelled_out, nullptr);
  ASSERT_NE(X509_PUBKEY_get0(spelled_out.get()), nullptr);
  EXPECT_EQ(CurveOf(X509_PUBKEY_get0(spelled_out.get())), "");
}

}  // namespace
}  // namespace calico::pki::internal
