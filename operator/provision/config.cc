#include "operator/provision/config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"

namespace calico::provision {
namespace {

constexpr size_t kUidPrefix = 6;

const std::map<std::string, pki::KeyAlgorithm> kKeyAlgorithms = {
    {"RSAWithSize2048", pki::KeyAlgorithm::kRsa2048},
    {"RSAWithSize4096", pki::KeyAlgorithm::kRsa4096},
    {"RSAWithSize8192", pki::KeyAlgorithm::kRsa8192},
    {"ECDSAWithCurve256", pki::KeyAlgorithm::kEcdsaP256},
    {"ECDSAWithCurve384", pki::KeyAlgorithm::kEcdsaP384},
    {"ECDSAWithCurve521", pki::KeyAlgorithm::kEcdsaP521},
};
const std::map<std::string, pki::SignatureAlgorithm> kSignatureAlgorithms = {
    {"SHA256WithRSA", pki::SignatureAlgorithm::kSha256WithRsa},
    {"SHA384WithRSA", pki::SignatureAlgorithm::kSha384WithRsa},
    {"SHA512WithRSA", pki::SignatureAlgorithm::kSha512WithRsa},
    {"ECDSAWithSHA256", pki::SignatureAlgorithm::kEcdsaWithSha256},
    {"ECDSAWithSHA384", pki::SignatureAlgorithm::kEcdsaWithSha384},
    {"ECDSAWithSHA512", pki::SignatureAlgorithm::kEcdsaWithSha512},
};

template <class Value>
std::string NamesOf(const std::map<std::string, Value>& table) {
  return absl::StrJoin(table, ", ", [](std::string* out, const auto& row) { *out += row.first; });
}

// Reads variables and collects what is wrong with them.
class Loader {
 public:
  explicit Loader(const kube::Environment& environment) : environment_(environment) {}

  std::string Optional(const std::string& name, const std::string& fallback = "") {
    std::string value = environment_(name);
    return value.empty() ? fallback : value;
  }
  std::string Required(const std::string& name) {
    std::string value = environment_(name);
    if (value.empty()) Problem(name, "is not set");
    return value;
  }
  std::string FileName(const std::string& name, std::string value) {
    if (value.find('/') != std::string::npos || value == "." || value == "..") {
      Problem(name, fmt::format("'{}' is not a plain file name", value));
    }
    return value;
  }
  void Problem(const std::string& name, std::string_view what) {
    problems_.push_back(fmt::format("{} {}", name, what));
  }
  absl::Status Finish() const {
    if (problems_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("environment: " + absl::StrJoin(problems_, "; "));
  }

 private:
  const kube::Environment& environment_;
  std::vector<std::string> problems_;
};

void LoadAlgorithms(Loader& loader, Config& config) {
  const std::string key = loader.Optional("KEY_ALGORITHM", "RSAWithSize2048");
  const auto key_found = kKeyAlgorithms.find(key);
  if (key_found == kKeyAlgorithms.end()) {
    loader.Problem("KEY_ALGORITHM",
                   fmt::format("'{}' is not one of {}", key, NamesOf(kKeyAlgorithms)));
    return;
  }
  config.key_algorithm = key_found->second;
  const pki::KeyFamily family = pki::FamilyOf(config.key_algorithm);
  config.signature_algorithm = pki::DefaultSignature(family);
  const std::string signature = loader.Optional("SIGNATURE_ALGORITHM");
  if (signature.empty()) return;
  const auto signature_found = kSignatureAlgorithms.find(signature);
  if (signature_found == kSignatureAlgorithms.end()) {
    loader.Problem("SIGNATURE_ALGORITHM",
                   fmt::format("'{}' is not one of {}", signature, NamesOf(kSignatureAlgorithms)));
  } else if (pki::FamilyOf(signature_found->second) != family) {
    loader.Problem(
        "SIGNATURE_ALGORITHM",
        fmt::format("'{}' cannot be made with a key of KEY_ALGORITHM '{}'", signature, key));
  } else {
    config.signature_algorithm = signature_found->second;
  }
}

void LoadAddresses(Loader& loader, Config& config) {
  const std::string all = loader.Required("POD_IP") + "," + loader.Optional("POD_IPS");
  for (const std::string& text :
       std::vector<std::string>(absl::StrSplit(all, ',', absl::SkipWhitespace()))) {
    const std::string trimmed(absl::StripAsciiWhitespace(text));
    const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(trimmed);
    if (!address.ok()) {
      loader.Problem("POD_IP or POD_IPS", fmt::format("'{}' is not an IP address", trimmed));
    } else if (std::find(config.ip_addresses.begin(), config.ip_addresses.end(), *address) ==
               config.ip_addresses.end()) {
      config.ip_addresses.push_back(*address);
    }
  }
}

// Comma-separated, in the words of the CertificateSigningRequest API.
void LoadUsages(Loader& loader, Config& config) {
  const std::string text = loader.Optional("EXTENDED_KEY_USAGES");
  if (text.empty()) return;
  config.usages.clear();
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, ','))) {
    const std::string name(absl::StripAsciiWhitespace(part));
    if (name != "server auth" && name != "client auth") {
      loader.Problem("EXTENDED_KEY_USAGES",
                     fmt::format("'{}' is not one of server auth, client auth", name));
      continue;
    }
    config.usages.push_back(name == "server auth" ? pki::ExtendedKeyUsage::kServerAuth
                                                  : pki::ExtendedKeyUsage::kClientAuth);
  }
}

void LoadCa(Loader& loader, Config& config) {
  const std::string encoded = loader.Optional("CA_CERT");
  config.ca_file = loader.FileName("CA_CERT_NAME", loader.Optional("CA_CERT_NAME"));
  if (encoded.empty()) return;
  if (config.ca_file.empty()) loader.Problem("CA_CERT_NAME", "is not set, but CA_CERT is");
  absl::StatusOr<std::string> pem = base::Base64Decode(encoded, base::Base64::kUrl);
  if (!pem.ok()) pem = base::Base64Decode(encoded);
  if (!pem.ok()) return loader.Problem("CA_CERT", "is not base64");
  absl::StatusOr<std::vector<pki::Certificate>> certificates =
      pki::Certificate::ParsePemBundle(*pem, pki::SurroundingText::kAllow);
  if (!certificates.ok()) {
    return loader.Problem("CA_CERT", fmt::format("is not a PEM certificate bundle: {}",
                                                 std::string(certificates.status().message())));
  }
  config.ca_pem = *std::move(pem);
  config.ca_certificates = *std::move(certificates);
}

}  // namespace

std::string Config::RequestName() const {
  return fmt::format("{}:{}:{}", pod_namespace, pod_name, pod_uid.substr(0, kUidPrefix));
}

absl::StatusOr<absl::Duration> ParseGoDuration(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration <= absl::ZeroDuration() ||
      duration == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a positive duration such as 90s or 1m30s", text));
  }
  return duration;
}

absl::StatusOr<Config> LoadConfig(const kube::Environment& environment) {
  Loader loader(environment);
  Config config;
  config.directory = loader.Required("CERTIFICATE_PATH");
  config.key_file = loader.FileName("KEY_NAME", loader.Required("KEY_NAME"));
  config.certificate_file = loader.FileName("CERT_NAME", loader.Required("CERT_NAME"));
  config.signer_name = loader.Required("SIGNER");
  config.common_name = loader.Required("COMMON_NAME");
  config.app_name = loader.Required("APP_NAME");
  config.pod_name = loader.Required("POD_NAME");
  config.pod_namespace = loader.Required("POD_NAMESPACE");
  config.pod_uid = loader.Required("POD_UID");
  if (!config.pod_uid.empty() && config.pod_uid.size() < kUidPrefix) {
    loader.Problem("POD_UID", "is shorter than 6 characters");
  }
  for (const std::string& name : std::vector<std::string>(
           absl::StrSplit(loader.Optional("DNS_NAMES"), ',', absl::SkipWhitespace()))) {
    config.dns_names.emplace_back(absl::StripAsciiWhitespace(name));
  }
  LoadAlgorithms(loader, config);
  LoadAddresses(loader, config);
  LoadUsages(loader, config);
  LoadCa(loader, config);
  const absl::StatusOr<absl::Duration> timeout =
      ParseGoDuration(loader.Optional("TIMEOUT_DURATION", "90s"));
  if (timeout.ok()) {
    config.timeout = *timeout;
  } else {
    loader.Problem("TIMEOUT_DURATION", std::string(timeout.status().message()));
  }
  if (!loader.Optional("EMAIL_ADDRESS").empty()) {
    config.warnings.emplace_back("EMAIL_ADDRESS is ignored: certificates carry no e-mail address");
  }
  absl::Status status = loader.Finish();
  if (!status.ok()) return status;
  return config;
}

}  // namespace calico::provision
