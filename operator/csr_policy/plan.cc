// What an approved request's certificate will hold.
#include <algorithm>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr absl::Duration kBackdateCountsFrom = absl::Hours(8);

}  // namespace

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
  for (const std::string& name : facts.csr.usages) {
    const Usage* usage = FindUsage(name);
    if (usage == nullptr) continue;
    if (usage->key_usage.has_value()) {
      plan.key_usages.Add(*usage->key_usage);
    } else if (!Holds(plan.extended_key_usages, usage->extended)) {
      plan.extended_key_usages.emplace_back(usage->extended);
    }
  }
  std::sort(plan.extended_key_usages.begin(), plan.extended_key_usages.end());

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
