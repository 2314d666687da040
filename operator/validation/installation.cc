#include "operator/validation/installation.h"

#include <iterator>

#include <fmt/format.h>

#include "operator/validation/certificate_rules.h"

namespace calico::validation {
namespace {

void CheckCertificates(const api::Installation& installation, absl::Time now,
                       std::span<const base::IpAddress> node_addresses, bool is_required,
                       InstallationVerdict& verdict) {
  if (installation.certificate_management.has_value()) {
    CheckCertificateManagement(*installation.certificate_management, now, node_addresses, verdict);
  } else if (is_required) {
    RequireCertificateManagement(verdict);
  }
}

}  // namespace

std::string ToString(std::span<const Problem> problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", problem.path, problem.text);
  }
  return text;
}

InstallationVerdict ValidateCompleted(const api::Installation& installation,
                                      const InstallationContext& context) {
  InstallationVerdict verdict;
  CheckCertificates(installation, context.now, context.node_addresses,
                    context.requires_certificate_management, verdict);
  std::vector<Problem> others = CheckSpec(installation.spec, context.spec);
  verdict.problems.insert(verdict.problems.end(), std::make_move_iterator(others.begin()),
                          std::make_move_iterator(others.end()));
  return verdict;
}

}  // namespace calico::validation
