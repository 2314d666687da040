#include "operator/validation/ca_certificates.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pkg/pki/pem.h"

namespace calico::validation {
namespace {

constexpr std::string_view kCertificateLabel = "CERTIFICATE";
// "-----BEGIN " in base64.
constexpr std::string_view kEncodedBegin = "LS0tLS1CRUdJTi";

std::string Date(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

std::string Which(size_t index, size_t count, const pki::Certificate& certificate) {
  const std::string subject =
      certificate.subject().empty() ? "without a subject" : certificate.subject();
  return count == 1 ? fmt::format("the certificate ({})", subject)
                    : fmt::format("certificate {} of {} ({})", index + 1, count, subject);
}

// Why there is no PEM block in `text`.
std::string NoPem(std::string_view text) {
  if (text.empty()) {
    return "is required: base64 of the PEM certificate of the CA that your signer signs with";
  }
  if (text.starts_with(kEncodedBegin)) {
    return "is encoded in base64 twice: encode the PEM file once";
  }
  if (text.front() == '\x30') {
    return "is not PEM: it looks like DER, convert it with `openssl x509 -inform der`";
  }
  return "is not PEM: put base64 of a file there that begins with -----BEGIN CERTIFICATE-----";
}

std::optional<std::string> ForeignBlock(size_t number, const pki::PemBlock& block) {
  if (block.label == kCertificateLabel) return std::nullopt;
  if (block.label.ends_with("PRIVATE KEY")) {
    return fmt::format(
        "block {} is a private key: remove it, and replace that CA, because whoever "
        "can read this object knows its key now",
        number);
  }
  return fmt::format("block {} is a {}: only certificates may be there", number, block.label);
}

// Problems of one CA certificate at `now`.
std::vector<std::string> CheckOne(const pki::Certificate& certificate, absl::Time now) {
  std::vector<std::string> problems;
  if (!certificate.is_ca()) {
    problems.push_back(
        "is not a CA (basicConstraints): put the certificate of the CA there that "
        "your signer signs with, not one that it signed");
  } else if (!certificate.AllowsKeyUsage(pki::KeyUsage::kCertSign)) {
    problems.push_back(
        "may not sign certificates (keyUsage lacks keyCertSign): make the CA anew "
        "with it");
  }
  if (now < certificate.not_before()) {
    problems.push_back(fmt::format("is not yet valid, it begins on {}: wait, or check the clocks",
                                   Date(certificate.not_before())));
  }
  if (now > certificate.not_after()) {
    problems.push_back(fmt::format("expired on {}: replace it by the CA's new one",
                                   Date(certificate.not_after())));
  }
  if (const absl::Status strength = certificate.public_key().CheckStrength(); !strength.ok()) {
    problems.push_back(
        fmt::format("has a key that no peer accepts: {}", std::string(strength.message())));
  }
  return problems;
}

// The next time at which what CheckOne says about it changes.
absl::Time NextChange(const pki::Certificate& certificate, absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  for (const absl::Time at :
       {certificate.not_before(), certificate.not_after() - kCaEndsSoon, certificate.not_after()}) {
    if (at >= now) next = std::min(next, at + absl::Seconds(1));
  }
  return next;
}

void CheckAll(const std::vector<pki::Certificate>& certificates, absl::Time now,
              CaVerdict& verdict) {
  for (size_t i = 0; i < certificates.size(); ++i) {
    const pki::Certificate& certificate = certificates[i];
    const std::string which = Which(i, certificates.size(), certificate);
    for (const std::string& problem : CheckOne(certificate, now)) {
      verdict.problems.push_back(fmt::format("{} {}", which, problem));
    }
    if (now > certificate.not_after() - kCaEndsSoon && now <= certificate.not_after()) {
      verdict.warnings.push_back(
          fmt::format("{} ends on {}", which, Date(certificate.not_after())));
    }
    verdict.recheck_at = std::min(verdict.recheck_at, NextChange(certificate, now));
  }
}

}  // namespace

CaVerdict CheckCaCertificates(std::string_view text, absl::Time now) {
  CaVerdict verdict;
  const absl::StatusOr<pki::PemText> pem = pki::ParsePem(text);
  if (!pem.ok()) {
    verdict.problems.push_back(
        fmt::format("is damaged PEM: {}", std::string(pem.status().message())));
    return verdict;
  }
  if (pem->blocks.empty()) {
    verdict.problems.push_back(NoPem(text));
    return verdict;
  }
  std::vector<pki::Certificate> certificates;
  for (size_t i = 0; i < pem->blocks.size(); ++i) {
    if (std::optional<std::string> foreign = ForeignBlock(i + 1, pem->blocks[i])) {
      verdict.problems.push_back(*std::move(foreign));
      continue;
    }
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(pem->blocks[i].der);
    if (!certificate.ok()) {
      verdict.problems.push_back(fmt::format("block {} is not a certificate: {}", i + 1,
                                             std::string(certificate.status().message())));
    } else if (std::find(certificates.begin(), certificates.end(), *certificate) ==
               certificates.end()) {
      certificates.push_back(*std::move(certificate));
    }
  }
  if (pem->text_after) {
    verdict.problems.push_back(
        "has something after its last certificate: remove it, or complete "
        "the certificate that was cut off");
  }
  CheckAll(certificates, now, verdict);
  if (verdict.problems.empty()) verdict.certificates = std::move(certificates);
  return verdict;
}

}  // namespace calico::validation
