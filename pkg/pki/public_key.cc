#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/core_names.h>

#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/named_curve.h"
#include "pkg/pki/key.h"

namespace calico::pki {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr uint64_t kMinRsaExponent = 65537;

KeyFamily FamilyOfEvp(const EVP_PKEY* key) {
  if (key == nullptr) return KeyFamily::kOther;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return KeyFamily::kRsa;
    case EVP_PKEY_EC:
      return KeyFamily::kEcdsa;
    case EVP_PKEY_ED25519:
      return KeyFamily::kEd25519;
    default:
      return KeyFamily::kOther;
  }
}

uint64_t RsaExponentOf(const EVP_PKEY* key) {
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return 0;
  const openssl::BnPtr owned(exponent);
  return BN_num_bits(exponent) > 64 ? 0 : BN_get_word(exponent);
}

// A curve that the library does not know is a kind we do not know; a broken RSA key is broken.
bool IsBroken(const X509_PUBKEY* info) {
  if (X509_PUBKEY_get0(info) != nullptr) return false;
  ASN1_OBJECT* algorithm = nullptr;
  X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, info);
  const int nid = OBJ_obj2nid(algorithm);
  return nid == NID_rsaEncryption || nid == NID_ED25519;
}

}  // namespace

namespace internal {

EVP_PKEY* KeyAccess::Handle(const PublicKey& key) {
  const PublicKeyHandle& handle = *key.handle_;
  return handle.own != nullptr ? handle.own.get() : X509_PUBKEY_get0(handle.info.get());
}

const X509_PUBKEY* KeyAccess::Info(const PublicKey& key) { return key.handle_->info.get(); }

absl::StatusOr<PublicKey> KeyAccess::FromInfo(const X509_PUBKEY* info) {
  auto handle = std::make_shared<PublicKeyHandle>();
  handle->info.reset(X509_PUBKEY_dup(info));  // shares the decoded key
  PublicKey key;
  // Of the original: a duplicate forgets how many bits its bit string has.
  key.der_ = Encode(i2d_X509_PUBKEY, info);
  if (handle->info == nullptr || key.der_.empty() || IsBroken(info)) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument, "parse public key");
  }
  const EVP_PKEY* evp = X509_PUBKEY_get0(handle->info.get());
  key.handle_ = std::move(handle);
  key.family_ = FamilyOfEvp(evp);
  if (key.family_ != KeyFamily::kOther) key.bits_ = EVP_PKEY_get_bits(evp);
  if (key.family_ == KeyFamily::kEcdsa) key.curve_ = CurveOf(evp);
  if (key.family_ == KeyFamily::kRsa) key.rsa_exponent_ = RsaExponentOf(evp);
  return key;
}

absl::StatusOr<PublicKey> KeyAccess::FromNamedCurve(const EVP_PKEY* evp, std::string name) {
  const int curve = NistCurve(name);
  auto handle = std::make_shared<PublicKeyHandle>();
  handle->info = PublicInfoOf(evp, curve);
  handle->own = PublicPartOf(evp, curve);
  PublicKey key;
  if (handle->info != nullptr) key.der_ = Encode(i2d_X509_PUBKEY, handle->info.get());
  if (handle->own == nullptr || key.der_.empty()) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument, "encode public key");
  }
  key.handle_ = std::move(handle);
  key.family_ = KeyFamily::kEcdsa;
  key.bits_ = EVP_PKEY_get_bits(evp);
  key.curve_ = std::move(name);
  return key;
}

absl::StatusOr<PublicKey> KeyAccess::FromEvp(const EVP_PKEY* key) {
  if (FamilyOfEvp(key) == KeyFamily::kEcdsa) {
    std::string curve = CurveOf(key);
    if (NistCurve(curve) != NID_undef) return FromNamedCurve(key, std::move(curve));
  }
  const std::string der = Encode(i2d_PUBKEY, key);
  if (der.empty())
    return openssl::TakeError(absl::StatusCode::kInvalidArgument, "encode public key");
  return PublicKey::ParseDer(der);
}

}  // namespace internal

absl::StatusOr<PublicKey> PublicKey::ParseDer(std::string_view subject_public_key_info) {
  const openssl::ErrorScope scope;
  const auto info =
      internal::DecodeAll<openssl::X509PubkeyPtr>(d2i_X509_PUBKEY, subject_public_key_info);
  if (info == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                              "parse public key: malformed, or bytes left over");
  }
  return internal::KeyAccess::FromInfo(info.get());
}

std::string PublicKey::Description() const {
  switch (family_) {
    case KeyFamily::kRsa:
      return fmt::format("RSA-{}", bits_);
    case KeyFamily::kEcdsa:
      if (curve_.starts_with("P-")) return fmt::format("ECDSA-P{}", bits_);
      return fmt::format("ECDSA on {}", curve_.empty() ? "an unnamed curve" : curve_);
    default:
      return std::string(pki::ToString(family_));
  }
}

absl::Status PublicKey::CheckStrength() const {
  const auto refuse = [this](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("check {} key: {}", Description(), cause));
  };
  if (family_ == KeyFamily::kEd25519) return absl::OkStatus();
  if (family_ == KeyFamily::kOther) return refuse("neither RSA, ECDSA nor Ed25519");
  if (family_ == KeyFamily::kRsa) {
    if (bits_ < kMinRsaBits || bits_ > kMaxRsaBits) {
      return refuse(fmt::format("RSA keys have {} to {} bits", kMinRsaBits, kMaxRsaBits));
    }
    if (rsa_exponent_ < kMinRsaExponent || rsa_exponent_ % 2 == 0) {
      return refuse("the exponent is not an odd number from 65537 up to 64 bits");
    }
  } else if (curve_ != "P-256" && curve_ != "P-384" && curve_ != "P-521") {
    return refuse("the curve is not P-256, P-384 or P-521 by name");
  }
  const openssl::ErrorScope scope;
  EVP_PKEY* evp = internal::KeyAccess::Handle(*this);
  if (family_ == KeyFamily::kRsa) {
    BIGNUM* modulus = nullptr;
    if (EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1) {
      return openssl::TakeError(absl::StatusCode::kInternal, "check key");
    }
    const openssl::BnPtr owned(modulus);
    return BN_is_odd(modulus) ? absl::OkStatus() : refuse("the modulus is even");
  }
  // A point on the curve that is not infinity; these curves have no small subgroups.
  const openssl::EvpPkeyCtxPtr ctx(EVP_PKEY_CTX_new(evp, nullptr));
  if (ctx == nullptr) return openssl::TakeError(absl::StatusCode::kInternal, "check key");
  if (EVP_PKEY_public_check_quick(ctx.get()) != 1) return refuse("not a point of the curve");
  return absl::OkStatus();
}

bool operator==(const PublicKey& a, const PublicKey& b) {
  if (a.der_ == b.der_) return true;
  if (a.family_ != b.family_ || a.family_ == KeyFamily::kOther || a.bits_ != b.bits_) return false;
  const openssl::ErrorScope scope;
  return EVP_PKEY_eq(internal::KeyAccess::Handle(a), internal::KeyAccess::Handle(b)) == 1;
}

}  // namespace calico::pki
