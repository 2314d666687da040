#include "pkg/pki/certificate_demand.h"

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/name_constraints.h"
#include "pkg/pki/usage.h"

namespace calico::pki {
namespace {

absl::Status Refused(std::string_view check, std::string_view cause) {
  return absl::FailedPreconditionError(fmt::format("check {}: {}", check, cause));
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status CheckValidity(const Certificate& leaf, absl::Time now) {
  if (now < leaf.not_before()) {
    return Refused("validity", fmt::format("not valid before {}, it is {}",
                                           absl::FormatTime(leaf.not_before(), absl::UTCTimeZone()),
                                           absl::FormatTime(now, absl::UTCTimeZone())));
  }
  if (now > leaf.not_after()) {
    return Refused("validity", fmt::format("expired at {}", absl::FormatTime(leaf.not_after(),
                                                                             absl::UTCTimeZone())));
  }
  return absl::OkStatus();
}

std::string_view OidOf(ExtendedKeyUsage usage) {
  switch (usage) {
    case ExtendedKeyUsage::kServerAuth:
      return kOidServerAuth;
    case ExtendedKeyUsage::kClientAuth:
      return kOidClientAuth;
    case ExtendedKeyUsage::kAny:
      break;
  }
  return kOidAnyExtendedKeyUsage;
}

std::string_view UseOf(ExtendedKeyUsage usage) {
  return usage == ExtendedKeyUsage::kServerAuth ? "to be a TLS server" : "to be a TLS client";
}

bool AllowsAny(const Certificate& leaf) {
  return leaf.extended_key_usages().empty() || leaf.HasExtendedKeyUsage(kOidAnyExtendedKeyUsage);
}

absl::Status CheckUsages(const Certificate& leaf, absl::Span<const ExtendedKeyUsage> usages) {
  if (AllowsAny(leaf)) return absl::OkStatus();
  for (const ExtendedKeyUsage usage : usages) {
    if (usage == ExtendedKeyUsage::kAny || leaf.HasExtendedKeyUsage(OidOf(usage))) continue;
    const std::string has = absl::StrJoin(
        leaf.extended_key_usages(), ", ",
        [](std::string* out, const std::string& oid) { *out += ExtendedKeyUsageName(oid); });
    return Refused("extended key usages",
                   fmt::format("{} is missing, which its owner needs {}; the certificate has {}",
                               ExtendedKeyUsageName(OidOf(usage)), UseOf(usage), has));
  }
  return absl::OkStatus();
}

// What the CAs above `leaf` forbid of its names: the library only says that they do.
absl::Status ExplainConstraints(const std::vector<Certificate>& chain,
                                const std::vector<Certificate>& roots) {
  const Certificate& leaf = chain.front();
  std::vector<Certificate> above(chain.begin() + 1, chain.end());
  for (const Certificate& root : roots) {
    if (root.subject() == chain.back().issuer()) above.push_back(root);
  }
  return CheckNameConstraints(above, leaf.dns_names(), leaf.ip_addresses(), leaf.common_name());
}

absl::Status CheckChain(const std::vector<Certificate>& chain, const CertificateDemand& demand,
                        const std::vector<Certificate>& roots, absl::Time now) {
  if (roots.empty()) return absl::OkStatus();
  const Certificate& leaf = chain.front();
  const std::vector<Certificate> intermediates(chain.begin() + 1, chain.end());
  for (const ExtendedKeyUsage usage : demand.usages) {
    // The library does not take anyExtendedKeyUsage for a purpose of its own.
    const bool any = leaf.HasExtendedKeyUsage(kOidAnyExtendedKeyUsage);
    const absl::Status status =
        VerifyChain(leaf, intermediates, roots, any ? ExtendedKeyUsage::kAny : usage, now);
    if (status.ok()) continue;
    const absl::Status constraints = ExplainConstraints(chain, roots);
    if (!constraints.ok()) return Refused("name constraints", MessageOf(constraints));
    return Refused("chain to the CA", MessageOf(status));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeetsDemand(std::string_view certificate_pem, const PublicKey* key,
                         const CertificateDemand& demand, const std::vector<Certificate>& roots,
                         absl::Time now) {
  const absl::StatusOr<std::vector<Certificate>> chain =
      Certificate::ParsePemBundle(certificate_pem, SurroundingText::kAllow);
  if (!chain.ok()) return Refused("form", MessageOf(chain.status()));
  const Certificate& leaf = chain->front();
  if (key != nullptr) {
    const absl::Status match = KeyMatches(leaf, *key);
    if (!match.ok()) return Refused("key", MessageOf(match));
  }
  CALICO_RETURN_IF_ERROR(CheckValidity(leaf, now));
  CALICO_RETURN_IF_ERROR(CheckUsages(leaf, demand.usages));
  CALICO_RETURN_IF_ERROR(CheckChain(*chain, demand, roots, now));
  const absl::Status names =
      NamesMatch(leaf, {.common_name = demand.common_name, .dns_names = demand.dns_names});
  if (!names.ok()) return absl::FailedPreconditionError(fmt::format("check {}", MessageOf(names)));
  return absl::OkStatus();
}

}  // namespace calico::pki
