#include "operator/calicert/certificates/renewed.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/describe.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/compose/composition.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {
namespace {

constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr std::string_view kSubjectKeyId = "2.5.29.14";
constexpr std::string_view kAuthorityKeyId = "2.5.29.35";
constexpr std::string_view kSignedTimestamps = "1.3.6.1.4.1.11129.2.4.2";

template <class... Args>
absl::Status Refuse(fmt::format_string<Args...> format, Args&&... args) {
  return absl::FailedPreconditionError(fmt::format(format, std::forward<Args>(args)...));
}

absl::Status CheckCa(const RenewingCa& ca, absl::Time now) {
  const pki::Certificate& certificate = ca.chain.front();
  CALICO_RETURN_IF_ERROR(base::Annotate(pki::KeyMatches(certificate, *ca.key), ca.file));
  for (const pki::Certificate& one : ca.chain) {
    if (now > one.not_after()) {
      return Refuse("{}: the CA {:?} has expired at {}: renew it first", ca.file, one.subject(),
                    TimeText(one.not_after()));
    }
    if (now < one.not_before()) {
      return Refuse("{}: the CA {:?} is not valid before {}", ca.file, one.subject(),
                    TimeText(one.not_before()));
    }
  }
  const std::vector<std::string> problems = pki::CaProblems(certificate, {});
  if (!problems.empty()) {
    return Refuse("{}: the CA {:?}: {}", ca.file, certificate.subject(), problems.front());
  }
  return absl::OkStatus();
}

absl::Status CheckOld(const pki::Certificate& old, const RenewingCa& ca) {
  const std::string& ca_subject = ca.chain.front().subject();
  if (old.is_self_signed()) {
    return Refuse(
        "it is self-signed, no CA has issued it: make it anew (of a CA: calicert gencert "
        "-renewca)");
  }
  if (old.issuer() != ca_subject) {
    return Refuse("it was issued by {:?}, and {} is {:?}: give the CA that peers trust",
                  old.issuer(), ca.file, ca_subject);
  }
  return absl::OkStatus();
}

// Would somebody who trusts the top of the CA's chain take it?
absl::Status CheckResult(const pki::Certificate& renewed, const RenewingCa& ca, absl::Time now) {
  const std::vector<pki::Certificate> between(ca.chain.begin(), ca.chain.end() - 1);
  const absl::Status verdict =
      pki::VerifyChain(renewed, between, {ca.chain.back()}, pki::ExtendedKeyUsage::kAny, now);
  if (verdict.ok()) return verdict;
  return Refuse("nobody would accept it below {}: {}", ca.file, std::string(verdict.message()));
}

}  // namespace

absl::StatusOr<pki::Certificate> Renewed(const pki::Certificate& old, const pki::PublicKey& key,
                                         const RenewingCa& ca, const RenewalDates& dates) {
  CALICO_RETURN_IF_ERROR(CheckCa(ca, dates.now));
  CALICO_RETURN_IF_ERROR(CheckOld(old, ca));
  const absl::Status strength = key.CheckStrength();
  if (!strength.ok()) {
    return Refuse("{}: give --new-key FILE", std::string(strength.message()));
  }
  const absl::Duration life = dates.lifetime > absl::ZeroDuration()
                                  ? dates.lifetime
                                  : old.not_after() - old.not_before() - kBackdate;
  pki::CertificateParts parts{.not_before = dates.now - kBackdate, .not_after = dates.now + life};
  for (const pki::Certificate& one : ca.chain) {
    parts.not_before = std::max(parts.not_before, one.not_before());
    parts.not_after = std::min(parts.not_after, one.not_after());
  }
  CALICO_ASSIGN_OR_RETURN(parts.subject, pki::SubjectNameOf(old));
  CALICO_ASSIGN_OR_RETURN(std::vector<pki::RawExtension> extensions, pki::ExtensionsOf(old));
  for (pki::RawExtension& extension : extensions) {
    if (extension.oid == kSubjectKeyId || extension.oid == kAuthorityKeyId ||
        extension.oid == kSignedTimestamps) {
      continue;
    }
    parts.extensions.push_back(std::move(extension));
  }
  CALICO_ASSIGN_OR_RETURN(
      const std::string der,
      pki::ComposeCertificate(key, parts, {.certificate = &ca.chain.front(), .key = ca.key}));
  CALICO_ASSIGN_OR_RETURN(pki::Certificate renewed, pki::Certificate::ParseDer(der));
  CALICO_RETURN_IF_ERROR(CheckResult(renewed, ca, dates.now));
  return renewed;
}

}  // namespace calico::calicert
