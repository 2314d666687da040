#include "operator/provision/issued_certificate.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/usage.h"
#include "pkg/pki/verify.h"

namespace calico::provision {
namespace {

absl::Status Refused(std::string_view check, std::string_view cause) {
  return absl::FailedPreconditionError(fmt::format("check {}: {}", check, cause));
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status CheckValidity(const pki::Certificate& leaf, absl::Time now) {
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

absl::Status CheckChain(const std::vector<pki::Certificate>& chain, const Config& config,
                        absl::Time now) {
  if (config.ca_certificates.empty()) return absl::OkStatus();
  const std::vector<pki::Certificate> intermediates(chain.begin() + 1, chain.end());
  for (const pki::ExtendedKeyUsage purpose :
       {pki::ExtendedKeyUsage::kServerAuth, pki::ExtendedKeyUsage::kClientAuth}) {
    const absl::Status status =
        pki::VerifyChain(chain.front(), intermediates, config.ca_certificates, purpose, now);
    if (!status.ok()) return Refused("chain to CA_CERT", MessageOf(status));
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const pki::Certificate& leaf, const Config& config) {
  const absl::Status status = pki::NamesMatch(leaf, {.common_name = config.common_name,
                                                     .dns_names = config.dns_names,
                                                     .ip_addresses = config.ip_addresses});
  if (status.ok()) return status;
  return absl::FailedPreconditionError(fmt::format("check {}", MessageOf(status)));
}

absl::Status CheckUsages(const pki::Certificate& leaf) {
  for (const std::string_view usage : {pki::kOidServerAuth, pki::kOidClientAuth}) {
    if (!leaf.extended_key_usages().empty() && !leaf.HasExtendedKeyUsage(usage) &&
        !leaf.HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage)) {
      return Refused("extended key usages",
                     fmt::format("{} is missing", pki::ExtendedKeyUsageName(usage)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyIssuedCertificate(std::string_view certificate_pem, const pki::PublicKey& key,
                                     const Config& config, absl::Time now) {
  const absl::StatusOr<std::vector<pki::Certificate>> chain =
      pki::Certificate::ParsePemBundle(certificate_pem, pki::SurroundingText::kAllow);
  if (!chain.ok()) return Refused("form", MessageOf(chain.status()));
  const pki::Certificate& leaf = chain->front();
  const absl::Status key_status = pki::KeyMatches(leaf, key);
  if (!key_status.ok()) return Refused("key", MessageOf(key_status));
  CALICO_RETURN_IF_ERROR(CheckValidity(leaf, now));
  CALICO_RETURN_IF_ERROR(CheckUsages(leaf));
  CALICO_RETURN_IF_ERROR(CheckChain(*chain, config, now));
  return CheckNames(leaf, config);
}

absl::Status VerifyExistingSet(const Config& config, absl::Time now) {
  const auto path = [&config](const std::string& name) { return config.directory + "/" + name; };
  CALICO_ASSIGN_OR_RETURN(const base::SecretString key_pem,
                          base::ReadSecretFile(path(config.key_file)));
  const absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_pem.view());
  if (!key.ok()) return Refused("key", MessageOf(key.status()));
  CALICO_ASSIGN_OR_RETURN(const std::string certificate_pem,
                          base::ReadFile(path(config.certificate_file)));
  CALICO_RETURN_IF_ERROR(VerifyIssuedCertificate(certificate_pem, key->public_key(), config, now));
  CALICO_ASSIGN_OR_RETURN(
      const std::vector<pki::Certificate> chain,
      pki::Certificate::ParsePemBundle(certificate_pem, pki::SurroundingText::kAllow));
  const pki::Certificate& leaf = chain.front();
  const absl::Duration margin =
      std::min((leaf.not_after() - leaf.not_before()) / 10, absl::Minutes(10));
  if (now + margin > leaf.not_after()) return Refused("validity", "about to expire");
  if (config.ca_pem.empty()) return absl::OkStatus();
  CALICO_ASSIGN_OR_RETURN(const std::string ca_pem, base::ReadFile(path(config.ca_file)));
  return ca_pem == config.ca_pem ? absl::OkStatus() : Refused("CA file", "differs from CA_CERT");
}

}  // namespace calico::provision
