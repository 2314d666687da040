#include "pkg/pki/certificate_request.h"

#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/certificate_fields.h"
#include "pkg/pki/internal/der.h"
#include "pkg/pki/internal/extensions.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/pem.h"

namespace calico::pki {
namespace {

constexpr std::string_view kLabel = "CERTIFICATE REQUEST";
constexpr PemLimits kLimits = {
    .max_text_bytes = 64 << 10, .max_blocks = 2, .max_block_bytes = 48 << 10};

absl::Status Failed(absl::StatusCode code) {
  return openssl::TakeError(code, "create certificate request");
}

absl::StatusOr<const EVP_MD*> ChooseDigest(const PrivateKey& key,
                                           std::optional<SignatureAlgorithm> wanted) {
  const KeyFamily family = key.family();
  if (!wanted.has_value()) {
    if (family == KeyFamily::kEd25519) return nullptr;
    return internal::DigestOf(DefaultSignature(family));
  }
  if (FamilyOf(*wanted) != family) {
    return absl::InvalidArgumentError(
        fmt::format("create certificate request: {} cannot sign with an {} key", ToString(*wanted),
                    ToString(family)));
  }
  return internal::DigestOf(*wanted);
}

internal::Extensions ToExtensions(const CertificateRequestTemplate& request) {
  internal::Extensions extensions;
  extensions.is_ca = request.is_ca;
  extensions.key_usages = request.key_usages;
  extensions.extended_key_usages = request.extended_key_usages;
  extensions.names.dns_names = request.dns_names;
  extensions.names.ip_addresses = request.ip_addresses;
  extensions.names.emails = request.emails;
  extensions.names.uris = request.uris;
  return extensions;
}

absl::Status Refused(std::string_view cause) {
  return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                            fmt::format("parse certificate request: {}", cause));
}

absl::Status Refused(const absl::Status& cause) {
  return Refused(std::string_view(cause.message().data(), cause.message().size()));
}

// The extensions that the request asks for; null if it asks for none. Several attributes, or
// several values of one, would let two readers see two different requests: refused. Every other
// attribute goes to `others`.
absl::StatusOr<openssl::ExtensionStackPtr> RequestedExtensions(X509_REQ* request,
                                                               std::vector<std::string>& others) {
  int found = 0;
  for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
    X509_ATTRIBUTE* attribute = X509_REQ_get_attr(request, i);
    const ASN1_OBJECT* type = X509_ATTRIBUTE_get0_object(attribute);
    if (OBJ_obj2nid(type) != NID_ext_req) {
      others.push_back(internal::OidOf(type));
      continue;
    }
    if (++found > 1) return Refused("several extension requests");
    if (X509_ATTRIBUTE_count(attribute) != 1) {
      return Refused("an extension request without exactly one value");
    }
  }
  if (found == 0) return openssl::ExtensionStackPtr();
  openssl::ExtensionStackPtr stack(X509_REQ_get_extensions(request));
  if (stack == nullptr) return Refused("malformed extension request");
  return stack;
}

// Whether the whole request is DER. The library keeps the bytes that it has read, so that encoding
// again shows no more than the outer shell.
absl::Status CheckForm(std::string_view der) {
  CALICO_RETURN_IF_ERROR(internal::CheckDer(der, internal::FalseBoolean::kRefused));
  CALICO_ASSIGN_OR_RETURN(const auto request, internal::DerChildren(der));
  CALICO_ASSIGN_OR_RETURN(const auto parts, internal::DerChildren(request.at(0).content));
  CALICO_ASSIGN_OR_RETURN(const auto info, internal::DerChildren(parts.at(0).content));
  // attributes [0] IMPLICIT SET OF (RFC 2986 4.1).
  for (const internal::DerElement& field : info) {
    if (field.identifier == 0xa0) CALICO_RETURN_IF_ERROR(internal::CheckSetOrder(field.content));
  }
  return absl::OkStatus();
}

// The same for the extensions that the accessors show, which sit in OCTET STRINGs.
absl::Status CheckForm(const STACK_OF(X509_EXTENSION) * stack) {
  for (int i = 0; i < sk_X509_EXTENSION_num(stack); ++i) {
    X509_EXTENSION* extension = sk_X509_EXTENSION_value(stack, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (nid != NID_basic_constraints && nid != NID_key_usage && nid != NID_ext_key_usage &&
        nid != NID_subject_alt_name && nid != NID_subject_key_identifier) {
      continue;
    }
    const std::string_view der = internal::ContentOf(X509_EXTENSION_get_data(extension));
    CALICO_RETURN_IF_ERROR(internal::CheckDer(der, internal::FalseBoolean::kRefused));
    if (nid == NID_key_usage) CALICO_RETURN_IF_ERROR(internal::CheckNamedBits(der));
  }
  return absl::OkStatus();
}

// An RSA key is a SEQUENCE inside of a BIT STRING; the others are plain bytes.
absl::Status CheckForm(const X509_PUBKEY* info) {
  ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* key = nullptr;
  int size = 0;
  if (X509_PUBKEY_get0_param(&algorithm, &key, &size, nullptr, info) != 1 ||
      OBJ_obj2nid(algorithm) != NID_rsaEncryption) {
    return absl::OkStatus();
  }
  return internal::CheckDer({reinterpret_cast<const char*>(key), static_cast<size_t>(size)},
                            internal::FalseBoolean::kRefused);
}

// What a signature must be made with: SHA-2, or Ed25519.
bool IsStrongSignature(int signature_nid) {
  switch (signature_nid) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
    case NID_ED25519:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct internal::X509ReqHandle {
  openssl::X509ReqPtr x509;
};

absl::StatusOr<std::string> CreateCertificateRequest(const PrivateKey& key,
                                                     const CertificateRequestTemplate& request) {
  const openssl::ErrorScope scope;
  EVP_PKEY* evp = internal::KeyAccess::Handle(key);
  CALICO_ASSIGN_OR_RETURN(const EVP_MD* digest, ChooseDigest(key, request.signature_algorithm));
  const openssl::X509ReqPtr x509(X509_REQ_new());
  if (x509 == nullptr || X509_REQ_set_version(x509.get(), X509_REQ_VERSION_1) != 1) {
    return Failed(absl::StatusCode::kInternal);
  }
  CALICO_RETURN_IF_ERROR(
      internal::SetPublicKey(X509_REQ_get_X509_PUBKEY(x509.get()), key.public_key()));
  X509_NAME* subject = X509_REQ_get_subject_name(x509.get());
  CALICO_RETURN_IF_ERROR(internal::WriteName(subject, request.common_name, request.subject));
  CALICO_ASSIGN_OR_RETURN(
      const openssl::ExtensionStackPtr extensions,
      internal::WriteExtensions(ToExtensions(request), X509_NAME_entry_count(subject) == 0));
  if (X509_REQ_add_extensions(x509.get(), extensions.get()) != 1 ||
      X509_REQ_sign(x509.get(), evp, digest) <= 0) {
    return Failed(absl::StatusCode::kInternal);
  }
  const std::string der = internal::Encode(i2d_X509_REQ, x509.get());
  if (der.empty()) return Failed(absl::StatusCode::kInternal);
  return EncodePem(kLabel, der);
}

absl::StatusOr<CertificateRequest> CertificateRequest::ParsePem(std::string_view pem) {
  CALICO_ASSIGN_OR_RETURN(const std::string der, ParseSinglePem(pem, kLabel, kLimits));
  return ParseDer(der);
}

absl::StatusOr<CertificateRequest> CertificateRequest::ParseDer(std::string_view der) {
  const openssl::ErrorScope scope;
  if (der.size() > kLimits.max_block_bytes) {
    return absl::ResourceExhaustedError(fmt::format("parse certificate request: {} bytes, limit {}",
                                                    der.size(), kLimits.max_block_bytes));
  }
  auto handle = std::make_shared<internal::X509ReqHandle>();
  handle->x509 = internal::DecodeAll<openssl::X509ReqPtr>(d2i_X509_REQ, der);
  X509_REQ* x509 = handle->x509.get();
  if (x509 == nullptr) return Refused("not PKCS#10, or bytes left over");
  if (!internal::IsCanonical(i2d_X509_REQ, x509, der)) return Refused("not DER");
  if (const absl::Status form = CheckForm(der); !form.ok()) return Refused(form);
  if (X509_REQ_get_version(x509) != X509_REQ_VERSION_1) return Refused("unknown version");

  const X509_PUBKEY* info = X509_REQ_get_X509_PUBKEY(x509);
  CALICO_ASSIGN_OR_RETURN(PublicKey public_key, internal::KeyAccess::FromInfo(info));
  if (const absl::Status form = CheckForm(info); !form.ok()) return Refused(form);
  CertificateRequest request(std::move(public_key));
  request.der_ = std::string(der);
  request.handle_ = std::move(handle);
  const X509_NAME* subject = X509_REQ_get_subject_name(x509);
  CALICO_ASSIGN_OR_RETURN(std::vector<NameAttribute> attributes, internal::ReadName(subject));
  request.SetSubject(std::move(attributes));
  request.subject_text_ = internal::NameText(subject);
  CALICO_RETURN_IF_ERROR(request.ReadRequestedExtensions());
  return request;
}

void CertificateRequest::SetSubject(std::vector<NameAttribute> attributes) {
  subject_ = std::move(attributes);
  for (const NameAttribute& attribute : subject_) {
    if (attribute.type == "CN" && ++common_name_count_ == 1) common_name_ = attribute.value;
  }
}

absl::Status CertificateRequest::ReadRequestedExtensions() {
  CALICO_ASSIGN_OR_RETURN(const openssl::ExtensionStackPtr stack,
                          RequestedExtensions(handle_->x509.get(), attributes_));
  CALICO_ASSIGN_OR_RETURN(internal::Extensions extensions, internal::ReadExtensions(stack.get()));
  if (const absl::Status form = CheckForm(stack.get()); !form.ok()) return Refused(form);
  dns_names_ = std::move(extensions.names.dns_names);
  ip_addresses_ = std::move(extensions.names.ip_addresses);
  emails_ = std::move(extensions.names.emails);
  uris_ = std::move(extensions.names.uris);
  other_san_kinds_ = std::move(extensions.names.other_kinds);
  requests_ca_ = extensions.is_ca.value_or(false);
  requests_path_length_ = extensions.path_length.has_value();
  key_usages_ = extensions.key_usages;
  extended_key_usages_ = std::move(extensions.extended_key_usages);
  extensions_ = std::move(extensions.oids);
  unknown_critical_extensions_ = std::move(extensions.unknown_critical);
  return absl::OkStatus();
}

absl::Status CertificateRequest::VerifySignature() const {
  const openssl::ErrorScope scope;
  X509_REQ* x509 = handle_->x509.get();
  EVP_PKEY* key = internal::KeyAccess::Handle(public_key_);
  if (key == nullptr) {
    return absl::InvalidArgumentError("verify certificate request: unsupported kind of key");
  }
  const int nid = X509_REQ_get_signature_nid(x509);
  if (!IsStrongSignature(nid)) {
    return absl::InvalidArgumentError(
        fmt::format("verify certificate request: signature algorithm {} is not accepted",
                    nid == NID_undef ? "unknown" : OBJ_nid2sn(nid)));
  }
  if (X509_REQ_verify(x509, key) != 1) {
    return openssl::TakeError(
        absl::StatusCode::kInvalidArgument,
        "verify certificate request: the signature is not by the request's own key");
  }
  return absl::OkStatus();
}

std::vector<NameAttribute> CertificateRequest::other_subject_attributes() const {
  std::vector<NameAttribute> others;
  for (const NameAttribute& attribute : subject_) {
    if (attribute.type != "CN") others.push_back(attribute);
  }
  return others;
}

}  // namespace calico::pki
