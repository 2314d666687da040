#include "operator/certificates/plan.h"

#include <algorithm>
#include <utility>

#include <absl/algorithm/container.h>
#include <fmt/format.h>

#include "operator/certificates/bundle_plan.h"
#include "operator/certificates/pair_plan.h"
#include "pkg/base/status_macros.h"

namespace calico::certificates {
namespace {

absl::Status CheckDemands(const Demands& demands) {
  const auto refuse = [](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("plan certificates: {}", cause));
  };
  if (demands.operator_namespace.empty()) return refuse("no namespace of the operator");
  if (demands.key_pairs.empty()) return refuse("no key pair");
  for (const KeyPairDemand& demand : demands.key_pairs) {
    if (demand.name.empty() || demand.ns.empty() || demand.dns_names.empty()) {
      return refuse("a key pair without a name");
    }
    if (demand.ns == demands.operator_namespace) {
      return refuse("a key pair whose pods are in the operator's namespace");
    }
  }
  return absl::OkStatus();
}

std::string AuthorityPem(const TrustedBundle& bundle) {
  const auto member = absl::c_find_if(
      bundle.members, [](const TrustMember& candidate) { return candidate.name == kCaSecret; });
  return member == bundle.members.end() ? "" : member->pem;
}

}  // namespace

std::string_view ToString(Source source) {
  switch (source) {
    case Source::kOperatorSigned:
      return "OperatorSigned";
    case Source::kUserSupplied:
      return "UserSupplied";
    case Source::kRequest:
      break;
  }
  return "Request";
}

const KeyPair* Plan::Find(std::string_view name) const {
  const auto pair =
      absl::c_find_if(key_pairs, [&](const KeyPair& candidate) { return candidate.name == name; });
  return pair == key_pairs.end() ? nullptr : &*pair;
}

bool Plan::HasNewKeys() const {
  return absl::c_any_of(originals, [](const PlannedSecret& secret) {
    return secret.write == PlannedSecret::Write::kCreate ||
           secret.write == PlannedSecret::Write::kReplace;
  });
}

absl::StatusOr<Plan> MakePlan(const Live& live, const Demands& demands, absl::Time now,
                              KeySource new_key) {
  CALICO_RETURN_IF_ERROR(CheckDemands(demands));
  Plan plan;
  PairPlanner pairs(live, demands, now, new_key, plan);
  CALICO_RETURN_IF_ERROR(pairs.PlanAuthority());
  for (const KeyPairDemand& demand : demands.key_pairs) {
    CALICO_RETURN_IF_ERROR(pairs.PlanPair(demand));
  }
  PlanBundle(live, demands, pairs.authority(), now, plan);
  for (KeyPair& pair : plan.key_pairs) {
    if (pair.source != Source::kUserSupplied) pair.issuer_pem = AuthorityPem(plan.bundle);
  }
  return plan;
}

}  // namespace calico::certificates
