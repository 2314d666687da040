#include "operator/validation/installation.h"

#include <iterator>

#include <fmt/format.h>

#include "operator/validation/certificate_rules.h"

namespace calico::validation {

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
  if (installation.certificate_management.has_value()) {
    CheckCertificateManagement(*installation.certificate_management, context.now,
                               context.node_addresses, verdict);
  }
  std::vector<std::string> warnings = WarningsOf(installation.spec);
  verdict.warnings.insert(verdict.warnings.end(), std::make_move_iterator(warnings.begin()),
                          std::make_move_iterator(warnings.end()));
  std::vector<Problem> others = CheckSpec(installation.spec, context.spec);
  verdict.problems.insert(verdict.problems.end(), std::make_move_iterator(others.begin()),
                          std::make_move_iterator(others.end()));
  return verdict;
}

}  // namespace calico::validation
