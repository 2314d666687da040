#include "operator/provision/issued_certificate.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_demand.h"

namespace calico::provision {
namespace {

absl::Status Refused(std::string_view check, std::string_view cause) {
  return absl::FailedPreconditionError(fmt::format("check {}: {}", check, cause));
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace

absl::Status VerifyIssuedCertificate(std::string_view certificate_pem, const pki::PublicKey& key,
                                     const Config& config, absl::Time now) {
  return pki::MeetsDemand(
      certificate_pem, &key,
      {.common_name = config.common_name, .dns_names = config.dns_names, .usages = config.usages},
      config.ca_certificates, now);
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
