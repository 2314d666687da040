#include "pkg/pki/compose/composition.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include "pkg/base/status_macros.h"
#include "pkg/base/utf8.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/compose/composed_extensions.h"
#include "pkg/pki/compose/digest_choice.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/certificate_fields.h"
#include "pkg/pki/internal/der.h"
#include "pkg/pki/internal/extensions.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using ObjectPtr = openssl::Handle<ASN1_OBJECT, ASN1_OBJECT_free>;

constexpr size_t kSerialBytes = 20;
constexpr std::string_view kEmailOid = "1.2.840.113549.1.9.1";

absl::Status Failed(std::string_view context) {
  return openssl::TakeError(absl::StatusCode::kInternal, context);
}

// X.680 41.4: what a PrintableString may hold.
bool IsPrintable(std::string_view text) {
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric && std::string_view(" '()+,-./:=?").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

absl::Status AddAttribute(X509_NAME* name, const NameAttribute& attribute, bool joins_previous) {
  const std::string known(SubjectAttributeOid(attribute.type));
  const std::string& oid = known.empty() ? attribute.type : known;
  const ObjectPtr object(OBJ_txt2obj(oid.c_str(), /*no_name=*/1));
  if (object == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                              fmt::format("write name: {:?} is no attribute", attribute.type));
  }
  if (!base::IsUtf8(attribute.value) || attribute.value.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        fmt::format("write name: the value of {} is not UTF-8 text", attribute.type));
  }
  int type = IsPrintable(attribute.value) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
  // RFC 5280 4.1.2.6 wants IA5String for the one that has an @.
  if (oid == kEmailOid) type = V_ASN1_IA5STRING;
  if (X509_NAME_add_entry_by_OBJ(name, object.get(), type, internal::ToBytes(attribute.value),
                                 static_cast<int>(attribute.value.size()), -1,
                                 joins_previous ? -1 : 0) != 1) {
    return Failed("write name");
  }
  return absl::OkStatus();
}

absl::Status WriteSubject(X509_NAME* name, const SubjectName& subject) {
  for (const RelativeName& relative : subject) {
    for (size_t i = 0; i < relative.size(); ++i) {
      CALICO_RETURN_IF_ERROR(AddAttribute(name, relative[i], /*joins_previous=*/i > 0));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SubjectName> ReadSubject(const X509_NAME* name) {
  CALICO_ASSIGN_OR_RETURN(std::vector<NameAttribute> attributes, internal::ReadName(name));
  SubjectName subject;
  int set = -1;
  for (size_t i = 0; i < attributes.size(); ++i) {
    const int own = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, static_cast<int>(i)));
    if (subject.empty() || own != set) subject.emplace_back();
    set = own;
    subject.back().push_back(std::move(attributes[i]));
  }
  return subject;
}

// Positive, and at most 20 bytes (RFC 5280 4.1.2.2).
absl::Status SetSerial(X509* x509, std::string_view serial) {
  const openssl::BnPtr number(
      BN_bin2bn(internal::ToBytes(serial), static_cast<int>(serial.size()), nullptr));
  if (number == nullptr) return Failed("write serial number");
  if (BN_is_zero(number.get())) {
    return absl::InvalidArgumentError("issue certificate: the serial number is zero");
  }
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr
             ? Failed("write serial number")
             : absl::OkStatus();
}

absl::StatusOr<std::string> KeyIdOf(const X509* x509) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (X509_pubkey_digest(x509, EVP_sha1(), digest.data(), &size) != 1) {
    return Failed("make subject key identifier");
  }
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

absl::Status SetNames(X509* x509, const CertificateParts& parts, const Certificate* issuer) {
  X509_NAME* subject = X509_get_subject_name(x509);
  CALICO_RETURN_IF_ERROR(WriteSubject(subject, parts.subject));
  const X509_NAME* issuer_name =
      issuer == nullptr ? subject
                        : X509_get_subject_name(internal::CertificateAccess::Handle(*issuer));
  return X509_set_issuer_name(x509, issuer_name) == 1 ? absl::OkStatus()
                                                      : Failed("issue certificate");
}

std::vector<RawExtension> ReadRaw(const STACK_OF(X509_EXTENSION) * stack) {
  std::vector<RawExtension> result;
  for (int i = 0; i < sk_X509_EXTENSION_num(stack); ++i) {
    X509_EXTENSION* extension = sk_X509_EXTENSION_value(stack, i);
    result.push_back({.oid = internal::OidOf(X509_EXTENSION_get_object(extension)),
                      .critical = X509_EXTENSION_get_critical(extension) != 0,
                      .der = std::string(internal::ContentOf(X509_EXTENSION_get_data(extension)))});
  }
  return result;
}

// A request that was read once can be read again.
absl::StatusOr<openssl::X509ReqPtr> Decoded(const CertificateRequest& request) {
  auto decoded = internal::DecodeAll<openssl::X509ReqPtr>(d2i_X509_REQ, request.der());
  if (decoded == nullptr) return Failed("read certificate request");
  return decoded;
}

}  // namespace

absl::StatusOr<std::string> ComposeRequest(const PrivateKey& key, const RequestParts& parts) {
  const openssl::ErrorScope scope;
  EVP_PKEY* evp = internal::KeyAccess::Handle(key);
  const openssl::X509ReqPtr x509(X509_REQ_new());
  if (x509 == nullptr || X509_REQ_set_version(x509.get(), X509_REQ_VERSION_1) != 1) {
    return Failed("create certificate request");
  }
  CALICO_RETURN_IF_ERROR(
      internal::SetPublicKey(X509_REQ_get_X509_PUBKEY(x509.get()), key.public_key()));
  CALICO_RETURN_IF_ERROR(WriteSubject(X509_REQ_get_subject_name(x509.get()), parts.subject));
  CALICO_ASSIGN_OR_RETURN(const openssl::ExtensionStackPtr extensions,
                          internal::ComposeExtensions(parts));
  if (sk_X509_EXTENSION_num(extensions.get()) > 0 &&
      X509_REQ_add_extensions(x509.get(), extensions.get()) != 1) {
    return Failed("create certificate request");
  }
  if (X509_REQ_sign(x509.get(), evp, internal::DigestBySize(key.public_key())) <= 0) {
    return Failed("create certificate request");
  }
  std::string der = internal::Encode(i2d_X509_REQ, x509.get());
  if (der.empty()) return Failed("create certificate request");
  return der;
}

absl::StatusOr<std::string> ComposeCertificate(const PublicKey& key, const CertificateParts& parts,
                                               IssuerView issuer) {
  const openssl::ErrorScope scope;
  if (issuer.certificate != nullptr) {
    if (const absl::Status match = KeyMatches(*issuer.certificate, *issuer.key); !match.ok()) {
      return absl::InvalidArgumentError(match.message());
    }
  }
  const openssl::X509Ptr x509(X509_new());
  if (x509 == nullptr || X509_set_version(x509.get(), X509_VERSION_3) != 1) {
    return Failed("issue certificate");
  }
  CALICO_RETURN_IF_ERROR(internal::SetPublicKey(X509_get_X509_PUBKEY(x509.get()), key));
  std::string serial = parts.serial;
  if (serial.empty()) {
    CALICO_ASSIGN_OR_RETURN(serial, NewSerial());
  }
  CALICO_RETURN_IF_ERROR(SetSerial(x509.get(), serial));
  CALICO_RETURN_IF_ERROR(internal::SetTime(X509_getm_notBefore(x509.get()), parts.not_before));
  CALICO_RETURN_IF_ERROR(internal::SetTime(X509_getm_notAfter(x509.get()), parts.not_after));
  CALICO_RETURN_IF_ERROR(SetNames(x509.get(), parts, issuer.certificate));
  CALICO_ASSIGN_OR_RETURN(const std::string key_id, KeyIdOf(x509.get()));
  const std::string authority =
      issuer.certificate == nullptr ? std::string() : issuer.certificate->subject_key_id();
  CALICO_ASSIGN_OR_RETURN(const openssl::ExtensionStackPtr extensions,
                          internal::ComposeExtensions(parts, key_id, authority));
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    if (X509_add_ext(x509.get(), sk_X509_EXTENSION_value(extensions.get(), i), -1) != 1) {
      return Failed("issue certificate");
    }
  }
  if (X509_sign(x509.get(), internal::KeyAccess::Handle(*issuer.key),
                internal::DigestBySize(issuer.key->public_key())) <= 0) {
    return Failed("issue certificate");
  }
  std::string der = internal::Encode(i2d_X509, x509.get());
  if (der.empty()) return Failed("issue certificate");
  return der;
}

absl::StatusOr<std::string> NewSerial() {
  const openssl::ErrorScope scope;
  std::array<unsigned char, kSerialBytes> random{};
  do {
    if (RAND_bytes(random.data(), kSerialBytes) != 1) return Failed("make serial number");
    random[0] &= 0x7f;
  } while (random[0] == 0);
  return std::string(reinterpret_cast<const char*>(random.data()), kSerialBytes);
}

absl::StatusOr<SubjectName> SubjectNameOf(const CertificateRequest& request) {
  const openssl::ErrorScope scope;
  CALICO_ASSIGN_OR_RETURN(const openssl::X509ReqPtr decoded, Decoded(request));
  return ReadSubject(X509_REQ_get_subject_name(decoded.get()));
}

absl::StatusOr<SubjectName> SubjectNameOf(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  return ReadSubject(X509_get_subject_name(internal::CertificateAccess::Handle(certificate)));
}

absl::StatusOr<SubjectName> IssuerNameOf(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  return ReadSubject(X509_get_issuer_name(internal::CertificateAccess::Handle(certificate)));
}

absl::StatusOr<std::vector<RawExtension>> ExtensionsOf(const CertificateRequest& request) {
  const openssl::ErrorScope scope;
  CALICO_ASSIGN_OR_RETURN(const openssl::X509ReqPtr decoded, Decoded(request));
  const openssl::ExtensionStackPtr stack(X509_REQ_get_extensions(decoded.get()));
  return ReadRaw(stack.get());
}

absl::StatusOr<std::vector<RawExtension>> ExtensionsOf(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  return ReadRaw(X509_get0_extensions(internal::CertificateAccess::Handle(certificate)));
}

absl::StatusOr<std::optional<CaConstraints>> ConstraintsOf(const CertificateRequest& request) {
  const openssl::ErrorScope scope;
  CALICO_ASSIGN_OR_RETURN(const openssl::X509ReqPtr decoded, Decoded(request));
  const openssl::ExtensionStackPtr stack(X509_REQ_get_extensions(decoded.get()));
  CALICO_ASSIGN_OR_RETURN(const internal::Extensions extensions,
                          internal::ReadExtensions(stack.get()));
  if (!extensions.is_ca.has_value()) return std::optional<CaConstraints>();
  return std::optional<CaConstraints>(
      CaConstraints{.is_ca = *extensions.is_ca, .path_length = extensions.path_length});
}

bool IsObjectIdentifier(std::string_view text) {
  const openssl::ErrorScope scope;
  if (text.empty() || text.size() > 256 ||
      text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return false;
  }
  return ObjectPtr(OBJ_txt2obj(std::string(text).c_str(), /*no_name=*/1)) != nullptr;
}

bool IsDerElement(std::string_view bytes) {
  return internal::CheckDer(bytes, internal::FalseBoolean::kAllowed).ok();
}

std::string DecimalSerial(std::string_view hex) {
  const openssl::ErrorScope scope;
  BIGNUM* number = nullptr;
  const int digits = BN_hex2bn(&number, std::string(hex).c_str());
  const openssl::BnPtr owned(number);
  if (digits == 0) return "";
  const openssl::StringPtr decimal(BN_bn2dec(number));
  return decimal == nullptr ? "" : decimal.get();
}

std::string DecimalOfBytes(std::string_view serial) {
  const openssl::ErrorScope scope;
  const openssl::BnPtr number(
      BN_bin2bn(internal::ToBytes(serial), static_cast<int>(serial.size()), nullptr));
  const openssl::StringPtr decimal(number == nullptr ? nullptr : BN_bn2dec(number.get()));
  return decimal == nullptr ? "" : decimal.get();
}

}  // namespace calico::pki
