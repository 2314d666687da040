#include "operator/certificates/authority.h"

#include <algorithm>
#include <utility>

#include <absl/algorithm/container.h>
#include <fmt/format.h>

#include "operator/certificates/key_pair.h"
#include "operator/certificates/limits.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/verify.h"

namespace calico::certificates {
namespace {

constexpr pki::KeyUsages kPairUsages = {pki::KeyUsage::kDigitalSignature,
                                        pki::KeyUsage::kKeyEncipherment};

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

constexpr std::string_view kMend =
    "restore the Secret, or delete it to have a new CA made, which replaces every certificate";

// The certificates that sign, chosen from the file by the key.
absl::StatusOr<pki::CertificateAuthority> MakeSigner(Authority& authority, absl::Time now) {
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(authority.key_pem.view());
  if (!key.ok()) return base::Annotate(key.status(), kPrivateKeyKey);
  CALICO_ASSIGN_OR_RETURN(pki::CaChain chosen,
                          pki::ChooseCaChain(authority.certificates, key->public_key(), now));
  std::vector<pki::Certificate> chain;
  for (const size_t index : chosen.indices) chain.push_back(authority.certificates[index]);
  authority.warnings = std::move(chosen.notes);
  return pki::CertificateAuthority::Create(std::move(chain), *std::move(key));
}

absl::StatusOr<pki::CertificateAuthority> ReadSigner(const api::Secret& secret,
                                                     Authority& authority, absl::Time now) {
  const auto missing = [](std::string_view key) {
    return absl::FailedPreconditionError(fmt::format("{} is missing", key));
  };
  if (authority.certificate_pem.empty()) return missing(kCertificateKey);
  absl::StatusOr<std::vector<pki::Certificate>> certificates =
      pki::Certificate::ParsePemBundle(authority.certificate_pem, pki::SurroundingText::kAllow);
  if (!certificates.ok()) return base::Annotate(certificates.status(), kCertificateKey);
  authority.certificates = *std::move(certificates);
  const auto key = secret.data.find(kPrivateKeyKey);
  if (key == secret.data.end() || key->second.empty()) return missing(kPrivateKeyKey);
  authority.key_pem = key->second;
  return MakeSigner(authority, now);
}

}  // namespace

bool Authority::HasIssued(const pki::Certificate& leaf) const {
  if (signer.has_value()) return pki::IsIssuedBy(leaf, signer->certificate());
  return absl::c_any_of(certificates, [&](const pki::Certificate& certificate) {
    return certificate.is_ca() && pki::IsIssuedBy(leaf, certificate);
  });
}

bool Authority::IsOperators() const {
  return certificates.size() == 1 && certificates.front().is_self_signed() &&
         certificates.front().common_name().starts_with(kOperatorIssuer);
}

Authority ReadAuthority(const api::Secret& secret, absl::Time now, std::string_view withheld) {
  Authority authority;
  authority.certificate_pem = secret.Get(kCertificateKey);
  absl::StatusOr<pki::CertificateAuthority> signer = ReadSigner(secret, authority, now);
  if (!signer.ok()) {
    const bool is_hidden = !withheld.empty() && authority.key_pem.view() == withheld;
    if (is_hidden && !authority.certificates.empty()) return authority;
    authority.problem = fmt::format("{}: {}", MessageOf(signer.status()), kMend);
    return authority;
  }
  authority.signer = *std::move(signer);
  if (authority.not_after() - now <= kRenewBefore) {
    authority.warnings.push_back(
        fmt::format("the CA ends at {}, and every certificate with it: replace it before",
                    TimeText(authority.not_after())));
  }
  return authority;
}

absl::StatusOr<Authority> MakeAuthority(absl::Time now, KeySource new_key) {
  CALICO_ASSIGN_OR_RETURN(pki::PrivateKey key, new_key(pki::KeyAlgorithm::kRsa2048));
  pki::KeyUsages usages = kPairUsages;
  usages.Add(pki::KeyUsage::kCertSign);
  CALICO_ASSIGN_OR_RETURN(pki::Certificate certificate,
                          pki::SelfSign(key, {.common_name = std::string(kOperatorIssuer),
                                              .key_usages = usages,
                                              .not_before = now - kBackdate,
                                              .not_after = now + kCaLifetime,
                                              .is_ca = true}));
  Authority authority;
  authority.certificate_pem = certificate.pem();
  authority.key_pem = base::SharedSecret(key.ToPem());
  authority.certificates = {certificate};
  CALICO_ASSIGN_OR_RETURN(authority.signer, pki::CertificateAuthority::Create(
                                                {std::move(certificate)}, std::move(key)));
  return authority;
}

absl::Time LeafEnd(const Authority& authority, absl::Time now) {
  return std::min(now + kLeafLifetime, authority.not_after());
}

absl::StatusOr<IssuedPair> IssuePair(const Authority& authority, const KeyPairDemand& demand,
                                     absl::Time now, KeySource new_key) {
  std::vector<std::string> names = demand.dns_names;
  absl::c_sort(names);
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, new_key(pki::KeyAlgorithm::kRsa2048));
  CALICO_ASSIGN_OR_RETURN(
      pki::Certificate leaf,
      authority.signer->Issue(key.public_key(),
                              {.common_name = names.front(),
                               .dns_names = names,
                               .key_usages = kPairUsages,
                               .extended_key_usages = {std::string(pki::kOidServerAuth),
                                                       std::string(pki::kOidClientAuth)},
                               .not_before = now - kBackdate,
                               .not_after = LeafEnd(authority, now)},
                              now));
  std::string pem = leaf.pem() + pki::ToPemBundle(authority.signer->chain());
  return IssuedPair{.leaf = std::move(leaf),
                    .certificate_pem = std::move(pem),
                    .key_pem = base::SharedSecret(key.ToPem())};
}

}  // namespace calico::certificates
