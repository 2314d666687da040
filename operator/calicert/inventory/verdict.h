// What csr-signer would say about a request, from the cluster as it is now: its own rules, with
// what they look up asked for once.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_VERDICT_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_VERDICT_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/policy.h"
#include "operator/csr_policy/rules.h"
#include "pkg/aio/task.h"

namespace calico::calicert::inventory {

// Evaluates until nothing that can be looked up is missing. `facts` is left as judged. Nothing is
// waited for: what the signer would wait for is the verdict kRetry.
// Errors: of a look-up.
aio::Task<absl::StatusOr<csr_policy::Decision>> JudgeNow(Cluster& cluster,
                                                         csr_policy::CsrFacts& facts,
                                                         const csr_policy::CsrPolicy& policy);

// What the rule is there for and what to do when it is in the way; empty for an unknown name.
// Lifetime: static.
std::string_view AdviceOn(std::string_view rule);

// The verdict for people: who asks, for what, by which policy, the answer, the next step.
std::string Explanation(const csr_policy::CsrFacts& facts, const csr_policy::Decision& decision,
                        std::string_view policy_name);

}  // namespace calico::calicert::inventory

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_VERDICT_H_
