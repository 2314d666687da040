// certinfo: a certificate or request as cfssl's JSON. The names of its fields are copied from
// scripts everywhere.

#include <algorithm>

#include <absl/status/statusor.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calicert/cfssl/commands/functions.h"
#include "operator/calicert/cfssl/commands/go_json.h"
#include "operator/calicert/cfssl/commands/session.h"
#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/command/exit_codes.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/compose/signature_name.h"

namespace calico::calicert::cfssl {
namespace {

struct NamedField {
  std::string_view type;
  std::string_view field;
};
// In cfssl's order; common_name and serial_number hold one value, the others all with commas.
constexpr NamedField kFields[] = {
    {"CN", "common_name"}, {"serialNumber", "serial_number"}, {"C", "country"},
    {"O", "organization"}, {"OU", "organizational_unit"},     {"L", "locality"},
    {"ST", "province"},    {"2.5.4.9", "street_address"},     {"2.5.4.17", "postal_code"},
};

bool IsType(const pki::NameAttribute& attribute, std::string_view type) {
  if (attribute.type == type) return true;
  return (type == "2.5.4.9" && attribute.type == "street") ||
         (type == "2.5.4.17" && attribute.type == "postalCode");
}

json::object SubjectJson(const pki::SubjectName& name) {
  json::object subject;
  json::array names;
  for (const NamedField& field : kFields) {
    std::vector<std::string> values;
    for (const pki::RelativeName& relative : name) {
      for (const pki::NameAttribute& attribute : relative) {
        if (IsType(attribute, field.type)) values.push_back(attribute.value);
      }
    }
    if (values.empty()) continue;
    const bool is_single = field.type == "CN" || field.type == "serialNumber";
    subject[field.field] = is_single ? values.back() : absl::StrJoin(values, ",");
  }
  for (const pki::RelativeName& relative : name) {
    for (const pki::NameAttribute& attribute : relative) names.emplace_back(attribute.value);
  }
  if (!names.empty()) subject["names"] = std::move(names);
  return subject;
}

// Upper-case pairs with colons between them.
std::string ColonHex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += fmt::format("{}{:02X}", text.empty() ? "" : ":", static_cast<unsigned char>(c));
  }
  return text;
}

absl::StatusOr<json::object> CertificateJson(const pki::Certificate& certificate) {
  CALICO_ASSIGN_OR_RETURN(const pki::SubjectName subject, pki::SubjectNameOf(certificate));
  CALICO_ASSIGN_OR_RETURN(const pki::SubjectName issuer, pki::IssuerNameOf(certificate));
  json::object info;
  info["subject"] = SubjectJson(subject);
  info["issuer"] = SubjectJson(issuer);
  info["serial_number"] = pki::DecimalSerial(certificate.serial());
  json::array sans;
  for (const std::string& name : certificate.dns_names()) sans.emplace_back(name);
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    sans.emplace_back(address.ToString());
  }
  if (!sans.empty()) info["sans"] = std::move(sans);
  info["not_before"] = codec::EncodeTime(certificate.not_before());
  info["not_after"] = codec::EncodeTime(certificate.not_after());
  info["sigalg"] = pki::GoSignatureName(certificate);
  info["authority_key_id"] = ColonHex(certificate.authority_key_id());
  info["subject_key_id"] = ColonHex(certificate.subject_key_id());
  info["pem"] = certificate.pem();
  return info;
}

json::value ListOrNull(const std::vector<std::string>& texts) {
  if (texts.empty()) return nullptr;
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

json::array OidJson(std::string_view oid) {
  json::array numbers;
  while (!oid.empty()) {
    const size_t dot = oid.find('.');
    uint64_t number = 0;
    for (const char c : oid.substr(0, dot)) number = number * 10 + static_cast<uint64_t>(c - '0');
    numbers.emplace_back(number);
    if (dot == std::string_view::npos) break;
    oid.remove_prefix(dot + 1);
  }
  return numbers;
}

// Go's pkix.Name.
json::object NameJson(const pki::SubjectName& name) {
  const auto all = [&name](std::string_view type) {
    std::vector<std::string> values;
    for (const pki::RelativeName& relative : name) {
      for (const pki::NameAttribute& attribute : relative) {
        if (IsType(attribute, type)) values.push_back(attribute.value);
      }
    }
    return values;
  };
  const auto last = [&all](std::string_view type) {
    const std::vector<std::string> values = all(type);
    return values.empty() ? std::string() : values.back();
  };
  json::object subject;
  subject["Country"] = ListOrNull(all("C"));
  subject["Organization"] = ListOrNull(all("O"));
  subject["OrganizationalUnit"] = ListOrNull(all("OU"));
  subject["Locality"] = ListOrNull(all("L"));
  subject["Province"] = ListOrNull(all("ST"));
  subject["StreetAddress"] = ListOrNull(all("2.5.4.9"));
  subject["PostalCode"] = ListOrNull(all("2.5.4.17"));
  subject["SerialNumber"] = last("serialNumber");
  subject["CommonName"] = last("CN");
  json::array names;
  for (const pki::RelativeName& relative : name) {
    for (const pki::NameAttribute& attribute : relative) {
      const std::string oid(pki::SubjectAttributeOid(attribute.type));
      names.push_back(json::object{{"Type", OidJson(oid.empty() ? attribute.type : oid)},
                                   {"Value", attribute.value}});
    }
  }
  subject["Names"] = names.empty() ? json::value(nullptr) : json::value(std::move(names));
  subject["ExtraNames"] = nullptr;
  return subject;
}

absl::StatusOr<json::object> RequestJson(const pki::CertificateRequest& request) {
  CALICO_ASSIGN_OR_RETURN(const pki::SubjectName subject, pki::SubjectNameOf(request));
  CALICO_ASSIGN_OR_RETURN(const std::vector<pki::RawExtension> asked, pki::ExtensionsOf(request));
  json::object info;
  info["Raw"] = base::Base64Encode(request.der());
  info["RawSubjectPublicKeyInfo"] = base::Base64Encode(request.public_key().der());
  info["Version"] = 0;
  info["SignatureAlgorithmName"] = pki::GoSignatureName(request);
  info["PublicKeyName"] = request.public_key().Description();
  info["Subject"] = NameJson(subject);
  json::array extensions;
  for (const pki::RawExtension& extension : asked) {
    extensions.push_back(json::object{{"Id", OidJson(extension.oid)},
                                      {"Critical", extension.critical},
                                      {"Value", base::Base64Encode(extension.der)}});
  }
  info["Extensions"] =
      extensions.empty() ? json::value(nullptr) : json::value(std::move(extensions));
  info["ExtraExtensions"] = nullptr;
  info["DNSNames"] = ListOrNull(request.dns_names());
  info["EmailAddresses"] = ListOrNull(request.emails());
  std::vector<std::string> addresses;
  for (const base::IpAddress& address : request.ip_addresses()) {
    addresses.push_back(address.ToString());
  }
  info["IPAddresses"] = ListOrNull(addresses);
  info["URIs"] = ListOrNull(request.uris());
  return info;
}

absl::StatusOr<json::object> RunCertificateInfo(const Options& options, Terminal& terminal) {
  if (!options.cert.empty()) {
    CALICO_ASSIGN_OR_RETURN(const pki::Certificate certificate,
                            ReadCertificate(terminal, options.cert));
    return CertificateJson(certificate);
  }
  if (!options.csr.empty()) {
    CALICO_ASSIGN_OR_RETURN(const pki::CertificateRequest request,
                            ReadRequestPem(terminal, options.csr));
    return RequestJson(request);
  }
  if (!options.domain.empty()) {
    return absl::UnimplementedError(fmt::format(
        "-domain is not supported: calicert inspect {0}:443 shows what a server presents",
        options.domain));
  }
  if (!options.serial.empty() || !options.aki.empty()) {
    return absl::UnimplementedError(
        "-serial and -aki need a certificate database, and there is none");
  }
  return absl::InvalidArgumentError("Must specify certinfo target through -cert, -csr, or -domain");
}

}  // namespace

int CertificateInfo(const Options& options, Terminal& terminal) {
  const absl::StatusOr<json::object> info = RunCertificateInfo(options, terminal);
  if (!info.ok()) return Failed(terminal, info.status());
  terminal.out << GoJson(*info) << '\n';
  return kExitOk;
}

}  // namespace calico::calicert::cfssl
