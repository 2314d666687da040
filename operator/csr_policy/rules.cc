#include "operator/csr_policy/rules.h"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

constexpr std::array<std::string_view, 22> kRuleNames = {
    "signer-name",
    "requester",
    "bound-token",
    "request-format",
    "proof-of-possession",
    "key-strength",
    "no-ca",
    "critical-extensions",
    "extensions",
    "attributes",
    "other-names",
    "csr-name",
    "subject",
    "common-name",
    "dns-names",
    "usages",
    "duration",
    "pod-exists",
    "pod-uid",
    "pod-service-account",
    "pod-alive",
    "ip-addresses",
};

Decision DecisionOf(Violation violation) {
  const auto kind =
      violation.need == Need::kNothing ? Decision::Kind::kDeny : Decision::Kind::kRetry;
  return {kind, violation.rule, std::move(violation.message), violation.need, nullptr};
}

MaybeViolation FirstOf(std::span<const RequestRule> rules, const CsrFacts& facts,
                       const CsrPolicy& policy) {
  for (const RequestRule rule : rules) {
    MaybeViolation violation = rule(facts, policy);
    if (violation.has_value()) return violation;
  }
  return std::nullopt;
}

// A violation that every entry of this signer name has in common.
MaybeViolation OfEveryEntry(EntryRule rule, const CsrFacts& facts, const CsrPolicy& policy) {
  MaybeViolation first;
  for (const CsrPolicyEntry& entry : policy.entries) {
    if (!entry.signer_names.empty() && !Holds(entry.signer_names, facts.csr.signer_name)) continue;
    MaybeViolation violation = rule(facts, entry);
    if (!violation.has_value()) return std::nullopt;
    if (!first.has_value()) first = std::move(violation);
  }
  return first;
}

// What a stranger's request violates besides: for whoever wonders which of the requests that he has
// approved by hand was the bad one, and why. Only an approval, which strangers cannot give, is
// worth parsing the request.
std::string Besides(CsrFacts& facts, const CsrPolicy& policy) {
  std::vector<Violation> found;
  std::span<const EntryRule> rules = UnparsedRules();
  if (facts.csr.IsApproved()) {
    ParseRequest(facts);
    MaybeViolation violation = FirstOf(RequestRules(), facts, policy);
    if (!violation.has_value()) rules = PodlessRules();
    if (violation.has_value()) found.push_back(*std::move(violation));
  }
  for (const EntryRule rule : rules) {
    MaybeViolation violation = OfEveryEntry(rule, facts, policy);
    if (violation.has_value()) found.push_back(*std::move(violation));
  }
  std::string text;
  for (const Violation& violation : found) {
    text += fmt::format("; besides, rule {}: {}", violation.rule, violation.message);
  }
  return text;
}

// The verdict of one entry, and how many of its rules passed. Look-ups come last, so that a request
// which fails anyway costs none.
std::pair<Decision, size_t> EvaluateEntry(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  size_t passed = 0;
  for (const std::span<const EntryRule> rules : {EntryRules(), LookupRules()}) {
    for (const EntryRule rule : rules) {
      MaybeViolation violation = rule(facts, entry);
      if (violation.has_value()) return {DecisionOf(*std::move(violation)), passed};
      ++passed;
    }
  }
  return {{Decision::Kind::kApprove, {}, {}, Need::kNothing, &entry}, passed};
}

}  // namespace

std::string Quote(std::string_view text) {
  constexpr size_t kLongest = 80;
  if (text.size() <= kLongest) return fmt::format("{:?}", text);
  return fmt::format("{:?}...", text.substr(0, kLongest));
}

std::string Joined(const std::vector<std::string>& texts) {
  constexpr size_t kMost = 3;
  if (texts.size() <= kMost) return fmt::format("{}", fmt::join(texts, ", "));
  return fmt::format("{}, and {} more", fmt::join(texts.begin(), texts.begin() + kMost, ", "),
                     texts.size() - kMost);
}

std::string PodName(const CsrFacts& facts) {
  return fmt::format("{}/{}", facts.requester.ns, facts.requester.pod_name);
}

std::string Decision::Text() const {
  if (rule.empty()) return message;
  return fmt::format("rule {}: {}", rule, message);
}

Decision Evaluate(CsrFacts& facts, const CsrPolicy& policy) {
  if (MaybeViolation violation = FirstOf(RequesterRules(), facts, policy)) {
    if (violation->rule != "signer-name") violation->message += Besides(facts, policy);
    return DecisionOf(*std::move(violation));
  }
  ParseRequest(facts);
  if (MaybeViolation violation = FirstOf(RequestRules(), facts, policy)) {
    return DecisionOf(*std::move(violation));
  }
  Decision best;
  size_t furthest = 0;
  for (const CsrPolicyEntry& entry : policy.entries) {
    if (!entry.AppliesTo(facts.csr.signer_name, facts.requester.ns,
                         facts.requester.service_account)) {
      continue;
    }
    auto [decision, passed] = EvaluateEntry(facts, entry);
    if (decision.kind == Decision::Kind::kApprove) return decision;
    // Look-up rules come last in every entry, so the furthest one is also the one to retry.
    if (best.rule.empty() || passed > furthest) {
      best = std::move(decision);
      furthest = passed;
    }
  }
  return best;
}

std::span<const std::string_view> RuleNames() { return kRuleNames; }

}  // namespace calico::csr_policy
