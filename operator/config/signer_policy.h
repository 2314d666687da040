// The signer's policy as YAML text: the file of --policy, and the built-in policies.
#ifndef CALICO_OPERATOR_CONFIG_SIGNER_POLICY_H_
#define CALICO_OPERATOR_CONFIG_SIGNER_POLICY_H_

#include <optional>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/csr_policy/policy.h"

namespace calico::config {

// Reads the format that `csr-signer --print-policy calico` shows, strictly: unknown fields, names
// that cannot be, usages and keys that we do not issue, durations under 10 minutes or out of order
// are errors. Bounds: 256 KiB, 256 entries, 1024 items in a list. `signer_names` of the result is
// empty; the caller fills it in.
// Errors: InvalidArgument with every problem (at most 16) and its path; ResourceExhausted.
absl::StatusOr<csr_policy::CsrPolicy> ParseSignerPolicy(std::string_view yaml);

// Text of the built-in policy of that name, comments included. Lifetime: static.
std::optional<std::string_view> BuiltinSignerPolicy(std::string_view name);
// Sorted.
std::vector<std::string_view> BuiltinSignerPolicyNames();

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_SIGNER_POLICY_H_
