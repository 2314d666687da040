#include "pkg/pki/formats/pkcs12.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/pkcs12.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"
#include "pkg/pki/internal/kdf_cost.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/key_text.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

inline void FreeBags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
inline void FreeSafes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }

using Pkcs12Ptr = openssl::Handle<PKCS12, PKCS12_free>;
using BagsPtr = openssl::Handle<STACK_OF(PKCS12_SAFEBAG), FreeBags>;
using SafesPtr = openssl::Handle<STACK_OF(PKCS7), FreeSafes>;

constexpr size_t kMaxBytes = 4 << 20;
constexpr int kMaxEntries = 1024;
constexpr int kMaxDepth = 4;
constexpr int kIterations = 100'000;
constexpr std::string_view kContext = "parse PKCS#12";

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", kContext, cause));
}

// Why something in it could not be decrypted, once the passphrase is known to be right.
absl::Status NotDecrypted(const X509_ALGOR* algorithm) {
  return absl::UnimplementedError(fmt::format(
      "{}: a part is encrypted with {}, which this program leaves out or cannot undo: write it "
      "anew with openssl pkcs12 -legacy -nodes, then openssl pkcs12 -export",
      kContext, internal::EncryptionName(algorithm)));
}

// Takes the entries of the bags, and of bags in bags.
class Reader {
 public:
  // `passphrase` is null where the file was made without one.
  Reader(const char* passphrase, size_t size, internal::KdfBudget budget)
      : passphrase_(passphrase), size_(static_cast<int>(size)), budget_(budget) {}

  absl::Status ReadSafe(PKCS7* safe) {
    BagsPtr bags;
    if (PKCS7_type_is_data(safe)) {
      bags.reset(PKCS12_unpack_p7data(safe));
      if (bags == nullptr) return Refuse("damaged contents");
    } else if (PKCS7_type_is_encrypted(safe)) {
      const PKCS7_ENC_CONTENT* content = safe->d.encrypted->enc_data;
      CALICO_RETURN_IF_ERROR(base::Annotate(budget_.Spend(content->algorithm), kContext));
      bags.reset(PKCS12_unpack_p7encdata(safe, passphrase_, size_));
      if (bags == nullptr) return NotDecrypted(content->algorithm);
    } else {
      return Refuse("its contents are encrypted for a public key, not by a passphrase");
    }
    return ReadBags(bags.get(), 0);
  }

  Pkcs12Contents Take() {
    if (contents_.keys.empty()) return std::move(contents_);
    const PublicKey& key = contents_.keys.front().public_key();
    std::vector<Certificate>& all = contents_.certificates;
    const auto own = std::find_if(all.begin(), all.end(),
                                  [&](const Certificate& c) { return c.public_key() == key; });
    if (own != all.end()) std::rotate(all.begin(), own, own + 1);
    return std::move(contents_);
  }

 private:
  absl::Status ReadBags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    if (depth > kMaxDepth) return Refuse("bags too deep in each other");
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      if (++entries_ > kMaxEntries) return Refuse("too many entries");
      PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
      if (PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag) {
        CALICO_RETURN_IF_ERROR(ReadBags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1));
      } else {
        CALICO_RETURN_IF_ERROR(ReadBag(bag));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadBag(PKCS12_SAFEBAG* bag) {
    const int kind = PKCS12_SAFEBAG_get_nid(bag);
    if (kind == NID_certBag && PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate) {
      CALICO_RETURN_IF_ERROR(AddCertificate(bag));
    } else if (kind == NID_keyBag) {
      CALICO_RETURN_IF_ERROR(AddKey(PKCS12_SAFEBAG_get0_p8inf(bag)));
    } else if (kind == NID_pkcs8ShroudedKeyBag) {
      CALICO_RETURN_IF_ERROR(AddShroudedKey(bag));
    } else {
      return absl::OkStatus();
    }
    if (contents_.friendly_name.empty()) {
      const openssl::StringPtr name(PKCS12_get_friendlyname(bag));
      if (name != nullptr) contents_.friendly_name = name.get();
    }
    return absl::OkStatus();
  }

  absl::Status AddCertificate(PKCS12_SAFEBAG* bag) {
    const openssl::X509Ptr x509(PKCS12_SAFEBAG_get1_cert(bag));
    if (x509 == nullptr) return Refuse("an entry that should be a certificate is none");
    absl::StatusOr<Certificate> certificate =
        Certificate::ParseDer(internal::Encode(i2d_X509, x509.get()));
    if (!certificate.ok()) return base::Annotate(certificate.status(), kContext);
    contents_.certificates.push_back(*std::move(certificate));
    return absl::OkStatus();
  }

  absl::Status AddShroudedKey(PKCS12_SAFEBAG* bag) {
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr);
    CALICO_RETURN_IF_ERROR(base::Annotate(budget_.Spend(algorithm), kContext));
    const openssl::Pkcs8Ptr info(PKCS12_decrypt_skey(bag, passphrase_, size_));
    return info == nullptr ? NotDecrypted(algorithm) : AddKey(info.get());
  }

  absl::Status AddKey(const PKCS8_PRIV_KEY_INFO* info) {
    absl::StatusOr<PrivateKey> key = internal::KeyFromPkcs8(info);
    if (!key.ok()) return base::Annotate(key.status(), kContext);
    contents_.keys.push_back(*std::move(key));
    return absl::OkStatus();
  }

  const char* passphrase_;
  int size_;
  internal::KdfBudget budget_;
  int entries_ = 0;
  Pkcs12Contents contents_;
};

// The passphrase as the file was made with it: no passphrase at all and an empty one differ.
// Errors: Unauthenticated.
absl::StatusOr<const char*> CheckMac(PKCS12* p12, base::SecretString& passphrase,
                                     internal::KdfBudget& budget) {
  if (PKCS12_mac_present(p12) != 1) return passphrase.data();
  const ASN1_INTEGER* iterations = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, p12);
  CALICO_RETURN_IF_ERROR(base::Annotate(budget.Spend(iterations), kContext));
  const int size = static_cast<int>(passphrase.size()) - 1;
  if (PKCS12_verify_mac(p12, passphrase.data(), size) == 1) return passphrase.data();
  if (size == 0 && PKCS12_verify_mac(p12, nullptr, 0) == 1) return nullptr;
  return absl::UnauthenticatedError(
      fmt::format("{}: the passphrase is wrong, or the file is damaged", kContext));
}

}  // namespace

bool LooksLikePkcs12(std::string_view der) {
  // SEQUENCE { INTEGER 3, SEQUENCE { ... } }, perhaps with indefinite lengths, as Java writes them.
  if (der.size() < 8 || der[0] != '\x30') return false;
  const auto length = static_cast<uint8_t>(der[1]);
  const size_t header = length <= 0x80 ? 2 : 2 + (length & 0x7fU);
  return der.size() > header && der.substr(header).starts_with("\x02\x01\x03\x30");
}

absl::StatusOr<Pkcs12Contents> ParsePkcs12(std::string_view der, std::string_view passphrase) {
  const openssl::ErrorScope scope;
  if (der.size() > kMaxBytes) return Refuse("too large");
  const auto p12 = internal::DecodeAll<Pkcs12Ptr>(d2i_PKCS12, der);
  if (p12 == nullptr) return Refuse("damaged, or bytes left over");
  // The library wants the text to end.
  base::SecretString ended = base::JoinSecrets({passphrase, std::string_view("\0", 1)});
  if (passphrase.find('\0') != passphrase.npos) return Refuse("the passphrase holds a NUL");
  internal::KdfBudget budget;
  CALICO_ASSIGN_OR_RETURN(const char* text, CheckMac(p12.get(), ended, budget));
  const SafesPtr safes(PKCS12_unpack_authsafes(p12.get()));
  if (safes == nullptr) return Refuse("damaged, or protected by a public key");
  Reader reader(text, text == nullptr ? 0 : passphrase.size(), budget);
  for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
    CALICO_RETURN_IF_ERROR(reader.ReadSafe(sk_PKCS7_value(safes.get(), i)));
  }
  return reader.Take();
}

absl::StatusOr<base::SecretString> WritePkcs12(const PrivateKey& key,
                                               const std::vector<Certificate>& certificates,
                                               const std::string& alias,
                                               std::string_view passphrase) {
  const openssl::ErrorScope scope;
  const auto refuse = [](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("write PKCS#12: {}", cause));
  };
  if (certificates.empty()) return refuse("no certificate");
  if (passphrase.empty()) return refuse("the passphrase is empty, which Java does not read");
  if (passphrase.find('\0') != passphrase.npos) return refuse("the passphrase holds a NUL");
  const absl::Status match = KeyMatches(certificates.front(), key);
  if (!match.ok()) return base::Annotate(match, "write PKCS#12");
  base::SecretString ended = base::JoinSecrets({passphrase, std::string_view("\0", 1)});
  CALICO_ASSIGN_OR_RETURN(const openssl::CertificateStackPtr chain,
                          internal::ToX509Stack({certificates.begin() + 1, certificates.end()}));
  const Pkcs12Ptr p12(PKCS12_create(
      ended.data(), alias.empty() ? nullptr : alias.c_str(), internal::KeyAccess::Handle(key),
      internal::CertificateAccess::Handle(certificates.front()), chain.get(), NID_aes_256_cbc,
      NID_aes_256_cbc, kIterations, kIterations, 0));
  if (p12 == nullptr) return openssl::TakeError(absl::StatusCode::kInternal, "write PKCS#12");
  return base::SecretString(internal::Encode(i2d_PKCS12, p12.get()));
}

}  // namespace calico::pki
