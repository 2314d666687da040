#include "operator/calicert/certificates/describe.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/openssl/digest.h"
#include "pkg/pki/lint/certificate_facts.h"
#include "pkg/pki/lint/certificate_lint.h"

namespace calico::calicert {
namespace {

// Lines of a paragraph: empty values are left out.
class Lines {
 public:
  void Add(std::string_view label, std::string_view value) {
    if (!value.empty())
      text_ += fmt::format("  {:<13}{}\n", fmt::format("{}:", label), Printable(value));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::array Usages(const std::vector<std::string>& oids) {
  json::array array;
  for (const std::string& oid : oids) {
    const std::string_view name = pki::ExtendedKeyUsageName(oid);
    array.emplace_back(json::string(name.data(), name.size()));
  }
  return array;
}

json::array KeyUsageNames(pki::KeyUsages usages) {
  json::array array;
  for (const pki::KeyUsage usage : usages.List()) {
    const std::string_view name = pki::ToString(usage);
    array.emplace_back(json::string(name.data(), name.size()));
  }
  return array;
}

template <class Named>
void AddNames(const Named& named, json::object& object) {
  object["dnsNames"] = Texts(named.dns_names());
  json::array addresses;
  for (const base::IpAddress& address : named.ip_addresses()) {
    addresses.emplace_back(address.ToString());
  }
  object["ipAddresses"] = std::move(addresses);
  object["emailAddresses"] = Texts(named.emails());
  object["uris"] = Texts(named.uris());
}

std::string CaText(const pki::Certificate& certificate) {
  if (!certificate.is_ca()) return "";
  if (!certificate.path_length().has_value()) return "yes, any number of CAs below it";
  return fmt::format("yes, {} below it",
                     *certificate.path_length() == 0
                         ? "no CA"
                         : fmt::format("at most {} CAs", *certificate.path_length()));
}

std::string ExtendedText(const std::vector<std::string>& oids) {
  std::vector<std::string_view> names;
  for (const std::string& oid : oids) names.push_back(pki::ExtendedKeyUsageName(oid));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string DistanceText(absl::Time time, absl::Time now) {
  return time >= now ? "in " + ShortPeriod(time - now) : ShortPeriod(now - time) + " ago";
}

std::string ValidityText(const pki::Certificate& certificate, absl::Time now) {
  if (now < certificate.not_before()) {
    return "not yet valid, begins " + DistanceText(certificate.not_before(), now);
  }
  return fmt::format("{} {}", now > certificate.not_after() ? "expired" : "expires",
                     DistanceText(certificate.not_after(), now));
}

std::string NamesText(const std::vector<std::string>& dns_names,
                      const std::vector<base::IpAddress>& ip_addresses,
                      const std::vector<std::string>& emails,
                      const std::vector<std::string>& uris) {
  std::vector<std::string> names;
  for (const std::string& name : dns_names) names.push_back("DNS:" + name);
  for (const base::IpAddress& address : ip_addresses) names.push_back("IP:" + address.ToString());
  for (const std::string& email : emails) names.push_back("email:" + email);
  for (const std::string& uri : uris) names.push_back("URI:" + uri);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string PurposeText(const pki::Certificate& certificate) {
  if (!certificate.extended_key_usages().empty()) {
    return ExtendedText(certificate.extended_key_usages());
  }
  return certificate.is_ca() ? "CA" : "any";
}

std::string TitleOf(const pki::Certificate& certificate) {
  if (!certificate.common_name().empty()) return certificate.common_name();
  if (!certificate.subject().empty()) return certificate.subject();
  if (!certificate.dns_names().empty()) return certificate.dns_names().front();
  if (!certificate.ip_addresses().empty()) return certificate.ip_addresses().front().ToString();
  return "(no name)";
}

std::string Paragraph(const pki::Certificate& certificate, absl::Time now) {
  const pki::CertificateFacts facts = pki::ReadFacts(certificate);
  Lines lines;
  lines.Add("Subject", certificate.subject().empty() ? "(none)" : certificate.subject());
  lines.Add("Issuer", certificate.is_self_signed() ? "itself (self-signed)" : certificate.issuer());
  lines.Add("Valid",
            fmt::format("{} to {} ({})", TimeText(certificate.not_before()),
                        TimeText(certificate.not_after()), ValidityText(certificate, now)));
  std::string names = NamesText(certificate.dns_names(), certificate.ip_addresses(),
                                certificate.emails(), certificate.uris());
  for (const std::string& kind : facts.other_name_kinds) {
    names += fmt::format("{}({})", names.empty() ? "" : ", ", kind);
  }
  lines.Add("Names", names);
  lines.Add("CA", CaText(certificate));
  lines.Add("Key usage", certificate.key_usages().ToString());
  lines.Add("Usage", certificate.extended_key_usages().empty() && certificate.is_ca()
                         ? ""
                         : PurposeText(certificate));
  lines.Add("Key", certificate.public_key().Description());
  lines.Add("Signature", facts.signature_algorithm);
  lines.Add("Serial", certificate.serial());
  lines.Add("SHA-256", openssl::Sha256Hex(certificate.der()));
  for (const pki::Finding& finding : pki::LintCertificate(certificate, now)) {
    if (finding.severity == pki::Severity::kNotice) continue;
    lines.Add(finding.severity == pki::Severity::kError ? "Error" : "Warning", finding.message);
  }
  return lines.Take();
}

std::string Paragraph(const pki::CertificateRequest& request) {
  Lines lines;
  lines.Add("Subject", request.subject_text().empty() ? "(none)" : request.subject_text());
  lines.Add("Names", NamesText(request.dns_names(), request.ip_addresses(), request.emails(),
                               request.uris()));
  lines.Add("CA", request.requests_ca() ? "asked for" : "");
  lines.Add("Key usage", request.key_usages().ToString());
  lines.Add("Usage", ExtendedText(request.extended_key_usages()));
  lines.Add("Key", request.public_key().Description());
  const absl::Status signature = request.VerifySignature();
  lines.Add("Signature", signature.ok() ? "good" : "");
  lines.Add("Error", std::string(signature.message()));
  lines.Add("Error", std::string(request.public_key().CheckStrength().message()));
  return lines.Take();
}

json::object Describe(const pki::Certificate& certificate, absl::Time now) {
  const pki::CertificateFacts facts = pki::ReadFacts(certificate);
  json::object object;
  object["kind"] = "certificate";
  object["subject"] = certificate.subject();
  object["issuer"] = certificate.issuer();
  object["serialNumber"] = certificate.serial();
  object["notBefore"] = TimeText(certificate.not_before());
  object["notAfter"] = TimeText(certificate.not_after());
  object["secondsLeft"] = absl::ToInt64Seconds(certificate.not_after() - now);
  object["selfSigned"] = certificate.is_self_signed();
  object["ca"] = certificate.is_ca();
  if (certificate.path_length().has_value()) object["pathLength"] = *certificate.path_length();
  AddNames(certificate, object);
  object["keyUsages"] = KeyUsageNames(certificate.key_usages());
  object["extendedKeyUsages"] = Usages(certificate.extended_key_usages());
  object["key"] = certificate.public_key().Description();
  object["signatureAlgorithm"] = facts.signature_algorithm;
  object["sha256"] = openssl::Sha256Hex(certificate.der());
  object["keySha256"] = openssl::Sha256Hex(certificate.public_key().der());
  json::array findings;
  for (const pki::Finding& finding : pki::LintCertificate(certificate, now)) {
    const std::string_view severity = pki::ToString(finding.severity);
    findings.push_back(json::object{{"severity", json::string(severity.data(), severity.size())},
                                    {"rule", finding.rule},
                                    {"message", finding.message}});
  }
  object["findings"] = std::move(findings);
  return object;
}

json::object Describe(const pki::CertificateRequest& request) {
  json::object object;
  object["kind"] = "certificateRequest";
  object["subject"] = request.subject_text();
  AddNames(request, object);
  object["ca"] = request.requests_ca();
  object["keyUsages"] = KeyUsageNames(request.key_usages());
  object["extendedKeyUsages"] = Usages(request.extended_key_usages());
  object["key"] = request.public_key().Description();
  object["keySha256"] = openssl::Sha256Hex(request.public_key().der());
  object["signatureGood"] = request.VerifySignature().ok();
  return object;
}

Table CertificateTable() {
  return Table({{"SOURCE"},
                {"NAME"},
                {"ISSUER"},
                {"USAGE"},
                {"EXPIRES"},
                {"NAMES", true},
                {"KEY", true},
                {"SERIAL", true}});
}

void AddCertificate(Table& table, std::string_view source, const pki::Certificate& certificate,
                    absl::Time now) {
  const std::string issuer = certificate.is_self_signed() ? "(self-signed)"
                             : certificate.issuer_common_name().empty()
                                 ? certificate.issuer()
                                 : certificate.issuer_common_name();
  table.AddRow({std::string(source), TitleOf(certificate), issuer, PurposeText(certificate),
                ValidityText(certificate, now),
                NamesText(certificate.dns_names(), certificate.ip_addresses(), certificate.emails(),
                          certificate.uris()),
                certificate.public_key().Description(), certificate.serial()});
}

}  // namespace calico::calicert
