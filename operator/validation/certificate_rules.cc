#include "operator/validation/certificate_rules.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "operator/validation/ca_certificates.h"
#include "pkg/api/meta/names.h"

namespace calico::validation {
namespace {

constexpr std::string_view kManagement = "spec.certificateManagement";

std::string_view KeyFamily(std::string_view algorithm) {
  if (algorithm.empty() || algorithm.starts_with("RSA")) return "RSA";
  return "ECDSA";
}

std::string_view SignatureFamily(std::string_view algorithm) {
  return algorithm.ends_with("RSA") ? "RSA" : "ECDSA";
}

template <size_t N>
bool Contains(const std::string_view (&values)[N], std::string_view value) {
  return std::find(std::begin(values), std::end(values), value) != std::end(values);
}

// The containers that ask for certificates get caCert in one variable, in base64, and Linux starts
// no program with a variable of more than 128 KiB.
constexpr size_t kMostCaBytes = 96 << 10;

void CheckSize(size_t bytes, Findings findings) {
  if (bytes <= kMostCaBytes - 64) return;
  findings.Add(fmt::format("{}.caCert", kManagement),
               fmt::format("has {} KiB, and no program starts with more than {} KiB of it in its "
                           "environment: keep only the CA certificates that sign for Calico",
                           (bytes + 1023) >> 10, kMostCaBytes >> 10));
}

void CheckSigner(std::string_view name, Findings findings) {
  const std::string path = fmt::format("{}.signerName", kManagement);
  if (name.empty()) {
    findings.Add(path,
                 "is required: the name that your signer listens to, such as "
                 "example.com/signer");
  } else if (!api::IsSignerName(name)) {
    findings.Add(path, fmt::format("\"{}\" is no signer name: write a domain of at least two "
                                   "labels, one slash and a path in lower case, such as "
                                   "example.com/signer",
                                   name));
  } else if (name.starts_with("kubernetes.io/")) {
    findings.Add(path, fmt::format("{} does not sign certificates for TLS servers that are clients "
                                   "too: choose a signer of your own domain",
                                   name));
  }
}

void CheckAlgorithms(const api::CertificateManagement& management, Findings findings) {
  const std::string& key = management.key_algorithm;
  const std::string& signature = management.signature_algorithm;
  const bool known_key = Contains(api::kKeyAlgorithms, key);
  const bool known_signature = Contains(api::kSignatureAlgorithms, signature);
  if (!known_key) {
    findings.Add(fmt::format("{}.keyAlgorithm", kManagement),
                 fmt::format("\"{}\" is not known: choose one of RSAWithSize2048, RSAWithSize4096, "
                             "RSAWithSize8192, ECDSAWithCurve256, ECDSAWithCurve384, "
                             "ECDSAWithCurve521",
                             key));
  }
  if (!known_signature) {
    findings.Add(fmt::format("{}.signatureAlgorithm", kManagement),
                 fmt::format("\"{}\" is not known: choose one of SHA256WithRSA, SHA384WithRSA, "
                             "SHA512WithRSA, ECDSAWithSHA256, ECDSAWithSHA384, ECDSAWithSHA512",
                             signature));
  }
  if (known_key && known_signature && !signature.empty() &&
      KeyFamily(key) != SignatureFamily(signature)) {
    findings.Add(
        fmt::format("{}.signatureAlgorithm", kManagement),
        fmt::format("{} cannot be made with {} key ({}): choose a signature algorithm of the key's "
                    "family, or leave it empty",
                    signature, KeyFamily(key) == "RSA" ? "an RSA" : "an ECDSA",
                    key.empty() ? "keyAlgorithm is empty, which means RSAWithSize2048" : key));
  }
}

}  // namespace

void CheckCertificateManagement(const api::CertificateManagement& management, absl::Time now,
                                std::span<const base::IpAddress> node_addresses,
                                InstallationVerdict& verdict) {
  const Findings findings(verdict.problems);
  CheckSize(management.ca_cert_pem.size(), findings);
  CaVerdict ca = CheckCaCertificates(management.ca_cert_pem, CalicoDemands(node_addresses), now);
  for (std::string& text : ca.problems) {
    findings.Add(fmt::format("{}.caCert", kManagement), std::move(text));
  }
  verdict.recheck_at = ca.recheck_at;
  verdict.ca_certificates = std::move(ca.certificates);
  for (const std::string& text : ca.warnings) {
    verdict.warnings.push_back(fmt::format("{}.caCert: {}", kManagement, text));
  }
  CheckSigner(management.signer_name, findings);
  CheckAlgorithms(management, findings);
}

}  // namespace calico::validation
