#include "pkg/pki/certificate.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/asn1.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/extensions.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/pem.h"

namespace calico::pki {
namespace {

constexpr std::string_view kLabel = "CERTIFICATE";
constexpr PemLimits kSingleLimits = {
    .max_text_bytes = 256 << 10, .max_blocks = 2, .max_block_bytes = 128 << 10};
constexpr PemLimits kBundleLimits = {
    .max_text_bytes = 4 << 20, .max_blocks = 1024, .max_block_bytes = 128 << 10};

absl::Status Refuse(std::string_view cause) {
  return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                            fmt::format("parse certificate: {}", cause));
}

absl::StatusOr<absl::Time> ReadTime(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return Refuse("malformed time");
  return absl::FromTM(utc, absl::UTCTimeZone());
}

absl::StatusOr<std::string> ReadSerial(const ASN1_INTEGER* serial) {
  const openssl::BnPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  const openssl::StringPtr hex(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  if (hex == nullptr) return Refuse("malformed serial number");
  return std::string(hex.get());
}

std::string FirstCommonName(const std::vector<NameAttribute>& attributes) {
  for (const NameAttribute& attribute : attributes) {
    if (attribute.type == "CN" && !attribute.value.empty()) return attribute.value;
  }
  return "";
}

// The complaint about block `number`, or OK.
absl::Status CheckBlock(const PemBlock& block, size_t number, SurroundingText text) {
  const auto refuse = [number](std::string_view cause) {
    return absl::InvalidArgumentError(
        fmt::format("parse certificate bundle: block {} {}", number, cause));
  };
  if (block.label != kLabel) return refuse(fmt::format("is labelled {:?}", block.label));
  if (!block.headers.empty()) return refuse("has headers");
  if (block.text_before && text == SurroundingText::kRefuse) return refuse("has text before it");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Certificate> Certificate::ParseDer(std::string_view der) {
  const openssl::ErrorScope scope;
  if (der.size() > kSingleLimits.max_block_bytes) {
    return absl::ResourceExhaustedError(fmt::format("parse certificate: {} bytes, limit {}",
                                                    der.size(), kSingleLimits.max_block_bytes));
  }
  auto handle = std::make_shared<internal::X509Handle>();
  handle->x509 = internal::DecodeAll<openssl::X509Ptr>(d2i_X509, der);
  X509* x509 = handle->x509.get();
  if (x509 == nullptr) return Refuse("not X.509, or bytes left over");
  if (!internal::IsCanonical(i2d_X509, x509, der)) return Refuse("not DER");

  CALICO_ASSIGN_OR_RETURN(PublicKey public_key,
                          internal::KeyAccess::FromInfo(X509_get_X509_PUBKEY(x509)));
  Certificate certificate(std::move(public_key));
  certificate.der_ = std::string(der);
  certificate.handle_ = std::move(handle);
  const X509_NAME* subject = X509_get_subject_name(x509);
  CALICO_ASSIGN_OR_RETURN(std::vector<NameAttribute> attributes, internal::ReadName(subject));
  certificate.SetSubject(std::move(attributes));
  certificate.subject_ = internal::NameText(subject);
  const X509_NAME* issuer = X509_get_issuer_name(x509);
  CALICO_ASSIGN_OR_RETURN(attributes, internal::ReadName(issuer));
  certificate.issuer_common_name_ = FirstCommonName(attributes);
  certificate.issuer_ = internal::NameText(issuer);
  CALICO_ASSIGN_OR_RETURN(certificate.serial_, ReadSerial(X509_get0_serialNumber(x509)));
  CALICO_ASSIGN_OR_RETURN(certificate.not_before_, ReadTime(X509_get0_notBefore(x509)));
  CALICO_ASSIGN_OR_RETURN(certificate.not_after_, ReadTime(X509_get0_notAfter(x509)));

  CALICO_ASSIGN_OR_RETURN(internal::Extensions extensions,
                          internal::ReadExtensions(X509_get0_extensions(x509)));
  certificate.SetExtensions(std::move(extensions));
  certificate.is_self_signed_ = X509_self_signed(x509, /*verify_signature=*/1) == 1;
  return certificate;
}

void Certificate::SetSubject(std::vector<NameAttribute> attributes) {
  subject_attributes_ = std::move(attributes);
  common_name_ = FirstCommonName(subject_attributes_);
}

void Certificate::SetExtensions(internal::Extensions extensions) {
  is_ca_ = extensions.is_ca.value_or(false);
  if (is_ca_) path_length_ = extensions.path_length;
  key_usages_ = extensions.key_usages;
  extended_key_usages_ = std::move(extensions.extended_key_usages);
  dns_names_ = std::move(extensions.names.dns_names);
  ip_addresses_ = std::move(extensions.names.ip_addresses);
  emails_ = std::move(extensions.names.emails);
  uris_ = std::move(extensions.names.uris);
  subject_key_id_ = std::move(extensions.subject_key_id);
  authority_key_id_ = std::move(extensions.authority_key_id);
}

absl::StatusOr<Certificate> Certificate::ParsePem(std::string_view pem) {
  CALICO_ASSIGN_OR_RETURN(const std::string der, ParseSinglePem(pem, kLabel, kSingleLimits));
  return ParseDer(der);
}

absl::StatusOr<std::vector<Certificate>> Certificate::ParsePemBundle(std::string_view pem,
                                                                     SurroundingText text) {
  CALICO_ASSIGN_OR_RETURN(const PemText blocks, pki::ParsePem(pem, kBundleLimits));
  std::vector<Certificate> certificates;
  for (const PemBlock& block : blocks.blocks) {
    const size_t number = certificates.size() + 1;
    CALICO_RETURN_IF_ERROR(CheckBlock(block, number, text));
    absl::StatusOr<Certificate> certificate = ParseDer(block.der);
    if (!certificate.ok()) {
      return base::Annotate(certificate.status(),
                            fmt::format("parse certificate bundle: block {}", number));
    }
    certificates.push_back(*std::move(certificate));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError("parse certificate bundle: no CERTIFICATE block");
  }
  if (blocks.text_after && text == SurroundingText::kRefuse) {
    return absl::InvalidArgumentError("parse certificate bundle: text after the last block");
  }
  return certificates;
}

std::string Certificate::pem() const { return EncodePem(kLabel, der_); }

bool Certificate::HasExtendedKeyUsage(std::string_view oid) const {
  return std::find(extended_key_usages_.begin(), extended_key_usages_.end(), oid) !=
         extended_key_usages_.end();
}

std::string ToPemBundle(const std::vector<Certificate>& certificates) {
  std::string bundle;
  for (const Certificate& certificate : certificates) bundle += certificate.pem();
  return bundle;
}

namespace internal {

X509* CertificateAccess::Handle(const Certificate& certificate) {
  return certificate.handle_->x509.get();
}

absl::StatusOr<openssl::CertificateStackPtr> ToX509Stack(
    const std::vector<Certificate>& certificates) {
  openssl::CertificateStackPtr stack(sk_X509_new_null());
  if (stack == nullptr)
    return openssl::TakeError(absl::StatusCode::kInternal, "collect certificates");
  for (const Certificate& certificate : certificates) {
    if (X509_add_cert(stack.get(), CertificateAccess::Handle(certificate), X509_ADD_FLAG_UP_REF) !=
        1) {
      return openssl::TakeError(absl::StatusCode::kInternal, "collect certificates");
    }
  }
  return stack;
}

absl::StatusOr<Certificate> FromX509(X509* certificate) {
  const std::string der = Encode(i2d_X509, certificate);
  absl::StatusOr<Certificate> result = Certificate::ParseDer(der);
  if (!result.ok()) {
    return absl::InternalError(fmt::format("read new certificate: {}", result.status().ToString()));
  }
  return result;
}

}  // namespace internal
}  // namespace calico::pki
