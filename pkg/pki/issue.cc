#include "pkg/pki/issue.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/ca/name_constraints.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/certificate_fields.h"
#include "pkg/pki/internal/extensions.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

constexpr int kSerialBytes = 16;
constexpr size_t kKeyIdBytes = 20;
constexpr int kMaxPathLength = 255;

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("issue certificate: {}", cause));
}

absl::Status Failed() {
  return openssl::TakeError(absl::StatusCode::kInternal, "issue certificate");
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

// Who signs, and what of it goes into the certificate.
struct Issuer {
  EVP_PKEY* key = nullptr;
  const EVP_MD* digest = nullptr;
  X509* certificate = nullptr;      // null: the certificate is its own issuer
  std::string_view subject_key_id;  // of `certificate`
};

const EVP_MD* DigestFor(const PublicKey& key) {
  if (key.family() == KeyFamily::kEd25519) return nullptr;
  if (key.curve() == "P-384") return EVP_sha384();
  return key.curve() == "P-521" ? EVP_sha512() : EVP_sha256();
}

absl::Status CheckTemplate(const CertificateTemplate& wanted) {
  if (wanted.not_after <= wanted.not_before) {
    return Refuse(fmt::format("it would end at {}, not after it begins at {}",
                              Rfc3339(wanted.not_after), Rfc3339(wanted.not_before)));
  }
  if (!wanted.path_length.has_value()) return absl::OkStatus();
  if (!wanted.is_ca) return Refuse("a path length without a CA");
  if (*wanted.path_length < 0 || *wanted.path_length > kMaxPathLength) {
    return Refuse(fmt::format("a path length of {}", *wanted.path_length));
  }
  return absl::OkStatus();
}

absl::Status SetSerial(X509* x509) {
  std::array<unsigned char, kSerialBytes> random;
  const openssl::BnPtr number(BN_new());
  do {
    if (number == nullptr || RAND_bytes(random.data(), kSerialBytes) != 1 ||
        BN_bin2bn(random.data(), kSerialBytes, number.get()) == nullptr) {
      return Failed();
    }
  } while (BN_is_zero(number.get()));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr
             ? Failed()
             : absl::OkStatus();
}

// RFC 7093 method 1: the first 160 bits of SHA-256 over the key's bit string.
absl::StatusOr<std::string> KeyIdOf(const X509* x509) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (X509_pubkey_digest(x509, EVP_sha256(), digest.data(), &size) != 1) return Failed();
  return std::string(reinterpret_cast<const char*>(digest.data()), kKeyIdBytes);
}

internal::Extensions ToExtensions(const CertificateTemplate& wanted) {
  internal::Extensions extensions;
  extensions.is_ca = wanted.is_ca;
  extensions.path_length = wanted.path_length;
  extensions.key_usages = wanted.key_usages;
  if (wanted.is_ca && wanted.key_usages.empty()) {
    extensions.key_usages = {KeyUsage::kCertSign, KeyUsage::kCrlSign};
  }
  extensions.extended_key_usages = wanted.extended_key_usages;
  extensions.names.dns_names = wanted.dns_names;
  extensions.names.ip_addresses = wanted.ip_addresses;
  extensions.names.emails = wanted.emails;
  extensions.names.uris = wanted.uris;
  return extensions;
}

absl::Status AddExtensions(X509* x509, const CertificateTemplate& wanted, const Issuer& issuer) {
  internal::Extensions extensions = ToExtensions(wanted);
  CALICO_ASSIGN_OR_RETURN(extensions.subject_key_id, KeyIdOf(x509));
  // A root names its own key, too: some look for a leaf's issuer by the CA's authority key id.
  extensions.authority_key_id = issuer.certificate == nullptr && wanted.is_ca
                                    ? extensions.subject_key_id
                                    : std::string(issuer.subject_key_id);
  const bool no_subject = X509_NAME_entry_count(X509_get_subject_name(x509)) == 0;
  CALICO_ASSIGN_OR_RETURN(const openssl::ExtensionStackPtr stack,
                          internal::WriteExtensions(extensions, no_subject));
  for (int i = 0; i < sk_X509_EXTENSION_num(stack.get()); ++i) {
    if (X509_add_ext(x509, sk_X509_EXTENSION_value(stack.get(), i), -1) != 1) return Failed();
  }
  return absl::OkStatus();
}

absl::StatusOr<Certificate> Build(const PublicKey& key, const CertificateTemplate& wanted,
                                  const Issuer& issuer) {
  CALICO_RETURN_IF_ERROR(CheckTemplate(wanted));
  CALICO_RETURN_IF_ERROR(key.CheckStrength());
  const openssl::X509Ptr x509(X509_new());
  if (x509 == nullptr || X509_set_version(x509.get(), X509_VERSION_3) != 1) return Failed();
  CALICO_RETURN_IF_ERROR(internal::SetPublicKey(X509_get_X509_PUBKEY(x509.get()), key));
  CALICO_RETURN_IF_ERROR(SetSerial(x509.get()));
  CALICO_RETURN_IF_ERROR(internal::SetTime(X509_getm_notBefore(x509.get()), wanted.not_before));
  CALICO_RETURN_IF_ERROR(internal::SetTime(X509_getm_notAfter(x509.get()), wanted.not_after));
  X509_NAME* subject = X509_get_subject_name(x509.get());
  CALICO_RETURN_IF_ERROR(internal::WriteName(subject, wanted.common_name, wanted.subject));
  const X509_NAME* issuer_name =
      issuer.certificate == nullptr ? subject : X509_get_subject_name(issuer.certificate);
  if (X509_set_issuer_name(x509.get(), issuer_name) != 1) return Failed();
  CALICO_RETURN_IF_ERROR(AddExtensions(x509.get(), wanted, issuer));
  if (X509_sign(x509.get(), issuer.key, issuer.digest) <= 0) return Failed();
  return internal::FromX509(x509.get());
}

absl::Status CheckAuthority(const Certificate& ca) {
  const auto refuse = [&ca](std::string_view cause) {
    return absl::InvalidArgumentError(
        fmt::format("load certificate authority {:?}: {}", ca.subject(), cause));
  };
  if (!ca.is_ca()) return refuse("the certificate is not a CA (basicConstraints)");
  if (!ca.AllowsKeyUsage(KeyUsage::kCertSign)) return refuse("keyUsage lacks keyCertSign");
  return base::Annotate(ca.public_key().CheckStrength(),
                        fmt::format("load certificate authority {:?}", ca.subject()));
}

// Each CA of `chain` allows those before it, and `below` more under the first.
absl::Status CheckPathLengths(const std::vector<Certificate>& chain, int below) {
  for (size_t i = 0; i < chain.size(); ++i) {
    const std::optional<int> limit = chain[i].path_length();
    const int used = static_cast<int>(i) + below;
    if (limit.has_value() && used > *limit) {
      return Refuse(fmt::format("the path length {} of {:?} does not allow {} CAs below it", *limit,
                                chain[i].subject(), used));
    }
  }
  return absl::OkStatus();
}

// What is wanted lies within the constraints and usages of every CA of `chain`.
absl::Status CheckConstraints(const std::vector<Certificate>& chain,
                              const CertificateTemplate& wanted) {
  for (const Certificate& ca : chain) {
    if (ca.extended_key_usages().empty() || ca.HasExtendedKeyUsage(kOidAnyExtendedKeyUsage)) {
      continue;
    }
    for (const std::string& usage : wanted.extended_key_usages) {
      if (ca.HasExtendedKeyUsage(usage)) continue;
      return absl::PermissionDeniedError(
          fmt::format("the extendedKeyUsage of the CA {:?} does not allow {}", ca.subject(),
                      ExtendedKeyUsageName(usage)));
    }
  }
  const absl::Status names = CheckNameConstraints(chain, wanted.dns_names, wanted.ip_addresses,
                                                  wanted.subject.empty() ? wanted.common_name : "");
  return names.ok() ? names : absl::PermissionDeniedError(names.message());
}

}  // namespace

absl::StatusOr<CertificateAuthority> CertificateAuthority::Create(std::vector<Certificate> chain,
                                                                  PrivateKey key) {
  const openssl::ErrorScope scope;
  if (chain.empty()) {
    return absl::InvalidArgumentError("load certificate authority: no certificate");
  }
  if (const absl::Status match = KeyMatches(chain.front(), key); !match.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("load certificate authority: {}",
                    std::string_view(match.message().data(), match.message().size())));
  }
  for (size_t i = 0; i < chain.size(); ++i) {
    CALICO_RETURN_IF_ERROR(CheckAuthority(chain[i]));
    if (i == 0) continue;
    if (!IsIssuedBy(chain[i - 1], chain[i])) {
      return absl::InvalidArgumentError(fmt::format(
          "load certificate authority: {:?} was not issued by {:?}, the next one in the "
          "chain",
          chain[i - 1].subject(), chain[i].subject()));
    }
  }
  CALICO_RETURN_IF_ERROR(CheckPathLengths(chain, /*below=*/0));
  return CertificateAuthority(std::move(chain), std::move(key));
}

absl::Time CertificateAuthority::not_after() const {
  absl::Time end = absl::InfiniteFuture();
  for (const Certificate& certificate : chain_) end = std::min(end, certificate.not_after());
  return end;
}

absl::StatusOr<Certificate> CertificateAuthority::Issue(const PublicKey& key,
                                                        const CertificateTemplate& wanted,
                                                        absl::Time now) const {
  const openssl::ErrorScope scope;
  CertificateTemplate issued = wanted;
  for (const Certificate& ca : chain_) {
    if (now < ca.not_before() || now > ca.not_after()) {
      return absl::FailedPreconditionError(fmt::format(
          "issue certificate: the CA {:?} is valid from {} to {}, now is {}", ca.subject(),
          Rfc3339(ca.not_before()), Rfc3339(ca.not_after()), Rfc3339(now)));
    }
    issued.not_before = std::max(issued.not_before, ca.not_before());
    issued.not_after = std::min(issued.not_after, ca.not_after());
  }
  if (issued.not_after <= now) {
    return Refuse(fmt::format("it would have ended at {}", Rfc3339(issued.not_after)));
  }
  if (wanted.is_ca) CALICO_RETURN_IF_ERROR(CheckPathLengths(chain_, /*below=*/1));
  CALICO_RETURN_IF_ERROR(CheckConstraints(chain_, wanted));
  return Build(key, issued,
               {.key = internal::KeyAccess::Handle(key_),
                .digest = DigestFor(key_.public_key()),
                .certificate = internal::CertificateAccess::Handle(certificate()),
                .subject_key_id = certificate().subject_key_id()});
}

std::string CertificateAuthority::ChainPem(const Certificate& leaf) const {
  std::string pem = leaf.pem();
  for (const Certificate& certificate : chain_) {
    if (!certificate.is_self_signed()) pem += certificate.pem();
  }
  return pem;
}

absl::StatusOr<Certificate> SelfSign(const PrivateKey& key, const CertificateTemplate& wanted) {
  const openssl::ErrorScope scope;
  return Build(key.public_key(), wanted,
               {.key = internal::KeyAccess::Handle(key),
                .digest = DigestFor(key.public_key()),
                .certificate = nullptr,
                .subject_key_id = {}});
}

}  // namespace calico::pki
