#include "pkg/kube/auth/credentials.h"

#include <algorithm>
#include <utility>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/base64.h"

namespace calico::kube {
namespace {

constexpr absl::Duration kTokenAge = absl::Seconds(60);
constexpr absl::Duration kExecPause = absl::Seconds(5);

// What travels in a header must not end it.
absl::Status CheckToken(std::string_view token) {
  const bool clean =
      std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c <= 0x7E; });
  if (clean) return absl::OkStatus();
  return absl::UnauthenticatedError("the token holds characters that no token has");
}

class ConfiguredCredentials final : public Credentials {
 public:
  ConfiguredCredentials(CredentialSources sources, const FileReader& read, const base::Clock& clock,
                        const base::Logger& logger)
      : sources_(std::move(sources)),
        ca_(sources_.ca_file, read, logger),
        certificate_(sources_.client_certificate_file, read, logger),
        key_(sources_.client_key_file, read, logger) {
    if (!sources_.token_file.empty()) {
      token_file_.emplace(sources_.token_file, read, clock, logger);
    }
    const bool is_authorized = !sources_.token.empty() || token_file_ ||
                               !sources_.username.empty() || !sources_.password.empty();
    if (sources_.exec && !is_authorized) exec_.emplace(sources_.exec, clock);
  }

  absl::StatusOr<http::TlsOptions> Tls() override;
  absl::StatusOr<std::string> Authorization() override;
  bool Invalidate() override;

 private:
  static absl::StatusOr<std::string> DataOr(const std::string& data, WatchedFile& file) {
    if (!data.empty() || file.path().empty()) return data;
    return file.Read();
  }
  absl::StatusOr<std::string> Token();

  const CredentialSources sources_;
  WatchedFile ca_;
  WatchedFile certificate_;
  WatchedFile key_;
  std::optional<TokenFile> token_file_;
  std::optional<ExecCache> exec_;
};

absl::StatusOr<http::TlsOptions> ConfiguredCredentials::Tls() {
  http::TlsOptions tls{.server_name = sources_.tls_server_name,
                       .insecure_skip_verify = sources_.insecure_skip_tls_verify};
  CALICO_ASSIGN_OR_RETURN(tls.ca_pem, DataOr(sources_.ca_data, ca_));
  if (tls.ca_pem.empty() && !sources_.ca_file.empty()) {
    // An empty bundle must not widen trust to the system's.
    return absl::UnauthenticatedError(fmt::format("read {}: it is empty", sources_.ca_file));
  }
  CALICO_ASSIGN_OR_RETURN(tls.client_certificate_pem,
                          DataOr(sources_.client_certificate_data, certificate_));
  CALICO_ASSIGN_OR_RETURN(tls.client_key_pem, DataOr(sources_.client_key_data, key_));
  if (exec_ && tls.client_certificate_pem.empty()) {
    CALICO_ASSIGN_OR_RETURN(const ExecCredential* credential, exec_->Get());
    tls.client_certificate_pem = credential->client_certificate_pem;
    tls.client_key_pem = credential->client_key_pem;
  }
  return tls;
}

absl::StatusOr<std::string> ConfiguredCredentials::Token() {
  if (token_file_) {
    absl::StatusOr<std::string> token = token_file_->Token();
    if (token.ok() || sources_.token.empty()) return token;
  }
  if (!sources_.token.empty()) return sources_.token;
  if (!exec_) return std::string();
  CALICO_ASSIGN_OR_RETURN(const ExecCredential* credential, exec_->Get());
  return credential->token;
}

absl::StatusOr<std::string> ConfiguredCredentials::Authorization() {
  if (!sources_.username.empty() || !sources_.password.empty()) {
    return "Basic " + codec::Base64Encode(sources_.username + ":" + sources_.password);
  }
  CALICO_ASSIGN_OR_RETURN(const std::string token, Token());
  if (token.empty()) return std::string();
  CALICO_RETURN_IF_ERROR(CheckToken(token));
  return "Bearer " + token;
}

bool ConfiguredCredentials::Invalidate() {
  bool changed = false;
  if (token_file_) changed |= token_file_->Invalidate();
  if (exec_) changed |= exec_->Invalidate();
  return changed;
}

}  // namespace

absl::StatusOr<std::string> WatchedFile::Read() {
  absl::StatusOr<std::string> content = read_(path_);
  if (content.ok()) {
    failing_ = false;
    last_ = *content;
    return content;
  }
  if (!last_) return content;
  if (!failing_) {
    logger_.Warning("credential file cannot be read, going on with its last content",
                    {{"file", path_}, {"error", content.status()}});
  }
  failing_ = true;
  return *last_;
}

TokenFile::TokenFile(std::string path, FileReader read, const base::Clock& clock,
                     const base::Logger& logger)
    : file_(std::move(path), std::move(read), logger), clock_(clock) {}

absl::StatusOr<std::string> TokenFile::ReadToken() {
  absl::StatusOr<std::string> content = file_.Read();
  if (!content.ok()) return absl::UnauthenticatedError(std::string(content.status().message()));
  std::string token(absl::StripAsciiWhitespace(*content));
  if (token.empty()) {
    return absl::UnauthenticatedError(fmt::format("read {}: it is empty", file_.path()));
  }
  return token;
}

absl::StatusOr<std::string> TokenFile::Token() {
  const absl::Time now = clock_.SteadyNow();
  if (!token_.empty() && now - read_at_ < kTokenAge) return token_;
  absl::StatusOr<std::string> token = ReadToken();
  if (!token.ok() && token_.empty()) return token;
  read_at_ = now;
  if (token.ok()) token_ = *std::move(token);
  return token_;
}

bool TokenFile::Invalidate() {
  const std::string before = token_;
  read_at_ = absl::InfinitePast();
  const absl::StatusOr<std::string> now = Token();
  return now.ok() && *now != before;
}

absl::StatusOr<const ExecCredential*> ExecCache::Get() {
  const bool expired = credential_ && credential_->expires && *credential_->expires <= clock_.Now();
  if (!credential_ || expired) {
    ran_at_ = clock_.SteadyNow();
    CALICO_ASSIGN_OR_RETURN(credential_, run_());
  }
  return &*credential_;
}

bool ExecCache::Invalidate() {
  if (clock_.SteadyNow() - ran_at_ < kExecPause) return false;
  credential_.reset();
  return true;
}

std::shared_ptr<Credentials> MakeCredentials(CredentialSources sources, const FileReader& read_file,
                                             const base::Clock& clock, const base::Logger& logger) {
  return std::make_shared<ConfiguredCredentials>(std::move(sources), read_file, clock, logger);
}

}  // namespace calico::kube
