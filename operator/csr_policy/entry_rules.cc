// Rules of the request and one entry.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

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

constexpr std::array<EntryRule, 6> kEntryRules = {
    AllowedKey, CsrName, CommonName, DnsNames, Usages, RequestedDuration,
};

}  // namespace

std::span<const EntryRule> EntryRules() { return kEntryRules; }

}  // namespace calico::csr_policy
