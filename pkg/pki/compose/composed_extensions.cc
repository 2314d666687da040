#include "pkg/pki/compose/composed_extensions.h"

#include <string>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/asn1.h"

namespace calico::pki::internal {
namespace {

using AccessPtr = openssl::Handle<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;
using DistributionPointsPtr = openssl::Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using ObjectPtr = openssl::Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using PoliciesPtr = openssl::Handle<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>;

constexpr size_t kMaxTextBytes = 2048;

absl::Status Failed() { return openssl::TakeError(absl::StatusCode::kInternal, "write extension"); }

// A list under construction; the first failure sticks.
class Stack {
 public:
  absl::Status Add(int nid, void* value, bool critical) {
    STACK_OF(X509_EXTENSION)* stack = stack_.release();
    const int added =
        value == nullptr ? 0
                         : X509V3_add1_i2d(&stack, nid, value, critical ? 1 : 0, X509V3_ADD_APPEND);
    stack_.reset(stack);
    return added == 1 ? absl::OkStatus() : Failed();
  }

  absl::Status AddRaw(const RawExtension& raw) {
    const ObjectPtr oid(OBJ_txt2obj(raw.oid.c_str(), /*no_name=*/1));
    if (oid == nullptr) {
      return openssl::TakeError(
          absl::StatusCode::kInvalidArgument,
          fmt::format("write extension: {:?} is no object identifier", raw.oid));
    }
    const openssl::Asn1OctetStringPtr value(ASN1_OCTET_STRING_new());
    if (value == nullptr || ASN1_OCTET_STRING_set(value.get(), ToBytes(raw.der),
                                                  static_cast<int>(raw.der.size())) != 1) {
      return Failed();
    }
    X509_EXTENSION* extension =
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), raw.critical ? 1 : 0, value.get());
    STACK_OF(X509_EXTENSION)* stack = stack_.release();
    const bool added = extension != nullptr && X509v3_add_ext(&stack, extension, -1) != nullptr;
    stack_.reset(stack);
    X509_EXTENSION_free(extension);
    return added ? absl::OkStatus() : Failed();
  }

  openssl::ExtensionStackPtr Take() { return std::move(stack_); }

 private:
  openssl::ExtensionStackPtr stack_;
};

absl::Status CheckText(std::string_view kind, std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return absl::InvalidArgumentError(
        fmt::format("write {} name: {} bytes, limit {}", kind, text.size(), kMaxTextBytes));
  }
  for (const char c : text) {
    if (c < ' ' || c > '~') {
      return absl::InvalidArgumentError(
          fmt::format("write {} name {:?}: not printable ASCII", kind, text));
    }
  }
  return absl::OkStatus();
}

openssl::GeneralNamePtr MakeName(int type, std::string_view content) {
  openssl::GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (name == nullptr || value == nullptr ||
      ASN1_STRING_set(value, content.data(), static_cast<int>(content.size())) != 1) {
    ASN1_STRING_free(value);
    return nullptr;
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  return name;
}

absl::Status Push(GENERAL_NAMES* names, openssl::GeneralNamePtr name) {
  if (name == nullptr || sk_GENERAL_NAME_push(names, name.get()) <= 0) return Failed();
  static_cast<void>(name.release());
  return absl::OkStatus();
}

absl::Status PushTexts(GENERAL_NAMES* names, int type, std::string_view kind,
                       const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    CALICO_RETURN_IF_ERROR(CheckText(kind, text));
    CALICO_RETURN_IF_ERROR(Push(names, MakeName(type, text)));
  }
  return absl::OkStatus();
}

absl::Status AddNames(const AlternativeNameLists& lists, bool critical, Stack& stack) {
  if (lists.empty()) return absl::OkStatus();
  const openssl::GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  if (names == nullptr) return Failed();
  CALICO_RETURN_IF_ERROR(PushTexts(names.get(), GEN_DNS, "DNS", lists.dns_names));
  CALICO_RETURN_IF_ERROR(PushTexts(names.get(), GEN_EMAIL, "e-mail", lists.emails));
  for (const base::IpAddress& address : lists.ip_addresses) {
    CALICO_RETURN_IF_ERROR(Push(names.get(), MakeName(GEN_IPADD, address.bytes())));
  }
  CALICO_RETURN_IF_ERROR(PushTexts(names.get(), GEN_URI, "URI", lists.uris));
  return stack.Add(NID_subject_alt_name, names.get(), critical);
}

absl::Status AddConstraints(const CaConstraints& constraints, Stack& stack) {
  const openssl::BasicConstraintsPtr value(BASIC_CONSTRAINTS_new());
  if (value == nullptr) return Failed();
  value->ca = constraints.is_ca ? 0xff : 0;
  if (constraints.path_length.has_value()) {
    value->pathlen = ASN1_INTEGER_new();
    if (value->pathlen == nullptr ||
        ASN1_INTEGER_set(value->pathlen, *constraints.path_length) != 1) {
      return Failed();
    }
  }
  return stack.Add(NID_basic_constraints, value.get(), /*critical=*/true);
}

absl::Status AddKeyUsage(KeyUsages usages, Stack& stack) {
  const openssl::Asn1BitStringPtr value(ASN1_BIT_STRING_new());
  if (value == nullptr) return Failed();
  for (const KeyUsage usage : usages.List()) {
    if (ASN1_BIT_STRING_set_bit(value.get(), static_cast<int>(usage), 1) != 1) return Failed();
  }
  return stack.Add(NID_key_usage, value.get(), /*critical=*/true);
}

absl::Status AddExtendedKeyUsage(const std::vector<std::string>& oids, Stack& stack) {
  const openssl::ExtendedKeyUsagePtr value(sk_ASN1_OBJECT_new_null());
  if (value == nullptr) return Failed();
  for (const std::string& oid : oids) {
    ASN1_OBJECT* object = OBJ_txt2obj(oid.c_str(), /*no_name=*/1);
    if (object == nullptr) {
      return openssl::TakeError(
          absl::StatusCode::kInvalidArgument,
          fmt::format("write extKeyUsage: {:?} is no object identifier", oid));
    }
    if (sk_ASN1_OBJECT_push(value.get(), object) <= 0) {
      ASN1_OBJECT_free(object);
      return Failed();
    }
  }
  return stack.Add(NID_ext_key_usage, value.get(), /*critical=*/false);
}

openssl::Asn1OctetStringPtr Octets(std::string_view bytes) {
  openssl::Asn1OctetStringPtr value(ASN1_OCTET_STRING_new());
  if (value != nullptr &&
      ASN1_OCTET_STRING_set(value.get(), ToBytes(bytes), static_cast<int>(bytes.size())) != 1) {
    value.reset();
  }
  return value;
}

absl::Status AddKeyIds(std::string_view subject, std::string_view authority, Stack& stack) {
  CALICO_RETURN_IF_ERROR(stack.Add(NID_subject_key_identifier, Octets(subject).get(), false));
  if (authority.empty()) return absl::OkStatus();
  const openssl::AuthorityKeyIdPtr value(AUTHORITY_KEYID_new());
  if (value == nullptr) return Failed();
  value->keyid = Octets(authority).release();
  if (value->keyid == nullptr) return Failed();
  return stack.Add(NID_authority_key_identifier, value.get(), /*critical=*/false);
}

absl::Status PushAccess(AUTHORITY_INFO_ACCESS* access, int method,
                        const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    CALICO_RETURN_IF_ERROR(CheckText("URL", url));
    openssl::GeneralNamePtr location = MakeName(GEN_URI, url);
    ACCESS_DESCRIPTION* description = ACCESS_DESCRIPTION_new();
    if (description == nullptr || location == nullptr ||
        sk_ACCESS_DESCRIPTION_push(access, description) <= 0) {
      ACCESS_DESCRIPTION_free(description);
      return Failed();
    }
    ASN1_OBJECT_free(description->method);
    description->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(description->location);
    description->location = location.release();
  }
  return absl::OkStatus();
}

absl::Status AddAccess(const CertificateParts& parts, Stack& stack) {
  if (parts.ocsp_servers.empty() && parts.issuer_urls.empty()) return absl::OkStatus();
  const AccessPtr access(AUTHORITY_INFO_ACCESS_new());
  if (access == nullptr) return Failed();
  CALICO_RETURN_IF_ERROR(PushAccess(access.get(), NID_ad_OCSP, parts.ocsp_servers));
  CALICO_RETURN_IF_ERROR(PushAccess(access.get(), NID_ad_ca_issuers, parts.issuer_urls));
  return stack.Add(NID_info_access, access.get(), /*critical=*/false);
}

absl::Status AddDistributionPoints(const std::vector<std::string>& urls, Stack& stack) {
  if (urls.empty()) return absl::OkStatus();
  const DistributionPointsPtr points(sk_DIST_POINT_new_null());
  if (points == nullptr) return Failed();
  for (const std::string& url : urls) {
    CALICO_RETURN_IF_ERROR(CheckText("URL", url));
    DIST_POINT* point = DIST_POINT_new();
    if (point == nullptr || sk_DIST_POINT_push(points.get(), point) <= 0) {
      DIST_POINT_free(point);
      return Failed();
    }
    point->distpoint = DIST_POINT_NAME_new();
    if (point->distpoint == nullptr) return Failed();
    point->distpoint->type = 0;
    point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
    if (point->distpoint->name.fullname == nullptr) return Failed();
    CALICO_RETURN_IF_ERROR(Push(point->distpoint->name.fullname, MakeName(GEN_URI, url)));
  }
  return stack.Add(NID_crl_distribution_points, points.get(), /*critical=*/false);
}

absl::Status FillQualifier(const PolicyQualifier& from, POLICYQUALINFO* to) {
  CALICO_RETURN_IF_ERROR(CheckText("policy qualifier", from.value));
  const int size = static_cast<int>(from.value.size());
  ASN1_OBJECT_free(to->pqualid);
  if (from.kind == PolicyQualifier::Kind::kCps) {
    to->pqualid = OBJ_nid2obj(NID_id_qt_cps);
    to->d.cpsuri = ASN1_IA5STRING_new();
    return to->d.cpsuri != nullptr && ASN1_STRING_set(to->d.cpsuri, from.value.data(), size) == 1
               ? absl::OkStatus()
               : Failed();
  }
  to->pqualid = OBJ_nid2obj(NID_id_qt_unotice);
  to->d.usernotice = USERNOTICE_new();
  if (to->d.usernotice == nullptr) return Failed();
  to->d.usernotice->exptext = ASN1_UTF8STRING_new();
  return to->d.usernotice->exptext != nullptr &&
                 ASN1_STRING_set(to->d.usernotice->exptext, from.value.data(), size) == 1
             ? absl::OkStatus()
             : Failed();
}

absl::Status FillPolicy(const CertificatePolicy& from, POLICYINFO* to) {
  ASN1_OBJECT_free(to->policyid);
  to->policyid = OBJ_txt2obj(from.oid.c_str(), /*no_name=*/1);
  if (to->policyid == nullptr) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                              fmt::format("write policy: {:?} is no object identifier", from.oid));
  }
  if (from.qualifiers.empty()) return absl::OkStatus();
  to->qualifiers = sk_POLICYQUALINFO_new_null();
  for (const PolicyQualifier& qualifier : from.qualifiers) {
    POLICYQUALINFO* info = POLICYQUALINFO_new();
    if (info == nullptr || to->qualifiers == nullptr ||
        sk_POLICYQUALINFO_push(to->qualifiers, info) <= 0) {
      POLICYQUALINFO_free(info);
      return Failed();
    }
    CALICO_RETURN_IF_ERROR(FillQualifier(qualifier, info));
  }
  return absl::OkStatus();
}

absl::Status AddPolicies(const std::vector<CertificatePolicy>& policies, Stack& stack) {
  if (policies.empty()) return absl::OkStatus();
  const PoliciesPtr value(sk_POLICYINFO_new_null());
  if (value == nullptr) return Failed();
  for (const CertificatePolicy& policy : policies) {
    POLICYINFO* info = POLICYINFO_new();
    if (info == nullptr || sk_POLICYINFO_push(value.get(), info) <= 0) {
      POLICYINFO_free(info);
      return Failed();
    }
    CALICO_RETURN_IF_ERROR(FillPolicy(policy, info));
  }
  return stack.Add(NID_certificate_policies, value.get(), /*critical=*/false);
}

absl::Status AddRaw(const std::vector<RawExtension>& extensions, Stack& stack) {
  for (const RawExtension& extension : extensions) CALICO_RETURN_IF_ERROR(stack.AddRaw(extension));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<openssl::ExtensionStackPtr> ComposeExtensions(const RequestParts& parts) {
  Stack stack;
  CALICO_RETURN_IF_ERROR(AddNames(parts.names, /*critical=*/false, stack));
  if (parts.constraints.has_value()) {
    CALICO_RETURN_IF_ERROR(AddConstraints(*parts.constraints, stack));
  }
  CALICO_RETURN_IF_ERROR(AddRaw(parts.extensions, stack));
  return stack.Take();
}

absl::StatusOr<openssl::ExtensionStackPtr> ComposeExtensions(const CertificateParts& parts,
                                                             std::string_view subject_key_id,
                                                             std::string_view authority_key_id) {
  Stack stack;
  if (!parts.key_usages.empty()) CALICO_RETURN_IF_ERROR(AddKeyUsage(parts.key_usages, stack));
  if (!parts.extended_key_usages.empty()) {
    CALICO_RETURN_IF_ERROR(AddExtendedKeyUsage(parts.extended_key_usages, stack));
  }
  if (parts.constraints.has_value()) {
    CALICO_RETURN_IF_ERROR(AddConstraints(*parts.constraints, stack));
  }
  CALICO_RETURN_IF_ERROR(AddKeyIds(subject_key_id, authority_key_id, stack));
  CALICO_RETURN_IF_ERROR(AddAccess(parts, stack));
  CALICO_RETURN_IF_ERROR(AddNames(parts.names, /*critical=*/parts.subject.empty(), stack));
  CALICO_RETURN_IF_ERROR(AddDistributionPoints(parts.crl_urls, stack));
  CALICO_RETURN_IF_ERROR(AddPolicies(parts.policies, stack));
  CALICO_RETURN_IF_ERROR(AddRaw(parts.extensions, stack));
  return stack.Take();
}

}  // namespace calico::pki::internal
