#include "operator/calicert/calico/certificate_management.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/validation/certificate_rules.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/base64.h"
#include "pkg/codec/time.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::calico_section {
namespace {

constexpr std::string_view kCaCert = "caCert";

void AddIfSet(std::string_view key, const std::string& value, json::object& fields) {
  if (!value.empty()) fields[key] = value;
}

// The signer's certificate is trusted by whoever trusts the CA: it is one of them, or a chain leads
// there.
void CheckSigner(const std::string& text, const std::vector<pki::Certificate>& ca, absl::Time now,
                 std::vector<std::string>& problems) {
  if (text.empty() || ca.empty()) return;
  const auto chain = pki::Certificate::ParsePemBundle(text, pki::SurroundingText::kAllow);
  if (!chain.ok()) {
    problems.push_back(
        fmt::format("the signer's certificate: {}", std::string(chain.status().message())));
    return;
  }
  for (const pki::Certificate& certificate : *chain) {
    if (std::find(ca.begin(), ca.end(), certificate) != ca.end()) return;
  }
  const std::vector<pki::Certificate> others(chain->begin() + 1, chain->end());
  const absl::Status verified =
      pki::VerifyChain(chain->front(), others, ca, pki::ExtendedKeyUsage::kAny, now);
  if (verified.ok()) return;
  problems.push_back(fmt::format(
      "the signer signs with {}, and caCert does not lead there ({}): no pod would take its "
      "certificates",
      chain->front().subject(), std::string(verified.message())));
}

// What a person wants to see of a field.
std::string ShownValue(std::string_view key, const json::value& value) {
  if (!value.is_string()) return codec::Serialize(value);
  const std::string_view text = codec::View(value.get_string());
  if (key != kCaCert) return std::string(text);
  const auto pem = base::Base64Decode(text);
  if (!pem.ok()) return fmt::format("({} characters that are no base64)", text.size());
  const auto certificates = pki::Certificate::ParsePemBundle(*pem, pki::SurroundingText::kAllow);
  if (!certificates.ok()) return fmt::format("({} bytes that are no certificates)", pem->size());
  std::vector<std::string> names;
  for (const pki::Certificate& certificate : *certificates) {
    names.push_back(fmt::format("{} (serial number {}, until {})", certificate.subject(),
                                certificate.serial(), codec::EncodeTime(certificate.not_after())));
  }
  return fmt::format("{}", fmt::join(names, " and "));
}

std::set<std::string> KeysOf(const json::object* a, const json::object& b) {
  std::set<std::string> keys;
  if (a != nullptr) {
    for (const auto& member : *a) keys.emplace(codec::KeyOf(member));
  }
  for (const auto& member : b) keys.emplace(codec::KeyOf(member));
  return keys;
}

}  // namespace

Section MakeSection(const SectionOptions& options, absl::Time now) {
  Section section;
  const api::CertificateManagement management{.ca_cert_pem = options.ca_text,
                                              .signer_name = options.signer_name,
                                              .key_algorithm = options.key_algorithm,
                                              .signature_algorithm = options.signature_algorithm};
  validation::InstallationVerdict verdict;
  validation::CheckCertificateManagement(management, now, {}, verdict);
  for (const validation::Problem& problem : verdict.problems) {
    section.problems.push_back(fmt::format("{}: {}", problem.path, problem.text));
  }
  section.warnings = verdict.warnings;
  CheckSigner(options.signer_certificate_text, verdict.ca_certificates, now, section.problems);
  section.fields[kCaCert] = base::Base64Encode(pki::ToPemBundle(verdict.ca_certificates));
  AddIfSet("signerName", options.signer_name, section.fields);
  AddIfSet("keyAlgorithm", options.key_algorithm, section.fields);
  AddIfSet("signatureAlgorithm", options.signature_algorithm, section.fields);
  return section;
}

json::object InstallationWith(const Section& section, std::string_view name) {
  json::object installation =
      api::NewObject(api::kInstallations, {.ns = {}, .name = std::string(name)});
  installation["spec"] = json::object{{"certificateManagement", section.fields}};
  return installation;
}

std::string DifferenceText(const json::object* old_fields, const json::object& new_fields) {
  std::string text;
  for (const std::string& key : KeysOf(old_fields, new_fields)) {
    const json::value* const before =
        old_fields == nullptr ? nullptr : old_fields->if_contains(key);
    const json::value* const after = new_fields.if_contains(key);
    if (before != nullptr && after != nullptr && *before == *after) continue;
    if (before != nullptr) text += fmt::format("- {}: {}\n", key, ShownValue(key, *before));
    if (after != nullptr) text += fmt::format("+ {}: {}\n", key, ShownValue(key, *after));
  }
  return text;
}

json::object PatchTo(const json::object* old_fields, const json::object& new_fields,
                     std::string_view resource_version) {
  json::object fields = new_fields;
  for (const std::string& key : KeysOf(old_fields, new_fields)) {
    if (!fields.contains(key)) fields[key] = nullptr;
  }
  return {{"metadata", json::object{{"resourceVersion", resource_version}}},
          {"spec", json::object{{"certificateManagement", std::move(fields)}}}};
}

}  // namespace calico::calicert::calico_section
