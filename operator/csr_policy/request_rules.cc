// Rules of the requester, and of spec.request whatever the entry.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

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

constexpr std::array<RequestRule, 3> kRequesterRules = {SignerName, ExpectedRequester, BoundToken};
constexpr std::array<RequestRule, 6> kRequestRules = {
    RequestFormat, ProofOfPossession, SoundKey, NoCa, CriticalExtensions, OtherNames,
};

}  // namespace

std::span<const RequestRule> RequesterRules() { return kRequesterRules; }
std::span<const RequestRule> RequestRules() { return kRequestRules; }

}  // namespace calico::csr_policy
