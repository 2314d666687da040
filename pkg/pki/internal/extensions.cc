#include "pkg/pki/internal/extensions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/asn1.h"

namespace calico::pki::internal {
namespace {

constexpr int kKeyUsageBits = 9;
constexpr int64_t kMaxPathLength = 255;

absl::Status Malformed(std::string_view name) {
  return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                            fmt::format("read extension {}: malformed", name));
}

absl::Status ReadBasicConstraints(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::BasicConstraintsPtr>(d2i_BASIC_CONSTRAINTS, der);
  if (value == nullptr) return Malformed("basicConstraints");
  out.is_ca = value->ca != 0;
  if (value->pathlen == nullptr) return absl::OkStatus();
  int64_t length = -1;
  if (ASN1_INTEGER_get_int64(&length, value->pathlen) != 1 || length < 0) {
    return Malformed("basicConstraints");
  }
  out.path_length = static_cast<int>(std::min(length, kMaxPathLength));
  return absl::OkStatus();
}

absl::Status ReadKeyUsage(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::Asn1BitStringPtr>(d2i_ASN1_BIT_STRING, der);
  if (value == nullptr || ASN1_STRING_length(value.get()) > 2) return Malformed("keyUsage");
  for (int bit = 0; bit < 16; ++bit) {
    if (ASN1_BIT_STRING_get_bit(value.get(), bit) == 0) continue;
    if (bit >= kKeyUsageBits) return Malformed("keyUsage");
    out.key_usages.Add(static_cast<KeyUsage>(bit));
  }
  // RFC 5280 4.2.1.3 wants one bit; an empty set would read as "no limit" further up.
  return out.key_usages.empty() ? Malformed("keyUsage") : absl::OkStatus();
}

absl::Status ReadExtendedKeyUsage(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::ExtendedKeyUsagePtr>(d2i_EXTENDED_KEY_USAGE, der);
  if (value == nullptr || sk_ASN1_OBJECT_num(value.get()) == 0) return Malformed("extKeyUsage");
  for (int i = 0; i < sk_ASN1_OBJECT_num(value.get()); ++i) {
    out.extended_key_usages.push_back(OidOf(sk_ASN1_OBJECT_value(value.get(), i)));
  }
  return absl::OkStatus();
}

absl::Status ReadSubjectAltName(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::GeneralNamesPtr>(d2i_GENERAL_NAMES, der);
  if (value == nullptr) return Malformed("subjectAltName");
  CALICO_ASSIGN_OR_RETURN(out.names, ReadAlternativeNames(value.get()));
  return absl::OkStatus();
}

absl::Status ReadSubjectKeyId(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::Asn1OctetStringPtr>(d2i_ASN1_OCTET_STRING, der);
  if (value == nullptr) return Malformed("subjectKeyIdentifier");
  out.subject_key_id = std::string(ContentOf(value.get()));
  return absl::OkStatus();
}

absl::Status ReadAuthorityKeyId(std::string_view der, Extensions& out) {
  const auto value = DecodeAll<openssl::AuthorityKeyIdPtr>(d2i_AUTHORITY_KEYID, der);
  if (value == nullptr) return Malformed("authorityKeyIdentifier");
  if (value->keyid != nullptr) out.authority_key_id = std::string(ContentOf(value->keyid));
  return absl::OkStatus();
}

absl::Status ReadOne(int nid, std::string_view der, Extensions& out) {
  switch (nid) {
    case NID_basic_constraints:
      return ReadBasicConstraints(der, out);
    case NID_key_usage:
      return ReadKeyUsage(der, out);
    case NID_ext_key_usage:
      return ReadExtendedKeyUsage(der, out);
    case NID_subject_alt_name:
      return ReadSubjectAltName(der, out);
    case NID_subject_key_identifier:
      return ReadSubjectKeyId(der, out);
    case NID_authority_key_identifier:
      return ReadAuthorityKeyId(der, out);
    default:
      return absl::OkStatus();
  }
}

bool IsShownByAccessor(int nid) {
  return nid == NID_basic_constraints || nid == NID_key_usage || nid == NID_ext_key_usage ||
         nid == NID_subject_alt_name;
}

// Collects encoded extensions; the first failure sticks.
class Writer {
 public:
  void Add(int nid, void* value, bool critical) {
    STACK_OF(X509_EXTENSION)* stack = stack_.release();
    failed_ |= value == nullptr ||
               X509V3_add1_i2d(&stack, nid, value, critical ? 1 : 0, X509V3_ADD_APPEND) != 1;
    stack_.reset(stack);
  }
  void Fail() { failed_ = true; }
  absl::StatusOr<openssl::ExtensionStackPtr> Finish() {
    if (failed_) return openssl::TakeError(absl::StatusCode::kInternal, "write extension");
    return std::move(stack_);
  }

 private:
  openssl::ExtensionStackPtr stack_;
  bool failed_ = false;
};

void WriteBasicConstraints(const Extensions& extensions, Writer& writer) {
  const openssl::BasicConstraintsPtr value(BASIC_CONSTRAINTS_new());
  if (value == nullptr) return writer.Fail();
  value->ca = *extensions.is_ca ? 0xff : 0;
  if (extensions.path_length.has_value()) {
    value->pathlen = ASN1_INTEGER_new();
    if (value->pathlen == nullptr ||
        ASN1_INTEGER_set(value->pathlen, *extensions.path_length) != 1) {
      return writer.Fail();
    }
  }
  writer.Add(NID_basic_constraints, value.get(), true);
}

void WriteKeyUsage(KeyUsages usages, Writer& writer) {
  const openssl::Asn1BitStringPtr value(ASN1_BIT_STRING_new());
  if (value == nullptr) return writer.Fail();
  for (const KeyUsage usage : usages.List()) {
    if (ASN1_BIT_STRING_set_bit(value.get(), static_cast<int>(usage), 1) != 1) writer.Fail();
  }
  writer.Add(NID_key_usage, value.get(), true);
}

absl::Status WriteExtendedKeyUsage(const std::vector<std::string>& oids, Writer& writer) {
  const openssl::ExtendedKeyUsagePtr value(sk_ASN1_OBJECT_new_null());
  for (const std::string& oid : oids) {
    ASN1_OBJECT* object = OBJ_txt2obj(oid.c_str(), /*no_name=*/1);
    if (object == nullptr) {
      return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                                fmt::format("write extKeyUsage: {:?} is no identifier", oid));
    }
    if (value == nullptr || sk_ASN1_OBJECT_push(value.get(), object) <= 0) {
      ASN1_OBJECT_free(object);
      writer.Fail();
    }
  }
  writer.Add(NID_ext_key_usage, value.get(), false);
  return absl::OkStatus();
}

void WriteKeyIds(const Extensions& extensions, Writer& writer) {
  const auto octets = [](std::string_view bytes) {
    openssl::Asn1OctetStringPtr value(ASN1_OCTET_STRING_new());
    if (value != nullptr &&
        ASN1_OCTET_STRING_set(value.get(), ToBytes(bytes), static_cast<int>(bytes.size())) != 1) {
      value.reset();
    }
    return value;
  };
  if (!extensions.subject_key_id.empty()) {
    writer.Add(NID_subject_key_identifier, octets(extensions.subject_key_id).get(), false);
  }
  if (!extensions.authority_key_id.empty()) {
    const openssl::AuthorityKeyIdPtr value(AUTHORITY_KEYID_new());
    if (value == nullptr) return writer.Fail();
    value->keyid = octets(extensions.authority_key_id).release();
    if (value->keyid == nullptr) return writer.Fail();
    writer.Add(NID_authority_key_identifier, value.get(), false);
  }
}

}  // namespace

absl::StatusOr<Extensions> ReadExtensions(const STACK_OF(X509_EXTENSION) * stack) {
  Extensions result;
  for (int i = 0; i < sk_X509_EXTENSION_num(stack); ++i) {
    X509_EXTENSION* extension = sk_X509_EXTENSION_value(stack, i);
    const ASN1_OBJECT* type = X509_EXTENSION_get_object(extension);
    const std::string oid = OidOf(type);
    if (std::find(result.oids.begin(), result.oids.end(), oid) != result.oids.end()) {
      return absl::InvalidArgumentError(fmt::format("read extension {}: it appears twice", oid));
    }
    const int nid = OBJ_obj2nid(type);
    CALICO_RETURN_IF_ERROR(ReadOne(nid, ContentOf(X509_EXTENSION_get_data(extension)), result));
    if (X509_EXTENSION_get_critical(extension) != 0 && !IsShownByAccessor(nid)) {
      result.unknown_critical.push_back(oid);
    }
    result.oids.push_back(oid);
  }
  return result;
}

absl::StatusOr<openssl::ExtensionStackPtr> WriteExtensions(const Extensions& extensions,
                                                           bool subject_is_empty) {
  Writer writer;
  if (extensions.is_ca.has_value()) WriteBasicConstraints(extensions, writer);
  if (!extensions.key_usages.empty()) WriteKeyUsage(extensions.key_usages, writer);
  if (!extensions.extended_key_usages.empty()) {
    CALICO_RETURN_IF_ERROR(WriteExtendedKeyUsage(extensions.extended_key_usages, writer));
  }
  CALICO_ASSIGN_OR_RETURN(const openssl::GeneralNamesPtr names,
                          WriteAlternativeNames(extensions.names));
  if (names != nullptr) writer.Add(NID_subject_alt_name, names.get(), subject_is_empty);
  WriteKeyIds(extensions, writer);
  return writer.Finish();
}

}  // namespace calico::pki::internal
