#include "operator/calicert/requests/csr_text.h"

#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/command/output.h"
#include "operator/calicert/requests/signing.h"
#include "pkg/codec/time.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

constexpr std::string_view kNone = "<none>";

// "5h30m", or "5h" when the rest is zero.
std::string TwoUnits(int64_t large, char large_unit, int64_t small, char small_unit) {
  return small == 0 ? fmt::format("{}{}", large, large_unit)
                    : fmt::format("{}{}{}{}", large, large_unit, small, small_unit);
}

std::vector<std::string> Texts(const std::vector<base::IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const base::IpAddress& address : addresses) texts.push_back(address.ToString());
  return texts;
}

std::string NamesText(const pki::CertificateRequest& request) {
  std::vector<std::string> names = request.dns_names();
  for (const std::vector<std::string>& more :
       {Texts(request.ip_addresses()), request.emails(), request.uris()}) {
    names.insert(names.end(), more.begin(), more.end());
  }
  return names.empty() ? std::string(kNone) : fmt::format("{}", fmt::join(names, ","));
}

std::string Pairs(const api::StringMap& map) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : map) {
    pairs.push_back(Printable(fmt::format("{}={}", key, value)));
  }
  return pairs.empty() ? std::string(kNone)
                       : fmt::format("{}", fmt::join(pairs, "\n                     "));
}

std::string ValuesOf(const pki::CertificateRequest& request, std::string_view type) {
  std::vector<std::string> values;
  for (const pki::NameAttribute& attribute : request.subject()) {
    if (attribute.type == type) values.push_back(Printable(attribute.value));
  }
  return fmt::format("{}", fmt::join(values, "\n                             "));
}

struct SubjectLine {
  const char* title;
  const char* type;
  bool always;
};
constexpr SubjectLine kSubjectLines[] = {
    {"Common Name", "CN", true},
    {"Serial Number", "serialNumber", true},
    {"Organization", "O", false},
    {"Organizational Unit", "OU", false},
    {"Country", "C", false},
    {"Locality", "L", false},
    {"Province", "ST", false},
    {"StreetAddress", "street", false},
    {"PostalCode", "postalCode", false},
};

std::string SubjectText(const pki::CertificateRequest& request) {
  std::string text = "Subject:\n";
  for (const SubjectLine& line : kSubjectLines) {
    const std::string values = ValuesOf(request, line.type);
    if (values.empty() && !line.always) continue;
    text += fmt::format("         {:<20}{}\n", fmt::format("{}:", line.title), values);
  }
  return text;
}

void AddNames(std::string_view title, std::vector<std::string> names, std::string& text) {
  if (names.empty()) return;
  for (std::string& name : names) name = Printable(name);
  text += fmt::format("         {:<17}{}\n", fmt::format("{}:", title),
                      fmt::join(names, "\n                          "));
}

std::string NamesBlock(const pki::CertificateRequest& request) {
  std::string names;
  AddNames("DNS Names", request.dns_names(), names);
  AddNames("Email Addresses", request.emails(), names);
  AddNames("URIs", request.uris(), names);
  AddNames("IP Addresses", Texts(request.ip_addresses()), names);
  return names.empty() ? names : "Subject Alternative Names:\n" + names;
}

std::string ConditionsBlock(const Csr& csr) {
  std::string text;
  for (const api::Condition& condition : csr.conditions) {
    text += fmt::format("{:<21}{}: {}\n", Printable(condition.type) + ":",
                        Printable(condition.reason), Printable(condition.message));
  }
  const auto leaf = IssuedLeaf(csr);
  if (csr.IsIssued() && leaf.ok()) {
    text += fmt::format("{:<21}from {} to {}, issued by {}, serial number {}\n",
                        "Certificate:", codec::EncodeTime(leaf->not_before()),
                        codec::EncodeTime(leaf->not_after()), Printable(leaf->issuer()),
                        leaf->serial());
  }
  return text;
}

}  // namespace

std::string HumanDuration(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60 * 2) return fmt::format("{}s", seconds);
  const int64_t minutes = seconds / 60;
  if (minutes < 10) return TwoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 60 * 3) return fmt::format("{}m", minutes);
  const int64_t hours = minutes / 60;
  if (hours < 8) return TwoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  const int64_t days = hours / 24;
  if (days < 8) return TwoUnits(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return fmt::format("{}d", days);
  const int64_t years = days / 365;
  if (years < 8) return TwoUnits(years, 'y', days % 365, 'd');
  return fmt::format("{}y", years);
}

std::string ShortHumanDuration(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 24 * 3600) return fmt::format("{}h", seconds / 3600);
  const int64_t days = seconds / (24 * 3600);
  return days < 365 ? fmt::format("{}d", days) : fmt::format("{}y", days / 365);
}

std::string ConditionText(const Csr& csr) {
  // By the presence of a condition, as kubectl does it.
  bool approved = false;
  bool denied = false;
  bool failed = false;
  for (const api::Condition& condition : csr.conditions) {
    approved |= condition.type == api::kCsrApproved;
    denied |= condition.type == api::kCsrDenied;
    failed |= condition.type == api::kCsrFailed;
  }
  std::string text = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) text += ",Failed";
  if (csr.IsIssued()) text += ",Issued";
  return text;
}

std::vector<std::string> CsrHeader(bool wide) {
  std::vector<std::string> header = {
      "NAME", "AGE", "SIGNERNAME", "REQUESTOR", "REQUESTEDDURATION", "CONDITION"};
  if (wide) header.insert(header.end(), {"SUBJECT", "NAMES", "EXPIRES"});
  return header;
}

std::vector<std::string> CsrRow(const Csr& csr, absl::Time now, bool wide) {
  std::vector<std::string> row = {csr.meta.name,
                                  HumanDuration(now - csr.meta.creation_timestamp),
                                  csr.signer_name,
                                  csr.username,
                                  csr.expiration_seconds.has_value()
                                      ? HumanDuration(absl::Seconds(*csr.expiration_seconds))
                                      : std::string(kNone),
                                  ConditionText(csr)};
  if (!wide) return row;
  const auto request = pki::CertificateRequest::ParsePem(csr.request_pem);
  const auto leaf = IssuedLeaf(csr);
  row.push_back(request.ok() ? request->subject_text() : "<unreadable>");
  row.push_back(request.ok() ? NamesText(*request) : std::string(kNone));
  row.push_back(leaf.ok() ? codec::EncodeTime(leaf->not_after()) : std::string(kNone));
  if (row[row.size() - 3].empty()) row[row.size() - 3] = kNone;
  return row;
}

std::string CsrDescription(const Csr& csr) {
  const auto line = [](std::string_view title, std::string_view text) {
    return fmt::format("{:<21}{}\n", fmt::format("{}:", title), text);
  };
  // Whoever asks chooses what stands here; it must not look like another line of it.
  std::string text = line("Name", Printable(csr.meta.name));
  text += line("Labels", Pairs(csr.meta.labels));
  text += line("Annotations", Pairs(csr.meta.annotations));
  text += line("CreationTimestamp",
               absl::FormatTime("%a, %d %b %Y %H:%M:%S %z", csr.meta.creation_timestamp,
                                absl::LocalTimeZone()));
  text += line("Requesting User", Printable(csr.username));
  text += line("Signer", Printable(csr.signer_name));
  if (csr.expiration_seconds.has_value()) {
    text += line("Requested Duration", HumanDuration(absl::Seconds(*csr.expiration_seconds)));
  }
  text += line("Usages", fmt::format("{}", fmt::join(csr.usages, ", ")));
  text += line("Status", ConditionText(csr));
  text += ConditionsBlock(csr);
  const auto request = pki::CertificateRequest::ParsePem(csr.request_pem);
  if (!request.ok()) return text + line("Request", std::string(request.status().message()));
  text += line("Key", request->public_key().Description());
  return text + SubjectText(*request) + NamesBlock(*request);
}

}  // namespace calico::calicert::requests
