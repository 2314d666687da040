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
                     fmt::format("{} is not a service account, so no pod is bound to it",
                                 Quote(facts.csr.username))};
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
  if (facts.request->requests_path_length()) {
    return Violation{"no-ca", "the request asks for a path length, which only a CA has"};
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

// What a certificate of ours can show of a request; its subjectKeyIdentifier is made by the CA.
constexpr std::array<std::string_view, 5> kGrantedExtensions = {
    "2.5.29.14",  // subjectKeyIdentifier
    "2.5.29.15",  // keyUsage
    "2.5.29.17",  // subjectAltName
    "2.5.29.19",  // basicConstraints
    "2.5.29.37",  // extKeyUsage
};

MaybeViolation OtherExtensions(const CsrFacts& facts, const CsrPolicy&) {
  for (const std::string& oid : facts.request->extensions()) {
    if (std::find(kGrantedExtensions.begin(), kGrantedExtensions.end(), oid) !=
        kGrantedExtensions.end()) {
      continue;
    }
    return Violation{"extensions",
                     fmt::format("extension {} is asked and never granted", Quote(oid))};
  }
  return std::nullopt;
}

MaybeViolation Attributes(const CsrFacts& facts, const CsrPolicy&) {
  if (facts.request->attributes().empty()) return std::nullopt;
  return Violation{"attributes",
                   fmt::format("the request has attribute {}, only PKCS#9's extension request is "
                               "known",
                               Quote(facts.request->attributes().front()))};
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
  if (request.other_san_kinds().empty()) return std::nullopt;
  return Violation{"other-names",
                   fmt::format("a {} is asked, alternative names are DNS names and IP addresses",
                               request.other_san_kinds().front())};
}

constexpr std::array<RequestRule, 3> kRequesterRules = {SignerName, ExpectedRequester, BoundToken};
constexpr std::array<RequestRule, 8> kRequestRules = {
    RequestFormat,      ProofOfPossession, SoundKey,   NoCa,
    CriticalExtensions, OtherExtensions,   Attributes, OtherNames,
};

}  // namespace

std::span<const RequestRule> RequesterRules() { return kRequesterRules; }
std::span<const RequestRule> RequestRules() { return kRequestRules; }

}  // namespace calico::csr_policy
