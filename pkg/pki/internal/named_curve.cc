#include "pkg/pki/internal/named_curve.h"

#include <string_view>

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/params.h>

namespace calico::pki::internal {
namespace {

// Two coordinates of P-521 and the byte that says how they are written.
constexpr size_t kMaxPointBytes = 2 * 66 + 1;

// Empty when the library fails.
std::string PointOf(const EVP_PKEY* key) {
  unsigned char point[kMaxPointBytes];
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &size) !=
      1) {
    return "";
  }
  return {reinterpret_cast<const char*>(point), size};
}

// The private number with all its bytes; empty when the library fails.
base::SecretString ScalarOf(const EVP_PKEY* key) {
  const auto width = static_cast<size_t>((EVP_PKEY_get_bits(key) + 7) / 8);
  base::SecretString native = base::SecretString::OfSize(width);
  OSSL_PARAM wanted[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY,
                              reinterpret_cast<unsigned char*>(native.data()), width),
      OSSL_PARAM_construct_end()};
  const openssl::BnPtr number(BN_secure_new());
  BIGNUM* target = number.get();
  base::SecretString scalar = base::SecretString::OfSize(width);
  if (target == nullptr || EVP_PKEY_get_params(key, wanted) != 1 ||
      OSSL_PARAM_modified(wanted) != 1 || OSSL_PARAM_get_BN(wanted, &target) != 1 ||
      BN_bn2binpad(target, reinterpret_cast<unsigned char*>(scalar.data()),
                   static_cast<int>(width)) < 0) {
    return {};
  }
  return scalar;
}

void Put(unsigned char*& out, std::string_view bytes) {
  for (const char byte : bytes) *out++ = static_cast<unsigned char>(byte);
}

}  // namespace

std::string CurveOf(const EVP_PKEY* key) {
  // Spelled-out parameters can look like a known curve and be another (CVE-2020-0601).
  int is_explicit = 0;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) !=
          1 ||
      is_explicit != 0) {
    return "";
  }
  char name[64];
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name, sizeof(name), &size) != 1) return "";
  const std::string_view curve(name, size);
  if (curve == "prime256v1") return "P-256";
  if (curve == "secp384r1") return "P-384";
  if (curve == "secp521r1") return "P-521";
  return std::string(curve);
}

int NistCurve(const std::string& name) {
  if (name == "P-256") return NID_X9_62_prime256v1;
  if (name == "P-384") return NID_secp384r1;
  if (name == "P-521") return NID_secp521r1;
  return NID_undef;
}

openssl::X509PubkeyPtr PublicInfoOf(const EVP_PKEY* key, int curve) {
  const std::string point = PointOf(key);
  openssl::X509PubkeyPtr info(X509_PUBKEY_new());
  if (point.empty() || info == nullptr) return nullptr;
  openssl::BytesPtr bytes(static_cast<unsigned char*>(OPENSSL_memdup(point.data(), point.size())));
  if (bytes == nullptr || X509_PUBKEY_set0_param(info.get(), OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
                                                 V_ASN1_OBJECT, OBJ_nid2obj(curve), bytes.get(),
                                                 static_cast<int>(point.size())) != 1) {
    return nullptr;
  }
  (void)bytes.release();  // `info` has it
  return info;
}

openssl::EvpPkeyPtr PublicPartOf(const EVP_PKEY* key, int curve) {
  std::string point = PointOf(key);
  std::string name = OBJ_nid2sn(curve);
  OSSL_PARAM parts[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const openssl::EvpPkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* part = nullptr;
  if (point.empty() || ctx == nullptr || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
      EVP_PKEY_fromdata(ctx.get(), &part, EVP_PKEY_PUBLIC_KEY, parts) != 1) {
    return nullptr;
  }
  return openssl::EvpPkeyPtr(part);
}

base::SecretString Sec1Of(const EVP_PKEY* key, int curve) {
  const std::string point = PointOf(key);
  const base::SecretString scalar = ScalarOf(key);
  const ASN1_OBJECT* name = OBJ_nid2obj(curve);
  const int name_size = i2d_ASN1_OBJECT(name, nullptr);
  if (point.empty() || scalar.empty() || name_size <= 0) return {};
  const auto scalar_size = static_cast<int>(scalar.size());
  const int bits_size = static_cast<int>(point.size()) + 1;  // how many bits are unused, the point
  const int point_size = ASN1_object_size(0, bits_size, V_ASN1_BIT_STRING);
  const int size = ASN1_object_size(0, 1, V_ASN1_INTEGER) +
                   ASN1_object_size(0, scalar_size, V_ASN1_OCTET_STRING) +
                   ASN1_object_size(1, name_size, 0) + ASN1_object_size(1, point_size, 1);
  base::SecretString der =
      base::SecretString::OfSize(static_cast<size_t>(ASN1_object_size(1, size, V_ASN1_SEQUENCE)));
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  ASN1_put_object(&out, 1, size, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
  ASN1_put_object(&out, 0, 1, V_ASN1_INTEGER, V_ASN1_UNIVERSAL);
  *out++ = 1;
  ASN1_put_object(&out, 0, scalar_size, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
  Put(out, scalar.view());
  ASN1_put_object(&out, 1, name_size, 0, V_ASN1_CONTEXT_SPECIFIC);
  i2d_ASN1_OBJECT(name, &out);
  ASN1_put_object(&out, 1, point_size, 1, V_ASN1_CONTEXT_SPECIFIC);
  ASN1_put_object(&out, 0, bits_size, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
  *out++ = 0;
  Put(out, point);
  return der;
}

}  // namespace calico::pki::internal
