#include "operator/validation/ca_certificates.h"

#include <utility>

#include "operator/validation/ca_pem.h"
#include "pkg/pki/usage.h"

namespace calico::validation {

pki::CaDemands CalicoUsages() {
  return {.usages = {{std::string(pki::kOidServerAuth), "calico-typha"},
                     {std::string(pki::kOidClientAuth), "calico-node"}}};
}

pki::CaDemands CalicoDemands(std::span<const base::IpAddress> node_addresses) {
  pki::CaDemands demands = CalicoUsages();
  demands.names = {"typha-client", "typha-server"};
  demands.ip_addresses.assign(node_addresses.begin(), node_addresses.end());
  demands.has_ip_addresses = true;
  return demands;
}

CaVerdict CheckCaCertificates(std::string_view text, const pki::CaDemands& demands,
                              absl::Time now) {
  CaPem pem = ReadCaPem(text, CaPlace::kField);
  pki::CaFindings findings = pki::CheckCaBundle(pem.certificates, demands, now);
  CaVerdict verdict{.problems = std::move(pem.problems),
                    .warnings = std::move(findings.notes),
                    .recheck_at = findings.recheck_at};
  verdict.problems.insert(verdict.problems.end(), findings.problems.begin(),
                          findings.problems.end());
  if (verdict.problems.empty()) verdict.certificates = std::move(pem.certificates);
  return verdict;
}

}  // namespace calico::validation
