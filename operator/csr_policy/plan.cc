// What an approved request's certificate will hold.
#include <algorithm>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr absl::Duration kBackdateCountsFrom = absl::Hours(8);

// RFC 5280 4.2.1.3: key encipherment is for keys that encrypt keys, which is RSA alone; key
// agreement for Diffie-Hellman, which is never RSA. RFC 8813 3: no key encipherment with an EC key.
// RFC 8410 5: Ed25519 only signs.
bool Fits(pki::KeyUsage usage, pki::KeyFamily family) {
  switch (usage) {
    case pki::KeyUsage::kKeyEncipherment:
      return family == pki::KeyFamily::kRsa;
    case pki::KeyUsage::kKeyAgreement:
      return family == pki::KeyFamily::kEcdsa;
    default:
      return true;
  }
}

}  // namespace

pki::KeyUsages KeyUsagesOf(const std::vector<std::string>& usages) {
  pki::KeyUsages result;
  for (const std::string& name : usages) {
    const Usage* usage = FindUsage(name);
    if (usage != nullptr && usage->key_usage.has_value()) result.Add(*usage->key_usage);
  }
  return result;
}

std::vector<std::string> ExtendedKeyUsagesOf(const std::vector<std::string>& usages) {
  std::vector<std::string> result;
  for (const std::string& name : usages) {
    const Usage* usage = FindUsage(name);
    if (usage == nullptr || usage->key_usage.has_value()) continue;
    if (!Holds(result, usage->extended)) result.emplace_back(usage->extended);
  }
  std::sort(result.begin(), result.end());
  return result;
}

pki::KeyUsages FittingKeyUsages(pki::KeyUsages asked, pki::KeyFamily family) {
  pki::KeyUsages result;
  for (const pki::KeyUsage usage : asked.List()) {
    if (Fits(usage, family)) result.Add(usage);
  }
  return result;
}

pki::CertificateTemplate PlanCertificate(const CsrFacts& facts, const CsrPolicyEntry& entry,
                                         absl::Duration longest) {
  pki::CertificateTemplate plan;
  plan.common_name = facts.request->common_name();
  for (const std::string& name : facts.request->dns_names()) {
    if (!name.empty() && !Holds(plan.dns_names, name)) plan.dns_names.push_back(name);
  }
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
    if (entry.drop_ip_addresses) break;
    if (!Holds(plan.ip_addresses, address)) plan.ip_addresses.push_back(address);
  }
  plan.key_usages =
      FittingKeyUsages(KeyUsagesOf(facts.csr.usages), facts.request->public_key().family());
  plan.extended_key_usages = ExtendedKeyUsagesOf(facts.csr.usages);

  absl::Duration duration = longest;
  if (facts.csr.expiration_seconds.has_value()) {
    duration = absl::Seconds(*facts.csr.expiration_seconds);
  }
  duration = std::max(std::min({duration, longest, entry.max_duration}), kShortestDuration);
  plan.not_before = facts.now - kBackdate;
  plan.not_after = facts.now + duration;
  if (duration >= kBackdateCountsFrom) plan.not_after -= kBackdate;
  return plan;
}

}  // namespace calico::csr_policy
