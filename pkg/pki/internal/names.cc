#include "pkg/pki/internal/names.h"

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/asn1.h"

namespace calico::pki::internal {
namespace {

constexpr size_t kMaxDnsNameBytes = 253;
constexpr size_t kMaxTextNameBytes = 2048;

bool IsText(int asn1_type) {
  switch (asn1_type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
      return true;
    default:
      return false;
  }
}

std::string Hex(std::string_view bytes) {
  std::string text = "#";
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

absl::StatusOr<std::string> ReadText(const ASN1_STRING* value) {
  if (!IsText(ASN1_STRING_type(value))) return Hex(ContentOf(value));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  const openssl::BytesPtr owned(utf8);
  if (size < 0) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                              "read name: text does not decode");
  }
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  // The classic way to make one name look like another to C programs.
  if (text.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("read name: a NUL in the text");
  }
  return text;
}

absl::StatusOr<std::string> ReadAscii(const ASN1_STRING* value) {
  const std::string_view content = ContentOf(value);
  for (const char c : content) {
    if (c <= 0 || c > 0x7e) {
      return absl::InvalidArgumentError("read alternative name: a byte that is not ASCII text");
    }
  }
  return std::string(content);
}

// RFC 5280 4.2.1.6's word for a kind of name that has no list of its own.
std::string_view OtherKind(int type) {
  switch (type) {
    case GEN_OTHERNAME:
      return "otherName";
    case GEN_X400:
      return "x400Address";
    case GEN_DIRNAME:
      return "directoryName";
    case GEN_EDIPARTY:
      return "ediPartyName";
    case GEN_RID:
      return "registeredID";
    default:
      return "unknown kind";
  }
}

absl::Status WriteAttribute(X509_NAME* name, const char* type, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError(fmt::format("write name: a NUL in {}", type));
  }
  // Limits of length (64 for a CN, 2 for a C) are in OpenSSL's table of attributes.
  if (X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, ToBytes(value),
                                 static_cast<int>(value.size()), -1, 0) != 1) {
    return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                              fmt::format("write name: {}={:?}", type, value));
  }
  return absl::OkStatus();
}

absl::Status CheckTextName(std::string_view kind, std::string_view name, size_t max_bytes) {
  const auto refuse = [&](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("write {} name {:?}: {}", kind, name, cause));
  };
  if (name.empty()) return refuse("empty");
  if (name.size() > max_bytes) {
    return absl::InvalidArgumentError(
        fmt::format("write {} name: {} bytes, limit {}", kind, name.size(), max_bytes));
  }
  for (const char c : name) {
    if (c <= ' ' || c > '~') return refuse("not printable ASCII without spaces");
  }
  return absl::OkStatus();
}

absl::Status AddName(GENERAL_NAMES* names, int type, std::string_view content) {
  openssl::GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  if (name == nullptr || value == nullptr ||
      ASN1_STRING_set(value, content.data(), static_cast<int>(content.size())) != 1) {
    ASN1_STRING_free(value);
    return openssl::TakeError(absl::StatusCode::kInternal, "write alternative name");
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) {
    return openssl::TakeError(absl::StatusCode::kInternal, "write alternative name");
  }
  static_cast<void>(name.release());
  return absl::OkStatus();
}

absl::Status AddTextNames(GENERAL_NAMES* names, int type, std::string_view kind,
                          const std::vector<std::string>& texts, size_t max_bytes) {
  for (const std::string& text : texts) {
    CALICO_RETURN_IF_ERROR(CheckTextName(kind, text, max_bytes));
    CALICO_RETURN_IF_ERROR(AddName(names, type, text));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<NameAttribute>> ReadName(const X509_NAME* name) {
  std::vector<NameAttribute> attributes;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    CALICO_ASSIGN_OR_RETURN(std::string value, ReadText(X509_NAME_ENTRY_get_data(entry)));
    attributes.push_back(
        {.type = std::string(SubjectAttributeName(OidOf(type))), .value = std::move(value)});
  }
  return attributes;
}

std::string NameText(const X509_NAME* name) {
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    return "";
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<size_t>(size));
}

absl::Status WriteName(X509_NAME* name, std::string_view common_name,
                       const std::vector<NameAttribute>& attributes) {
  for (const NameAttribute& attribute : attributes) {
    CALICO_RETURN_IF_ERROR(WriteAttribute(name, attribute.type.c_str(), attribute.value));
  }
  return common_name.empty() ? absl::OkStatus() : WriteAttribute(name, "CN", common_name);
}

absl::StatusOr<AlternativeNames> ReadAlternativeNames(const GENERAL_NAMES* names) {
  AlternativeNames result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = -1;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
    const auto* text = static_cast<const ASN1_STRING*>(value);
    std::vector<std::string>* list = nullptr;
    if (type == GEN_DNS) list = &result.dns_names;
    if (type == GEN_EMAIL) list = &result.emails;
    if (type == GEN_URI) list = &result.uris;
    if (list != nullptr) {
      CALICO_ASSIGN_OR_RETURN(std::string name, ReadAscii(text));
      list->push_back(std::move(name));
    } else if (type == GEN_IPADD) {
      CALICO_ASSIGN_OR_RETURN(const base::IpAddress address,
                              base::IpAddress::FromBytes(ContentOf(text)));
      result.ip_addresses.push_back(address);
    } else {
      result.other_kinds.emplace_back(OtherKind(type));
    }
  }
  return result;
}

absl::StatusOr<openssl::GeneralNamesPtr> WriteAlternativeNames(const AlternativeNames& names) {
  openssl::GeneralNamesPtr result(sk_GENERAL_NAME_new_null());
  if (result == nullptr)
    return openssl::TakeError(absl::StatusCode::kInternal, "write alternative name");
  GENERAL_NAMES* out = result.get();
  CALICO_RETURN_IF_ERROR(AddTextNames(out, GEN_DNS, "DNS", names.dns_names, kMaxDnsNameBytes));
  for (const base::IpAddress& address : names.ip_addresses) {
    CALICO_RETURN_IF_ERROR(AddName(out, GEN_IPADD, address.bytes()));
  }
  CALICO_RETURN_IF_ERROR(AddTextNames(out, GEN_EMAIL, "e-mail", names.emails, kMaxTextNameBytes));
  CALICO_RETURN_IF_ERROR(AddTextNames(out, GEN_URI, "URI", names.uris, kMaxTextNameBytes));
  if (sk_GENERAL_NAME_num(out) == 0) result.reset();
  return result;
}

}  // namespace calico::pki::internal
