#include "pkg/pki/key.h"

#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "pkg/base/base64.h"
#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/named_curve.h"
#include "pkg/pki/internal/pem_scan.h"
#include "pkg/pki/internal/rsa_numbers.h"
#include "pkg/pki/internal/secret_pem.h"

namespace calico::pki {
namespace {

// An RSA-16384 key in PEM has 13 KiB; certificates may stand beside it.
constexpr size_t kMaxPemBytes = 256 << 10;
constexpr size_t kMaxPemBlocks = 64;
constexpr int kMaxRsaBits = 16384;

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("parse private key: {}", cause));
}

// The only block that is a private key.
absl::StatusOr<internal::RawPemBlock> FindKeyBlock(const internal::RawPem& pem) {
  const internal::RawPemBlock* found = nullptr;
  for (const internal::RawPemBlock& block : pem.blocks) {
    if (!block.label.ends_with("PRIVATE KEY")) continue;
    if (found != nullptr) return Refuse("several private keys");
    found = &block;
  }
  if (found == nullptr) return Refuse("no PEM block with a private key");
  if (found->label == "ENCRYPTED PRIVATE KEY" ||
      found->headers.find("ENCRYPTED") != std::string_view::npos) {
    return Refuse("it is encrypted; decrypt it first, for instance with openssl pkey");
  }
  if (found->label != "RSA PRIVATE KEY" && found->label != "EC PRIVATE KEY" &&
      found->label != "PRIVATE KEY") {
    return Refuse(fmt::format("unsupported format {:?}", found->label));
  }
  return *found;
}

absl::StatusOr<openssl::EvpPkeyPtr> DecodeKey(std::string_view label,
                                              const base::SecretString& der) {
  const auto* in = reinterpret_cast<const unsigned char*>(der.view().data());
  const unsigned char* const end = in + der.size();
  const auto size = static_cast<long>(der.size());
  openssl::EvpPkeyPtr key;
  if (label == "PRIVATE KEY") {
    const openssl::Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &in, size));
    if (info != nullptr) key.reset(EVP_PKCS82PKEY(info.get()));
  } else {
    const int type = label == "RSA PRIVATE KEY" ? EVP_PKEY_RSA : EVP_PKEY_EC;
    key.reset(d2i_PrivateKey(type, nullptr, &in, size));
  }
  if (key == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument, "parse private key");
  }
  if (in != end) return Refuse("bytes left over after the key");
  return key;
}

absl::Status CheckConsistency(EVP_PKEY* key, KeyFamily family) {
  switch (family) {
    case KeyFamily::kRsa: {
      if (EVP_PKEY_get_bits(key) > kMaxRsaBits) return Refuse("the RSA key is too large");
      CALICO_ASSIGN_OR_RETURN(const internal::RsaNumbers numbers, internal::ReadRsaNumbers(key));
      return internal::CheckRsaNumbers(numbers);
    }
    case KeyFamily::kEcdsa: {
      const openssl::EvpPkeyCtxPtr ctx(EVP_PKEY_CTX_new(key, nullptr));
      if (ctx == nullptr || EVP_PKEY_pairwise_check(ctx.get()) != 1) {
        return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                                  "parse private key: it does not fit its public key");
      }
      return absl::OkStatus();
    }
    case KeyFamily::kEd25519:
      return absl::OkStatus();  // the public key is computed from the private one
    case KeyFamily::kOther:
      break;
  }
  return Refuse("neither RSA, ECDSA nor Ed25519");
}

// Null when the library fails. An RSA key has the exponent 65537, the library's default.
openssl::EvpPkeyPtr GenerateEvp(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kRsa2048:
      return openssl::EvpPkeyPtr(EVP_RSA_gen(2048));
    case KeyAlgorithm::kRsa4096:
      return openssl::EvpPkeyPtr(EVP_RSA_gen(4096));
    case KeyAlgorithm::kRsa8192:
      return openssl::EvpPkeyPtr(EVP_RSA_gen(8192));
    case KeyAlgorithm::kEcdsaP256:
      return openssl::EvpPkeyPtr(EVP_EC_gen("P-256"));
    case KeyAlgorithm::kEcdsaP384:
      return openssl::EvpPkeyPtr(EVP_EC_gen("P-384"));
    case KeyAlgorithm::kEcdsaP521:
      return openssl::EvpPkeyPtr(EVP_EC_gen("P-521"));
  }
  return nullptr;
}

}  // namespace

KeyFamily FamilyOf(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kRsa2048:
    case KeyAlgorithm::kRsa4096:
    case KeyAlgorithm::kRsa8192:
      return KeyFamily::kRsa;
    case KeyAlgorithm::kEcdsaP256:
    case KeyAlgorithm::kEcdsaP384:
    case KeyAlgorithm::kEcdsaP521:
      return KeyFamily::kEcdsa;
  }
  return KeyFamily::kOther;
}

KeyFamily FamilyOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kSha256WithRsa:
    case SignatureAlgorithm::kSha384WithRsa:
    case SignatureAlgorithm::kSha512WithRsa:
      return KeyFamily::kRsa;
    case SignatureAlgorithm::kEcdsaWithSha256:
    case SignatureAlgorithm::kEcdsaWithSha384:
    case SignatureAlgorithm::kEcdsaWithSha512:
      return KeyFamily::kEcdsa;
  }
  return KeyFamily::kOther;
}

SignatureAlgorithm DefaultSignature(KeyFamily family) {
  CALICO_CHECK(family == KeyFamily::kRsa || family == KeyFamily::kEcdsa);
  return family == KeyFamily::kRsa ? SignatureAlgorithm::kSha256WithRsa
                                   : SignatureAlgorithm::kEcdsaWithSha256;
}

std::string_view ToString(KeyAlgorithm algorithm) {
  static constexpr std::string_view kNames[] = {"RSA-2048",   "RSA-4096",   "RSA-8192",
                                                "ECDSA-P256", "ECDSA-P384", "ECDSA-P521"};
  return kNames[static_cast<size_t>(algorithm)];
}

std::string_view ToString(SignatureAlgorithm algorithm) {
  static constexpr std::string_view kNames[] = {"SHA256-RSA",   "SHA384-RSA",   "SHA512-RSA",
                                                "ECDSA-SHA256", "ECDSA-SHA384", "ECDSA-SHA512"};
  return kNames[static_cast<size_t>(algorithm)];
}

std::string_view ToString(KeyFamily family) {
  static constexpr std::string_view kNames[] = {"RSA", "ECDSA", "Ed25519", "other"};
  return kNames[static_cast<size_t>(family)];
}

struct PrivateKey::Impl {
  openssl::EvpPkeyPtr evp;  // OpenSSL clears private numbers when it frees them
  PublicKey public_key;
};

PrivateKey::PrivateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateKey::~PrivateKey() = default;
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;

absl::StatusOr<PrivateKey> PrivateKey::Generate(KeyAlgorithm algorithm) {
  const openssl::ErrorScope scope;
  openssl::EvpPkeyPtr evp = GenerateEvp(algorithm);
  if (evp == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInternal,
                              fmt::format("generate {} key", ToString(algorithm)));
  }
  return internal::KeyAccess::Adopt(std::move(evp));
}

absl::StatusOr<PrivateKey> PrivateKey::ParsePem(std::string_view pem) {
  const openssl::ErrorScope scope;
  absl::StatusOr<internal::RawPem> raw = internal::ScanPem(pem, kMaxPemBytes, kMaxPemBlocks);
  if (!raw.ok()) return base::Annotate(raw.status(), "parse private key");
  CALICO_ASSIGN_OR_RETURN(const internal::RawPemBlock block, FindKeyBlock(*raw));
  base::SecretString der = base::SecretString::OfSize(base::Base64Bound(block.body.size()));
  const absl::StatusOr<size_t> size =
      base::Base64DecodeTo(block.body, der.data(), base::Base64::kPem);
  if (!size.ok()) return Refuse("the PEM body is not base64");
  der.Shorten(*size);
  CALICO_ASSIGN_OR_RETURN(openssl::EvpPkeyPtr evp, DecodeKey(block.label, der));
  CALICO_ASSIGN_OR_RETURN(PublicKey public_key, internal::KeyAccess::FromEvp(evp.get()));
  CALICO_RETURN_IF_ERROR(CheckConsistency(evp.get(), public_key.family()));
  return PrivateKey(std::unique_ptr<Impl>(new Impl{std::move(evp), std::move(public_key)}));
}

base::SecretString PrivateKey::ToPem() const {
  const openssl::ErrorScope scope;
  if (const int curve = internal::NistCurve(public_key().curve()); curve != NID_undef) {
    const base::SecretString der = internal::Sec1Of(impl_->evp.get(), curve);
    CALICO_CHECK(!der.empty());  // as below
    return internal::SecretPem("EC PRIVATE KEY", der.view());
  }
  const bool has_own_format = family() == KeyFamily::kRsa || family() == KeyFamily::kEcdsa;
  const openssl::BioPtr bio(BIO_new(BIO_s_secmem()));
  const openssl::EncoderCtxPtr encoder(
      OSSL_ENCODER_CTX_new_for_pkey(impl_->evp.get(), EVP_PKEY_KEYPAIR, "PEM",
                                    has_own_format ? "type-specific" : "PrivateKeyInfo", nullptr));
  // Only a broken library or the end of memory can make this fail.
  CALICO_CHECK(bio != nullptr && encoder != nullptr);
  CALICO_CHECK(OSSL_ENCODER_to_bio(encoder.get(), bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  CALICO_CHECK(size > 0);
  return base::SecretString(std::string_view(data, static_cast<size_t>(size)));
}

const PublicKey& PrivateKey::public_key() const { return impl_->public_key; }

namespace internal {

EVP_PKEY* KeyAccess::Handle(const PrivateKey& key) { return key.impl_->evp.get(); }

absl::StatusOr<PrivateKey> KeyAccess::Adopt(openssl::EvpPkeyPtr key) {
  CALICO_ASSIGN_OR_RETURN(PublicKey public_key, FromEvp(key.get()));
  return PrivateKey(std::unique_ptr<PrivateKey::Impl>(
      new PrivateKey::Impl{std::move(key), std::move(public_key)}));
}

const EVP_MD* DigestOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kSha256WithRsa:
    case SignatureAlgorithm::kEcdsaWithSha256:
      return EVP_sha256();
    case SignatureAlgorithm::kSha384WithRsa:
    case SignatureAlgorithm::kEcdsaWithSha384:
      return EVP_sha384();
    case SignatureAlgorithm::kSha512WithRsa:
    case SignatureAlgorithm::kEcdsaWithSha512:
      return EVP_sha512();
  }
  return nullptr;
}

}  // namespace internal
}  // namespace calico::pki
