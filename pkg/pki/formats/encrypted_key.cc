#include "pkg/pki/formats/encrypted_key.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "pkg/base/base64.h"
#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"
#include "pkg/pki/internal/kdf_cost.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/key_text.h"
#include "pkg/pki/internal/pem_scan.h"
#include "pkg/pki/internal/secret_pem.h"

namespace calico::pki {
namespace {

using X509SigPtr = openssl::Handle<X509_SIG, X509_SIG_free>;

constexpr size_t kMaxTextBytes = 256 << 10;
constexpr size_t kMaxBlocks = 64;
constexpr int kIterations = 600'000;
constexpr int kSaltBytes = 16;
constexpr std::string_view kEncryptedLabel = "ENCRYPTED PRIVATE KEY";

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("parse private key: {}", cause));
}

absl::Status WrongPassphrase() {
  return absl::UnauthenticatedError("parse private key: the passphrase is wrong");
}

absl::Status NotInThisBuild(std::string_view encryption) {
  return absl::UnimplementedError(
      fmt::format("parse private key: it is encrypted with {}, which this program leaves out: "
                  "encrypt it anew, for instance with openssl pkcs8 -topk8 -v2 aes256 (and "
                  "-provider legacy -provider default)",
                  encryption));
}

// The kind of a DER key by its first elements; empty if it is none.
std::string_view LabelOfDer(std::string_view der) {
  internal::DerReader outer(der);
  const std::optional<std::string_view> content = outer.Take(internal::kDerSequence);
  if (!content.has_value()) return "";
  internal::DerReader reader(*content);
  const auto first = reader.Take();
  const auto second = reader.Take();
  if (!first.has_value() || !second.has_value()) return "";
  if (first->tag == internal::kDerInteger) {
    if (second->tag == internal::kDerInteger) return "RSA PRIVATE KEY";
    if (second->tag == internal::kDerOctetString) return "EC PRIVATE KEY";
    const auto third = reader.Take();
    const bool is_pkcs8 = second->tag == internal::kDerSequence && third.has_value() &&
                          third->tag == internal::kDerOctetString;
    return is_pkcs8 ? "PRIVATE KEY" : "";
  }
  const bool is_encrypted = first->tag == internal::kDerSequence &&
                            second->tag == internal::kDerOctetString && reader.empty();
  return is_encrypted ? kEncryptedLabel : "";
}

std::string EncodingOf(std::string_view label) {
  if (label == "RSA PRIVATE KEY") return "PKCS#1";
  if (label == "EC PRIVATE KEY") return "SEC1";
  return label == "PRIVATE KEY" || label == kEncryptedLabel ? "PKCS#8" : "";
}

absl::StatusOr<base::SecretString> DecodeBody(std::string_view body) {
  base::SecretString der = base::SecretString::OfSize(base::Base64Bound(body.size()));
  const absl::StatusOr<size_t> size = base::Base64DecodeTo(body, der.data(), base::Base64::kPem);
  if (!size.ok()) return Refuse("the PEM body is not base64");
  der.Shorten(*size);
  return der;
}

absl::StatusOr<ParsedKey> DecryptPkcs8(std::string_view der, bool is_pem,
                                       const PassphraseReader& passphrase) {
  const X509SigPtr sealed = internal::DecodeAll<X509SigPtr>(d2i_X509_SIG, der);
  if (sealed == nullptr) return Refuse("damaged encrypted PKCS#8");
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_get0(sealed.get(), &algorithm, &content);
  const absl::Status cost = internal::KdfBudget().Spend(algorithm);
  if (!cost.ok()) return base::Annotate(cost, "parse private key");
  KeyForm form{.encoding = "PKCS#8",
               .is_pem = is_pem,
               .is_encrypted = true,
               .encryption = internal::EncryptionName(algorithm)};
  CALICO_ASSIGN_OR_RETURN(const base::SecretString secret, passphrase());
  const openssl::Pkcs8Ptr info(
      PKCS8_decrypt(sealed.get(), secret.view().data() == nullptr ? "" : secret.view().data(),
                    static_cast<int>(secret.size())));
  if (info == nullptr) {
    const auto error = ERR_peek_error();
    const bool unsupported = ERR_GET_REASON(error) == ERR_R_UNSUPPORTED ||
                             ERR_GET_REASON(error) == EVP_R_UNSUPPORTED_ALGORITHM ||
                             ERR_GET_REASON(error) == EVP_R_UNSUPPORTED_CIPHER ||
                             ERR_GET_REASON(error) == EVP_R_UNKNOWN_PBE_ALGORITHM;
    return unsupported ? NotInThisBuild(form.encryption) : WrongPassphrase();
  }
  CALICO_ASSIGN_OR_RETURN(PrivateKey key, internal::KeyFromPkcs8(info.get()));
  return ParsedKey{std::move(key), std::move(form)};
}

int GivePassphrase(char* buffer, int size, int /*writing*/, void* secret) {
  const std::string_view text = static_cast<const base::SecretString*>(secret)->view();
  if (text.size() > static_cast<size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), buffer);
  return static_cast<int>(text.size());
}

// RFC 1423: the PEM headers say how the body is encrypted.
absl::StatusOr<ParsedKey> DecryptTraditional(const internal::RawPemBlock& block,
                                             const PassphraseReader& passphrase) {
  KeyForm form{.encoding = EncodingOf(block.label), .is_pem = true, .is_encrypted = true};
  const size_t info = block.headers.find("DEK-Info:");
  if (info != std::string_view::npos) {
    std::string_view name = block.headers.substr(info + 9);
    name = name.substr(std::min(name.find_first_not_of(' '), name.size()));
    form.encryption = std::string(name.substr(0, name.find_first_of(",\r\n")));
  }
  std::string headers(block.headers);
  if (!headers.ends_with('\n')) headers += '\n';
  EVP_CIPHER_INFO cipher{};
  if (PEM_get_EVP_CIPHER_INFO(headers.data(), &cipher) != 1 || cipher.cipher == nullptr) {
    return Refuse(fmt::format("the encryption {:?} of its headers is not known", form.encryption));
  }
  CALICO_ASSIGN_OR_RETURN(base::SecretString der, DecodeBody(block.body));
  CALICO_ASSIGN_OR_RETURN(base::SecretString secret, passphrase());
  auto size = static_cast<long>(der.size());
  if (PEM_do_header(&cipher, reinterpret_cast<unsigned char*>(der.data()), &size, GivePassphrase,
                    &secret) != 1) {
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED ? NotInThisBuild(form.encryption)
                                                                 : WrongPassphrase();
  }
  der.Shorten(static_cast<size_t>(size));
  absl::StatusOr<PrivateKey> key = internal::KeyFromDer(block.label, der.view());
  // One in 256 wrong passphrases leaves padding that looks right.
  if (!key.ok()) return WrongPassphrase();
  return ParsedKey{*std::move(key), std::move(form)};
}

absl::StatusOr<ParsedKey> ParsePemKey(std::string_view text, const internal::RawPem& pem,
                                      const PassphraseReader& passphrase) {
  const internal::RawPemBlock* found = nullptr;
  for (const internal::RawPemBlock& block : pem.blocks) {
    if (!block.label.ends_with("PRIVATE KEY")) continue;
    if (found != nullptr) return Refuse("several private keys");
    found = &block;
  }
  if (found != nullptr && found->label == kEncryptedLabel) {
    CALICO_ASSIGN_OR_RETURN(const base::SecretString der, DecodeBody(found->body));
    return DecryptPkcs8(der.view(), true, passphrase);
  }
  if (found != nullptr && found->headers.find("ENCRYPTED") != std::string_view::npos) {
    return DecryptTraditional(*found, passphrase);
  }
  if (found != nullptr && found->label == "Ed25519 PRIVATE KEY") {
    CALICO_ASSIGN_OR_RETURN(const base::SecretString der, DecodeBody(found->body));
    CALICO_ASSIGN_OR_RETURN(PrivateKey key, internal::KeyFromDer("PRIVATE KEY", der.view()));
    return ParsedKey{std::move(key), {.encoding = "PKCS#8", .is_pem = true}};
  }
  CALICO_ASSIGN_OR_RETURN(PrivateKey key, PrivateKey::ParsePem(text));
  return ParsedKey{std::move(key), {.encoding = EncodingOf(found->label), .is_pem = true}};
}

}  // namespace

absl::StatusOr<ParsedKey> ParseAnyKey(std::string_view text, const PassphraseReader& passphrase) {
  const openssl::ErrorScope scope;
  if (text.size() > kMaxTextBytes) return Refuse("too large for a key");
  const std::string_view label = LabelOfDer(text);
  if (label == kEncryptedLabel) return DecryptPkcs8(text, false, passphrase);
  if (!label.empty()) {
    CALICO_ASSIGN_OR_RETURN(PrivateKey key, internal::KeyFromDer(label, text));
    return ParsedKey{std::move(key), {.encoding = EncodingOf(label)}};
  }
  absl::StatusOr<internal::RawPem> pem = internal::ScanPem(text, kMaxTextBytes, kMaxBlocks);
  if (!pem.ok()) return base::Annotate(pem.status(), "parse private key");
  return ParsePemKey(text, *pem, passphrase);
}

bool LooksLikeKey(std::string_view text) {
  return !LabelOfDer(text).empty() || text.find("PRIVATE KEY-----") != std::string_view::npos;
}

base::SecretString ToPkcs8Der(const PrivateKey& key) {
  const openssl::ErrorScope scope;
  const openssl::Pkcs8Ptr info(EVP_PKEY2PKCS8(internal::KeyAccess::Handle(key)));
  // Only a broken library or the end of memory can make this fail.
  CALICO_CHECK(info != nullptr);
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  CALICO_CHECK(size > 0);
  base::SecretString der = base::SecretString::OfSize(static_cast<size_t>(size));
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
  return der;
}

base::SecretString ToPkcs8Pem(const PrivateKey& key) {
  return internal::SecretPem("PRIVATE KEY", ToPkcs8Der(key).view());
}

absl::StatusOr<std::string> ToEncryptedPkcs8Pem(const PrivateKey& key,
                                                std::string_view passphrase) {
  const openssl::ErrorScope scope;
  if (passphrase.empty()) {
    return absl::InvalidArgumentError("encrypt private key: the passphrase is empty");
  }
  const openssl::Pkcs8Ptr info(EVP_PKEY2PKCS8(internal::KeyAccess::Handle(key)));
  CALICO_CHECK(info != nullptr);
  openssl::Handle<X509_ALGOR, X509_ALGOR_free> algorithm(PKCS5_pbe2_set_iv(
      EVP_aes_256_cbc(), kIterations, nullptr, kSaltBytes, nullptr, NID_hmacWithSHA256));
  if (algorithm == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInternal, "encrypt private key");
  }
  const X509SigPtr sealed(PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()),
                                         info.get(), algorithm.get()));
  if (sealed == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInternal, "encrypt private key");
  }
  algorithm.release();  // NOLINT: it belongs to `sealed` now
  const std::string der = internal::Encode(i2d_X509_SIG, sealed.get());
  return std::string(internal::SecretPem(kEncryptedLabel, der).view());
}

}  // namespace calico::pki
