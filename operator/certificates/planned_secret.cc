#include "operator/certificates/planned_secret.h"

#include <absl/strings/ascii.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include "pkg/api/meta/resources.h"

namespace calico::certificates {
namespace {

constexpr std::string_view kSigner = "certificates.operator.tigera.io/signer";
constexpr std::string_view kIssuer = "certificates.operator.tigera.io/issuer";
constexpr std::string_view kExpiry = "certificates.operator.tigera.io/expiry";
constexpr std::string_view kDnsNames = "certificates.operator.tigera.io/dns-names";
constexpr std::string_view kIpSans = "certificates.operator.tigera.io/ip-sans";

constexpr size_t kMaxLabelValue = 63;
constexpr std::string_view kLabelSigns = "-_.";

// A name as a label's value: what it may not have becomes '-', and it begins and ends with a letter
// or digit.
std::string LabelValue(std::string_view name) {
  std::string value;
  for (const char c : name) {
    const bool is_allowed = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                            kLabelSigns.find(c) != std::string_view::npos;
    value += is_allowed ? c : '-';
  }
  value.erase(0, std::min(value.find_first_not_of(kLabelSigns), value.size()));
  value.resize(std::min(value.size(), kMaxLabelValue));
  value.erase(value.find_last_not_of(kLabelSigns) + 1);
  return value.empty() ? "unknown" : value;
}

json::object ToJson(const api::StringMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

}  // namespace

void Describe(const pki::Certificate& certificate, std::string_view hash_annotation,
              std::string_view hash, PlannedSecret& secret) {
  const std::string& issuer = certificate.issuer_common_name();
  secret.labels[std::string(kSigner)] = LabelValue(issuer);
  secret.annotations[std::string(kIssuer)] = issuer;
  secret.annotations[std::string(kSigner)] = issuer;
  secret.annotations[std::string(kExpiry)] =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", certificate.not_after(), absl::UTCTimeZone());
  if (!certificate.dns_names().empty()) {
    secret.annotations[std::string(kDnsNames)] =
        fmt::format("{}", fmt::join(certificate.dns_names(), ","));
  }
  std::string addresses;
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    addresses += fmt::format("{}{}", addresses.empty() ? "" : ",", address.ToString());
  }
  if (!addresses.empty()) secret.annotations[std::string(kIpSans)] = addresses;
  secret.annotations[std::string(hash_annotation)] = hash;
}

json::object ToObject(const PlannedSecret& secret) {
  json::object object = api::NewObject(api::kSecrets, {secret.ns, secret.name});
  json::object& metadata = object.at("metadata").get_object();
  if (!secret.labels.empty()) metadata["labels"] = ToJson(secret.labels);
  if (!secret.annotations.empty()) metadata["annotations"] = ToJson(secret.annotations);
  object["type"] = secret.type;
  object["data"] = api::EncodeSecretData(secret.data);
  return object;
}

}  // namespace calico::certificates
