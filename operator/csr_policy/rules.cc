#include "operator/csr_policy/rules.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace calico::csr_policy {
namespace {

using MaybeViolation = std::optional<Violation>;

constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr absl::Duration kBackdateCountsFrom = absl::Hours(8);

// Text of the request for a message: quoted, control characters escaped, never long.
std::string Quote(std::string_view text) {
  constexpr size_t kLongest = 80;
  if (text.size() <= kLongest) return fmt::format("{:?}", text);
  return fmt::format("{:?}...", text.substr(0, kLongest));
}

std::string Joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool Holds(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool Holds(const std::vector<base::IpAddress>& list, const base::IpAddress& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// A DNS-1123 subdomain, as Kubernetes names a pod.
bool IsPodName(std::string_view name) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 253) return false;
  char before = '.';
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '-' && c != '.') return false;
    if (before == '.' ? !is_alphanumeric(c) : (before == '-' && c == '.')) return false;
    before = c;
  }
  return is_alphanumeric(before);
}

std::string PodName(const CsrFacts& facts) {
  return fmt::format("{}/{}", facts.requester.ns, facts.requester.pod_name);
}

// --- Rules of the request alone ---

MaybeViolation SignerName(const CsrFacts& facts, const CsrPolicy& policy) {
  if (Holds(policy.signer_names, facts.csr.signer_name)) return std::nullopt;
  return Violation{"signer-name",
                   fmt::format("{} is not served here", Quote(facts.csr.signer_name))};
}

MaybeViolation ExpectedRequester(const CsrFacts& facts, const CsrPolicy& policy) {
  const Requester& requester = facts.requester;
  if (!requester.is_service_account()) {
    return Violation{"requester",
                     fmt::format("{} is not a service account", Quote(facts.csr.username))};
  }
  for (const CsrPolicyEntry& entry : policy.entries) {
    if (entry.AppliesTo(facts.csr.signer_name, requester.ns, requester.service_account)) {
      return std::nullopt;
    }
  }
  return Violation{"requester", fmt::format("no policy entry of {} expects {}",
                                            facts.csr.signer_name, Quote(facts.csr.username))};
}

MaybeViolation BoundToken(const CsrFacts& facts, const CsrPolicy&) {
  if (!facts.requester.is_bound()) {
    return Violation{"bound-token", fmt::format("the token of {} was not bound to one pod",
                                                Quote(facts.csr.username))};
  }
  if (IsPodName(facts.requester.pod_name)) return std::nullopt;
  return Violation{"bound-token",
                   fmt::format("{} cannot be a pod's name", Quote(facts.requester.pod_name))};
}

MaybeViolation RequestFormat(const CsrFacts& facts, const CsrPolicy&) {
  if (facts.request.ok()) return std::nullopt;
  return Violation{"request-format", std::string(facts.request.status().message())};
}

MaybeViolation ProofOfPossession(const CsrFacts& facts, const CsrPolicy&) {
  const absl::Status status = facts.request->VerifySignature();
  if (status.ok()) return std::nullopt;
  return Violation{"proof-of-possession", std::string(status.message())};
}

MaybeViolation SoundKey(const CsrFacts& facts, const CsrPolicy&) {
  const absl::Status status = facts.request->public_key().CheckStrength();
  if (status.ok()) return std::nullopt;
  return Violation{"key-strength", std::string(status.message())};
}

MaybeViolation NoCa(const CsrFacts& facts, const CsrPolicy&) {
  if (facts.request->requests_ca()) {
    return Violation{"no-ca", "the request asks for a CA certificate"};
  }
  for (const pki::KeyUsage usage : {pki::KeyUsage::kCertSign, pki::KeyUsage::kCrlSign}) {
    if (facts.request->key_usages().Has(usage)) {
      return Violation{"no-ca", fmt::format("the request asks for {}", pki::ToString(usage))};
    }
  }
  return std::nullopt;
}

MaybeViolation CriticalExtensions(const CsrFacts& facts, const CsrPolicy&) {
  const std::vector<std::string>& unknown = facts.request->unknown_critical_extensions();
  if (unknown.empty()) return std::nullopt;
  return Violation{"critical-extensions",
                   fmt::format("extension {} is critical and unknown", Quote(unknown.front()))};
}

MaybeViolation OtherNames(const CsrFacts& facts, const CsrPolicy&) {
  const pki::CertificateRequest& request = *facts.request;
  if (!request.emails().empty()) {
    return Violation{"other-names",
                     fmt::format("e-mail address {} is asked", Quote(request.emails().front()))};
  }
  if (!request.uris().empty()) {
    return Violation{"other-names", fmt::format("URI {} is asked", Quote(request.uris().front()))};
  }
  if (request.other_san_count() > 0) {
    return Violation{"other-names",
                     fmt::format("{} alternative names of other kinds than DNS and IP are asked",
                                 request.other_san_count())};
  }
  return std::nullopt;
}

// --- Rules of the request and one entry ---

MaybeViolation AllowedKey(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const std::string key = facts.request->public_key().Description();
  if (Holds(entry.keys, key)) return std::nullopt;
  return Violation{"key-strength", fmt::format("{} is not one of {}", key, Joined(entry.keys))};
}

bool Fits(const CsrFacts& facts, const CsrPolicyEntry& entry, CsrNameShape shape) {
  const std::string& name = facts.csr.meta.name;
  const Requester& requester = facts.requester;
  switch (shape) {
    case CsrNameShape::kNamespacePodUid:
      return name == fmt::format("{}:{}:{}", requester.ns, requester.pod_name,
                                 std::string_view(requester.pod_uid).substr(0, 6));
    case CsrNameShape::kNamespacePod:
      return name == fmt::format("{}:{}", requester.ns, requester.pod_name);
    case CsrNameShape::kSecretPod:
      return std::any_of(entry.secret_names.begin(), entry.secret_names.end(),
                         [&](const std::string& secret) {
                           return name == fmt::format("{}:{}", secret, requester.pod_name);
                         });
  }
  return false;
}

MaybeViolation CsrName(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  std::vector<std::string> shapes;
  for (const CsrNameShape shape : entry.csr_names) {
    if (Fits(facts, entry, shape)) return std::nullopt;
    shapes.emplace_back(ToString(shape));
  }
  return Violation{"csr-name", fmt::format("the request's name is not {} of pod {}",
                                           fmt::join(shapes, " or "), PodName(facts))};
}

MaybeViolation CommonName(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const pki::CertificateRequest& request = *facts.request;
  if (request.common_name_count() != 1) {
    return Violation{"common-name", fmt::format("the subject has {} common names, expected one",
                                                request.common_name_count())};
  }
  if (Holds(entry.common_names, request.common_name())) return std::nullopt;
  return Violation{"common-name", fmt::format("{} is not one of {}", Quote(request.common_name()),
                                              Joined(entry.common_names))};
}

MaybeViolation DnsNames(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  for (const std::string& name : facts.request->dns_names()) {
    if (name.empty() || Holds(entry.dns_names, name)) continue;
    return Violation{"dns-names",
                     fmt::format("{} is not one of {}", Quote(name), Joined(entry.dns_names))};
  }
  return std::nullopt;
}

MaybeViolation Usages(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const std::vector<std::string>& asked = facts.csr.usages;
  for (const std::string& usage : asked) {
    if (Holds(entry.usages, usage) && FindUsage(usage) != nullptr) continue;
    return Violation{"usages",
                     fmt::format("{} is not one of {}", Quote(usage), Joined(entry.usages))};
  }
  for (const std::string& usage : entry.required_usages) {
    if (!Holds(asked, usage)) return Violation{"usages", fmt::format("{} is missing", usage)};
  }
  if (!Holds(asked, "server auth") && !Holds(asked, "client auth")) {
    return Violation{"usages", "neither server auth nor client auth is asked"};
  }
  return std::nullopt;
}

MaybeViolation RequestedDuration(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  if (!facts.csr.expiration_seconds.has_value()) return std::nullopt;
  const absl::Duration shortest = std::max(kShortestDuration, entry.min_duration);
  if (absl::Seconds(*facts.csr.expiration_seconds) >= shortest) return std::nullopt;
  return Violation{"duration", fmt::format("{} s is less than {} s", *facts.csr.expiration_seconds,
                                           absl::ToInt64Seconds(shortest))};
}

// --- Rules that rest on look-ups ---

// A violation if the pod was asked for just now, else the need to do so.
Violation OfPod(const CsrFacts& facts, std::string_view rule, std::string message) {
  const bool live = facts.pod_lookup == Lookup::kLive || facts.pod_lookup == Lookup::kAbsent;
  return {rule, std::move(message), live ? Need::kNothing : Need::kPod};
}

MaybeViolation PodExists(const CsrFacts& facts, const CsrPolicyEntry&) {
  switch (facts.pod_lookup) {
    case Lookup::kNotDone:
      return OfPod(facts, "pod-exists", fmt::format("pod {} was not looked up", PodName(facts)));
    case Lookup::kAbsent:
      return OfPod(facts, "pod-exists", fmt::format("there is no pod {}", PodName(facts)));
    case Lookup::kCached:
    case Lookup::kLive:
      break;
  }
  return std::nullopt;
}

MaybeViolation PodUid(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (facts.pod.uid == facts.requester.pod_uid) return std::nullopt;
  return OfPod(facts, "pod-uid",
               fmt::format("pod {} has UID {}, the token was bound to {}", PodName(facts),
                           facts.pod.uid, Quote(facts.requester.pod_uid)));
}

MaybeViolation PodServiceAccount(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (facts.pod.service_account == facts.requester.service_account) return std::nullopt;
  return OfPod(facts, "pod-service-account",
               fmt::format("pod {} runs under {}, not {}", PodName(facts),
                           Quote(facts.pod.service_account), facts.requester.service_account));
}

MaybeViolation PodAlive(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (!facts.pod.terminating && !facts.pod.finished) return std::nullopt;
  return OfPod(
      facts, "pod-alive",
      fmt::format("pod {} is {}", PodName(facts), facts.pod.finished ? "finished" : "terminating"));
}

// The first requested address that is not in `allowed`, or null.
const base::IpAddress* FindForeign(const CsrFacts& facts,
                                   const std::vector<base::IpAddress>& allowed) {
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
    if (!Holds(allowed, address)) return &address;
  }
  return nullptr;
}

MaybeViolation IpAddresses(const CsrFacts& facts, const CsrPolicyEntry&) {
  constexpr std::string_view kRule = "ip-addresses";
  const PodFacts& pod = facts.pod;
  std::vector<base::IpAddress> allowed = pod.ips;
  if (pod.host_network) {
    allowed.insert(allowed.end(), pod.host_ips.begin(), pod.host_ips.end());
    allowed.insert(allowed.end(), facts.node_addresses.begin(), facts.node_addresses.end());
  }
  const base::IpAddress* foreign = FindForeign(facts, allowed);
  if (foreign == nullptr) return std::nullopt;
  Violation violation =
      OfPod(facts, kRule,
            fmt::format("{} is not an address of pod {}", foreign->ToString(), PodName(facts)));
  if (violation.need != Need::kNothing) return violation;
  if (pod.host_network && pod.node_name.empty()) {
    return Violation{kRule, fmt::format("pod {} is not on a node yet", PodName(facts)),
                     Need::kTime};
  }
  if (pod.host_network) {
    violation.message += fmt::format(" or of its node {}", Quote(pod.node_name));
    const bool asked = facts.node_lookup == Lookup::kLive || facts.node_lookup == Lookup::kAbsent;
    if (!asked) {
      violation.need = Need::kNode;
      return violation;
    }
  }
  // The kubelet tells the API server a moment after it has told the container.
  if (pod.ips.empty()) {
    return Violation{kRule, fmt::format("pod {} has no address yet", PodName(facts)), Need::kTime};
  }
  if (facts.waited < kAddressGrace) violation.need = Need::kTime;
  return violation;
}

using RequestRule = MaybeViolation (*)(const CsrFacts&, const CsrPolicy&);
using EntryRule = MaybeViolation (*)(const CsrFacts&, const CsrPolicyEntry&);

// Who asks comes before what is asked, so that a stranger costs no parsing; look-ups come last, so
// that a request which fails anyway costs none.
constexpr std::array<RequestRule, 9> kRequestRules = {
    SignerName, ExpectedRequester,  BoundToken, RequestFormat, ProofOfPossession, SoundKey,
    NoCa,       CriticalExtensions, OtherNames,
};
constexpr std::array<EntryRule, 11> kEntryRules = {
    AllowedKey, CsrName, CommonName,        DnsNames, Usages,      RequestedDuration,
    PodExists,  PodUid,  PodServiceAccount, PodAlive, IpAddresses,
};
constexpr std::array<std::string_view, 19> kRuleNames = {
    "signer-name",
    "requester",
    "bound-token",
    "request-format",
    "proof-of-possession",
    "key-strength",
    "no-ca",
    "critical-extensions",
    "other-names",
    "csr-name",
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

// The verdict of one entry, and how many of its rules passed.
std::pair<Decision, size_t> EvaluateEntry(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  for (size_t i = 0; i < kEntryRules.size(); ++i) {
    MaybeViolation violation = kEntryRules[i](facts, entry);
    if (violation.has_value()) return {DecisionOf(*std::move(violation)), i};
  }
  return {{Decision::Kind::kApprove, {}, {}, Need::kNothing, &entry}, kEntryRules.size()};
}

}  // namespace

std::string Decision::Text() const {
  if (rule.empty()) return message;
  return fmt::format("rule {}: {}", rule, message);
}

Decision Evaluate(const CsrFacts& facts, const CsrPolicy& policy) {
  for (const RequestRule rule : kRequestRules) {
    MaybeViolation violation = rule(facts, policy);
    if (violation.has_value()) return DecisionOf(*std::move(violation));
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

pki::CertificateTemplate PlanCertificate(const CsrFacts& facts, const CsrPolicyEntry& entry,
                                         absl::Duration longest) {
  pki::CertificateTemplate plan;
  plan.common_name = facts.request->common_name();
  for (const std::string& name : facts.request->dns_names()) {
    if (!name.empty() && !Holds(plan.dns_names, name)) plan.dns_names.push_back(name);
  }
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
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
