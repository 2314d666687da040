#include "pkg/pki/compose/crl.h"

#include <set>

#include <fmt/format.h>
#include <openssl/x509.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/compose/digest_choice.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/certificate_fields.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using CrlPtr = openssl::Handle<X509_CRL, X509_CRL_free>;
using IntegerPtr = openssl::Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using TimePtr = openssl::Handle<ASN1_TIME, ASN1_TIME_free>;

// RFC 5280 4.1.2.2: at most 20 bytes, in decimal 49 digits.
constexpr size_t kMaxSerialDigits = 49;

absl::Status Failed() {
  return openssl::TakeError(absl::StatusCode::kInternal, "make revocation list");
}

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("make revocation list: {}", cause));
}

absl::StatusOr<TimePtr> Encoded(absl::Time time) {
  TimePtr encoded(ASN1_TIME_new());
  if (encoded == nullptr) return Failed();
  CALICO_RETURN_IF_ERROR(internal::SetTime(encoded.get(), time));
  return encoded;
}

absl::StatusOr<IntegerPtr> SerialOf(const std::string& text, size_t position) {
  if (text.empty() || text.size() > kMaxSerialDigits ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    return Refuse(fmt::format("entry {}: {:?} is no serial number in decimal", position + 1,
                              text.substr(0, 60)));
  }
  BIGNUM* number = nullptr;
  const bool parsed = BN_dec2bn(&number, text.c_str()) != 0;
  const openssl::BnPtr owned(number);
  IntegerPtr serial(parsed ? BN_to_ASN1_INTEGER(number, nullptr) : nullptr);
  if (serial == nullptr) return Failed();
  return serial;
}

absl::Status AddRevoked(X509_CRL* crl, const RevokedCertificate& revoked, size_t position) {
  CALICO_ASSIGN_OR_RETURN(const IntegerPtr serial, SerialOf(revoked.serial, position));
  CALICO_ASSIGN_OR_RETURN(const TimePtr time, Encoded(revoked.revoked_at));
  X509_REVOKED* entry = X509_REVOKED_new();
  if (entry == nullptr || X509_REVOKED_set_serialNumber(entry, serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry, time.get()) != 1 ||
      X509_CRL_add0_revoked(crl, entry) != 1) {
    X509_REVOKED_free(entry);
    return Failed();
  }
  return absl::OkStatus();
}

absl::Status AddAuthority(X509_CRL* crl, const std::string& key_id) {
  if (key_id.empty()) return absl::OkStatus();
  const openssl::AuthorityKeyIdPtr value(AUTHORITY_KEYID_new());
  if (value == nullptr) return Failed();
  value->keyid = ASN1_OCTET_STRING_new();
  if (value->keyid == nullptr ||
      ASN1_OCTET_STRING_set(value->keyid, internal::ToBytes(key_id),
                            static_cast<int>(key_id.size())) != 1 ||
      X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, value.get(), 0,
                            X509V3_ADD_DEFAULT) != 1) {
    return Failed();
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const CrlParts& parts, const Certificate& issuer, const PrivateKey& key) {
  if (const absl::Status match = KeyMatches(issuer, key); !match.ok()) {
    return absl::InvalidArgumentError(match.message());
  }
  if (!issuer.AllowsKeyUsage(KeyUsage::kCrlSign)) {
    return Refuse(
        fmt::format("{:?} may not sign lists (keyUsage lacks cRLSign)", issuer.subject()));
  }
  if (parts.next_update <= parts.this_update) return Refuse("it would end before it begins");
  std::set<std::string> seen;
  for (const RevokedCertificate& revoked : parts.revoked) {
    if (!seen.insert(revoked.serial).second) {
      return Refuse(
          fmt::format("the serial number {} is there twice", revoked.serial.substr(0, 60)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ComposeCrl(const CrlParts& parts, const Certificate& issuer,
                                       const PrivateKey& key) {
  const openssl::ErrorScope scope;
  CALICO_RETURN_IF_ERROR(CheckParts(parts, issuer, key));
  const CrlPtr crl(X509_CRL_new());
  CALICO_ASSIGN_OR_RETURN(const TimePtr start, Encoded(parts.this_update));
  CALICO_ASSIGN_OR_RETURN(const TimePtr end, Encoded(parts.next_update));
  const X509_NAME* name = X509_get_subject_name(internal::CertificateAccess::Handle(issuer));
  if (crl == nullptr || X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), name) != 1 ||
      X509_CRL_set1_lastUpdate(crl.get(), start.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), end.get()) != 1) {
    return Failed();
  }
  for (size_t i = 0; i < parts.revoked.size(); ++i) {
    CALICO_RETURN_IF_ERROR(AddRevoked(crl.get(), parts.revoked[i], i));
  }
  CALICO_RETURN_IF_ERROR(AddAuthority(crl.get(), issuer.subject_key_id()));
  if (X509_CRL_sign(crl.get(), internal::KeyAccess::Handle(key),
                    internal::DigestBySize(key.public_key())) <= 0) {
    return Failed();
  }
  std::string der = internal::Encode(i2d_X509_CRL, crl.get());
  if (der.empty()) return Failed();
  return der;
}

}  // namespace calico::pki
