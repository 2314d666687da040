// What the rules share: their shape, and the words of their messages.
#ifndef CALICO_OPERATOR_CSR_POLICY_RULE_H_
#define CALICO_OPERATOR_CSR_POLICY_RULE_H_

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/policy.h"
#include "operator/csr_policy/rules.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::csr_policy {

using MaybeViolation = std::optional<Violation>;
using RequestRule = MaybeViolation (*)(const CsrFacts&, const CsrPolicy&);
using EntryRule = MaybeViolation (*)(const CsrFacts&, const CsrPolicyEntry&);

// Who asks. These need nothing of spec.request.
std::span<const RequestRule> RequesterRules();
// spec.request, whatever the entry. Requires: it was parsed.
std::span<const RequestRule> RequestRules();
// The request and one entry. Requires: every RequestRule passed.
std::span<const EntryRule> EntryRules();
// Those of EntryRules that make sense for somebody without a pod too; and of these, those that need
// nothing of spec.request.
std::span<const EntryRule> PodlessRules();
std::span<const EntryRule> UnparsedRules();
// Those that rest on look-ups. Requires: every EntryRule passed.
std::span<const EntryRule> LookupRules();

// The key usages among `usages`, names of spec.usages.
pki::KeyUsages KeyUsagesOf(const std::vector<std::string>& usages);
// Identifiers of the extended ones among them, sorted, each once.
std::vector<std::string> ExtendedKeyUsagesOf(const std::vector<std::string>& usages);
// Those of `asked` that a key of this family can do.
pki::KeyUsages FittingKeyUsages(pki::KeyUsages asked, pki::KeyFamily family);

// Text of the request for a message: quoted, control characters escaped, never long.
std::string Quote(std::string_view text);
// Values of the policy for a message: the first few, and how many more there are.
std::string Joined(const std::vector<std::string>& texts);
// namespace/name of the requester's pod.
std::string PodName(const CsrFacts& facts);

template <class T, class Value>
bool Holds(const std::vector<T>& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace calico::csr_policy

#endif  // CALICO_OPERATOR_CSR_POLICY_RULE_H_
