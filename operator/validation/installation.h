// Can this Installation work? Decided before anything is touched, from the object and the time.
//
// Every problem is found at once and names the field and what to do. What the API server's schema
// refuses is not repeated here, except where an older schema may have let it in.
#ifndef CALICO_OPERATOR_VALIDATION_INSTALLATION_H_
#define CALICO_OPERATOR_VALIDATION_INSTALLATION_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/validation/findings.h"
#include "operator/validation/spec_rules.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"

namespace calico::validation {

// "spec.a: text; spec.b: text".
std::string ToString(std::span<const Problem> problems);

struct InstallationVerdict {
  std::vector<Problem> problems;
  // Of caCert, each once, in its order. Empty when caCert has a problem.
  std::vector<pki::Certificate> ca_certificates;
  // Sentences for the status of a working Installation: a CA that ends soon, or one that has ended
  // or has not begun beside a good one.
  std::vector<std::string> warnings;
  // When the verdict changes by itself, because a certificate begins, ends or is about to end.
  absl::Time recheck_at = absl::InfiniteFuture();

  bool ok() const { return problems.empty(); }
};

struct InstallationContext {
  SpecContext spec;
  absl::Time now;
  // The hosts' addresses as far as they are known: certificates will hold them, and the CA must
  // allow that.
  std::span<const base::IpAddress> node_addresses;
};

// Requires an Installation whose spec is complete (defaults::CompleteSpec), and decoded after that.
InstallationVerdict ValidateCompleted(const api::Installation& installation,
                                      const InstallationContext& context);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_INSTALLATION_H_
