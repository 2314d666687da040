#include "operator/provision/kept_request.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/provision/pair_directory.h"
#include "pkg/base/file.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/usage.h"

namespace calico::provision {
namespace {

constexpr std::string_view kFile = "..request";
constexpr std::string_view kRequestEnd = "-----END CERTIFICATE REQUEST-----\n";

std::string PathOf(const Config& config) { return fmt::format("{}/{}", config.directory, kFile); }

absl::Status DoesNotFit(std::string_view cause) {
  return absl::FailedPreconditionError(fmt::format("kept request: {}", cause));
}

// One line that holds everything that a request is made of, and whose it is.
std::string Description(const Config& config) {
  const std::string addresses = absl::StrJoin(
      config.ip_addresses, ",",
      [](std::string* out, const base::IpAddress& address) { *out += address.ToString(); });
  const std::string usages =
      absl::StrJoin(config.usages, ",", [](std::string* out, pki::ExtendedKeyUsage usage) {
        *out += fmt::to_string(static_cast<int>(usage));
      });
  return fmt::format(
      "1 {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}\n", config.RequestName(), config.pod_uid,
      config.signer_name, config.common_name, absl::StrJoin(config.dns_names, ","), addresses,
      usages, pki::ToString(config.key_algorithm), pki::ToString(config.signature_algorithm));
}

// A file may be damaged in ways that its parts do not show each on their own.
absl::Status CheckTogether(const KeptRequest& kept, const Config& config) {
  const absl::StatusOr<pki::CertificateRequest> request =
      pki::CertificateRequest::ParsePem(kept.request_pem);
  if (!request.ok()) return DoesNotFit("the request cannot be read");
  if (!(request->public_key() == kept.key.public_key())) return DoesNotFit("another key");
  if (!request->VerifySignature().ok()) return DoesNotFit("a wrong signature");
  if (kept.key.public_key().Description() != pki::ToString(config.key_algorithm)) {
    return DoesNotFit("a key of another algorithm");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> MakeRequest(const Config& config, const pki::PrivateKey& key) {
  pki::CertificateRequestTemplate wanted;
  wanted.common_name = config.common_name;
  wanted.dns_names = config.dns_names;
  wanted.ip_addresses = config.ip_addresses;
  wanted.signature_algorithm = config.signature_algorithm;
  wanted.key_usages = {pki::KeyUsage::kDigitalSignature};
  // RFC 8813: not for ECDSA. Key agreement is for static Diffie-Hellman, which TLS has given up.
  if (key.family() == pki::KeyFamily::kRsa) {
    wanted.key_usages.Add(pki::KeyUsage::kKeyEncipherment);
  }
  wanted.extended_key_usages.clear();
  for (const pki::ExtendedKeyUsage usage : config.usages) {
    wanted.extended_key_usages.emplace_back(
        usage == pki::ExtendedKeyUsage::kServerAuth ? pki::kOidServerAuth : pki::kOidClientAuth);
  }
  return pki::CreateCertificateRequest(key, wanted);
}

absl::StatusOr<KeptRequest> ReadKeptRequest(const Config& config) {
  const absl::StatusOr<base::SecretString> content = base::ReadSecretFile(PathOf(config));
  if (absl::IsNotFound(content.status())) return content.status();
  if (!content.ok()) return DoesNotFit(std::string(content.status().message()));
  std::string_view rest = content->view();
  const std::string description = Description(config);
  if (!rest.starts_with(description))
    return DoesNotFit("made for something else than is asked now");
  rest.remove_prefix(description.size());
  const size_t end = rest.find(kRequestEnd);
  if (end == std::string_view::npos) return DoesNotFit("the request cannot be read");
  const size_t length = end + kRequestEnd.size();
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(rest.substr(length));
  if (!key.ok()) return DoesNotFit("the key cannot be read");
  KeptRequest kept{*std::move(key), std::string(rest.substr(0, length))};
  CALICO_RETURN_IF_ERROR(CheckTogether(kept, config));
  return kept;
}

absl::Status KeepRequest(const Config& config, const KeptRequest& request) {
  const base::SecretString key_pem = request.key.ToPem();
  const base::SecretString content =
      base::JoinSecrets({Description(config), request.request_pem, key_pem.view()});
  return ReplaceFile(PathOf(config), content.view(), 0600);
}

absl::Status ForgetRequest(const Config& config) {
  const std::string path = PathOf(config);
  for (const std::string& name : {path, path + ".new"}) {
    if (unlink(name.c_str()) != 0 && errno != ENOENT) {
      return absl::UnavailableError(fmt::format("remove {}: {}", name, strerror(errno)));
    }
  }
  return absl::OkStatus();
}

}  // namespace calico::provision
