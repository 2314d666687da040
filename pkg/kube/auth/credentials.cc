#include "pkg/kube/auth/credentials.h"

#include <algorithm>
#include <span>
#include <thread>
#include <utility>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/tls_identity.h"

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

std::string_view TrimWhitespace(std::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  return {trimmed.data(), trimmed.size()};
}

struct Pair {
  std::string certificate_pem;
  base::SharedSecret key_pem;
  friend bool operator==(const Pair& a, const Pair& b) {
    return a.certificate_pem == b.certificate_pem && a.key_pem.view() == b.key_pem.view();
  }
};

base::SharedSecret BasicAuthorization(std::string_view username, std::string_view password) {
  const base::SecretString plain = base::JoinSecrets({username, ":", password});
  const auto encoded = base::SharedSecret::Take(base::Base64Encode(plain.view()));
  return base::SharedSecret(base::JoinSecrets({"Basic ", encoded.view()}));
}

class ConfiguredCredentials final : public Credentials {
 public:
  ConfiguredCredentials(CredentialSources sources, const base::FileReader& read,
                        const base::Clock& clock, const base::Logger& logger)
      : sources_(std::move(sources)),
        ca_(sources_.ca_file, read, logger),
        certificate_(sources_.client_certificate_file, read, logger),
        key_(sources_.client_key_file, read, logger),
        logger_(logger) {
    if (!sources_.token_file.empty()) {
      token_file_.emplace(sources_.token_file, read, clock, logger);
    }
    const bool is_authorized = !sources_.token.empty() || token_file_ ||
                               !sources_.username.empty() || !sources_.password.empty();
    if (sources_.exec && !is_authorized) exec_.emplace(sources_.exec, clock);
  }

  aio::Task<absl::Status> Prepare(absl::Duration timeout) override;
  absl::StatusOr<net::TlsOptions> Tls() override;
  absl::StatusOr<base::SharedSecret> Authorization() override;
  bool Invalidate() override;

 private:
  // Of what is public.
  static absl::StatusOr<std::string> DataOr(const std::string& data, CredentialFile& file) {
    if (!data.empty() || file.path().empty()) return data;
    CALICO_ASSIGN_OR_RETURN(const base::SharedSecret content, file.Read());
    return std::string(content.view());
  }
  absl::StatusOr<base::SharedSecret> Token();
  absl::StatusOr<std::shared_ptr<const net::TlsIdentity>> Identity();
  absl::StatusOr<Pair> ClientPair();
  absl::Status Load(const Pair& pair);

  const CredentialSources sources_;
  CredentialFile ca_;
  CredentialFile certificate_;
  CredentialFile key_;
  const base::Logger& logger_;
  std::shared_ptr<net::TlsIdentity> identity_;  // holds the last pair that could be used
  Pair tried_;                                  // the last pair at all
  absl::Status tried_result_;
  bool is_failing_ = false;  // it was said that a newer pair cannot be used
  std::optional<TokenFile> token_file_;
  std::optional<ExecCache> exec_;
};

absl::StatusOr<net::TlsOptions> ConfiguredCredentials::Tls() {
  net::TlsOptions tls{.server_name = sources_.tls_server_name,
                      .insecure_skip_verify = sources_.insecure_skip_tls_verify};
  CALICO_ASSIGN_OR_RETURN(tls.ca_pem, DataOr(sources_.ca_data, ca_));
  if (tls.ca_pem.empty() && !sources_.ca_file.empty()) {
    // An empty bundle must not widen trust to the system's.
    return absl::UnauthenticatedError(fmt::format("read {}: it is empty", sources_.ca_file));
  }
  CALICO_ASSIGN_OR_RETURN(tls.identity, Identity());
  return tls;
}

absl::StatusOr<Pair> ConfiguredCredentials::ClientPair() {
  Pair pair;
  CALICO_ASSIGN_OR_RETURN(pair.certificate_pem,
                          DataOr(sources_.client_certificate_data, certificate_));
  pair.key_pem = sources_.client_key_data;
  if (pair.key_pem.empty() && !key_.path().empty()) {
    CALICO_ASSIGN_OR_RETURN(pair.key_pem, key_.Read());
  }
  if (!exec_ || !pair.certificate_pem.empty()) return pair;
  CALICO_ASSIGN_OR_RETURN(const ExecCredential* credential, exec_->Get());
  return Pair{.certificate_pem = credential->client_certificate_pem,
              .key_pem = credential->client_key_pem};
}

// What to show, or null. Who renews a pair replaces its files one after the other, so what is read
// may be half of each; then the pair before goes on.
absl::StatusOr<std::shared_ptr<const net::TlsIdentity>> ConfiguredCredentials::Identity() {
  CALICO_ASSIGN_OR_RETURN(Pair pair, ClientPair());
  // An empty file is one that is being written, no wish to show nothing.
  const bool is_wanted = !certificate_.path().empty() && !exec_;
  if (pair.certificate_pem.empty() && !is_wanted) return nullptr;
  if (pair != tried_ || identity_ == nullptr) {
    tried_result_ = Load(pair);
    tried_ = std::move(pair);
  }
  if (tried_result_.ok()) {
    is_failing_ = false;
    return identity_;
  }
  if (identity_ == nullptr) return tried_result_;
  if (!is_failing_) {
    logger_.Warning(
        "client certificate and key do not fit together, going on with those before",
        {{"certificate", certificate_.path()}, {"key", key_.path()}, {"error", tried_result_}});
  }
  is_failing_ = true;
  return identity_;
}

absl::Status ConfiguredCredentials::Load(const Pair& pair) {
  absl::Status status;
  if (identity_ != nullptr) {
    status = identity_->Replace(pair.certificate_pem, pair.key_pem.view());
  } else {
    auto created = net::TlsIdentity::Create(pair.certificate_pem, pair.key_pem.view());
    status = created.status();
    if (created.ok()) identity_ = *std::move(created);
  }
  if (!absl::IsFailedPrecondition(status) && !absl::IsInvalidArgument(status)) {
    return base::Annotate(status, "client");
  }
  const bool has_files = !certificate_.path().empty() || !key_.path().empty();
  const std::string cause(status.message());
  if (!has_files) return absl::UnauthenticatedError(fmt::format("client: {}", cause));
  // One of them may be half written.
  return absl::UnavailableError(
      fmt::format("client certificate {} and key {} do not fit together: {}", certificate_.path(),
                  key_.path(), cause));
}

aio::Task<absl::Status> ConfiguredCredentials::Prepare(absl::Duration timeout) {
  if (exec_) co_return co_await exec_->Refresh(timeout);
  co_return absl::OkStatus();
}

absl::StatusOr<base::SharedSecret> ConfiguredCredentials::Token() {
  if (token_file_) {
    absl::StatusOr<base::SharedSecret> token = token_file_->Token();
    if (token.ok() || sources_.token.empty()) return token;
  }
  if (!sources_.token.empty()) return sources_.token;
  if (!exec_) return base::SharedSecret();
  CALICO_ASSIGN_OR_RETURN(const ExecCredential* credential, exec_->Get());
  return credential->token;
}

absl::StatusOr<base::SharedSecret> ConfiguredCredentials::Authorization() {
  if (!sources_.username.empty() || !sources_.password.empty()) {
    return BasicAuthorization(sources_.username, sources_.password.view());
  }
  CALICO_ASSIGN_OR_RETURN(const base::SharedSecret token, Token());
  if (token.empty()) return token;
  CALICO_RETURN_IF_ERROR(CheckToken(token.view()));
  return base::SharedSecret(base::JoinSecrets({"Bearer ", token.view()}));
}

bool ConfiguredCredentials::Invalidate() {
  bool changed = false;
  if (token_file_) changed |= token_file_->Invalidate();
  if (exec_) changed |= exec_->Invalidate();
  return changed;
}

}  // namespace

absl::StatusOr<base::SharedSecret> CredentialFile::Read() {
  const base::WatchedFiles::News news =
      file_.Refresh([this](std::span<const base::SecretString> contents) {
        last_ = base::SharedSecret(contents.front().view());
        return absl::OkStatus();
      });
  // The reader's own NotFound would be taken for the API server's.
  if (!last_) return absl::UnavailableError(std::string(file_.status().message()));
  if (news == base::WatchedFiles::News::kFailed) {
    logger_.Warning("credential file cannot be read, going on with its last content",
                    {{"file", path_}, {"error", file_.status()}});
  }
  return *last_;
}

TokenFile::TokenFile(std::string path, base::FileReader read, const base::Clock& clock,
                     const base::Logger& logger)
    : file_(std::move(path), std::move(read), logger), clock_(clock) {}

absl::StatusOr<base::SharedSecret> TokenFile::ReadToken() {
  const absl::StatusOr<base::SharedSecret> content = file_.Read();
  if (!content.ok()) return absl::UnauthenticatedError(std::string(content.status().message()));
  const std::string_view token = TrimWhitespace(content->view());
  if (token.empty()) {
    return absl::UnauthenticatedError(fmt::format("read {}: it is empty", file_.path()));
  }
  return base::SharedSecret(token);
}

absl::StatusOr<base::SharedSecret> TokenFile::Token() {
  const absl::Time now = clock_.SteadyNow();
  if (!token_.empty() && now - read_at_ < kTokenAge) return token_;
  absl::StatusOr<base::SharedSecret> token = ReadToken();
  if (!token.ok() && token_.empty()) return token;
  read_at_ = now;
  if (token.ok()) token_ = *std::move(token);
  return token_;
}

bool TokenFile::Invalidate() {
  const base::SharedSecret before = token_;
  read_at_ = absl::InfinitePast();
  const absl::StatusOr<base::SharedSecret> now = Token();
  return now.ok() && now->view() != before.view();
}

// A plug-in at work. A thread rather than a pool: nobody has to wait for it to its end.
struct ExecCache::Running {
  explicit Running(const aio::Executor& executor) : done(executor) {}
  ~Running() {
    stop = true;
    if (thread.joinable()) thread.join();
  }
  bool HasEnded() const { return ended.load(std::memory_order_acquire); }

  std::atomic<bool> stop = false;
  aio::Notifier done;
  // Written by the thread before it sets `ended`, read after that.
  std::optional<absl::StatusOr<ExecCredential>> result;
  std::atomic<bool> ended = false;
  std::thread thread;
};

ExecCache::~ExecCache() = default;

bool ExecCache::IsNeeded() const {
  if (!credential_ || refused_) return true;
  return credential_->expires && *credential_->expires <= clock_.Now();
}

bool ExecCache::RanJustNow() const { return clock_.SteadyNow() - ran_at_ < kExecPause; }

void ExecCache::Take(absl::StatusOr<ExecCredential> result) {
  ran_at_ = clock_.SteadyNow();
  failure_ = result.status();
  if (!result.ok()) return;
  credential_ = *std::move(result);
  refused_ = false;
}

void ExecCache::Start(const aio::Executor& executor) {
  running_ = std::make_shared<Running>(executor);
  running_->thread = std::thread([this, running = running_.get()] {
    running->result = run_(running->stop);
    running->ended.store(true, std::memory_order_release);
    if (!running->stop) running->done.NotifyFromThread();
  });
}

aio::Task<absl::Status> ExecCache::Refresh(absl::Duration timeout) {
  refreshed_ = true;
  if (!IsNeeded()) co_return absl::OkStatus();
  if (running_ == nullptr) {
    if (RanJustNow()) co_return failure_;
    Start(co_await aio::CurrentExecutor());
  }
  const std::shared_ptr<Running> running = running_;
  // Its end is told once, to those who wait at that time: who comes before these have run must not
  // wait for it.
  if (!running->HasEnded()) {
    const absl::Status waited = co_await running->done.Wait(timeout);
    if (!waited.ok()) co_return base::Annotate(waited, "exec: wait for the credential plug-in");
  }
  if (running_ == running) {  // the first of them
    running_->thread.join();
    running_.reset();
    Take(*std::move(running->result));
  }
  co_return failure_;
}

absl::StatusOr<const ExecCredential*> ExecCache::Get() {
  // Between two Refreshes what has just expired is better than to block.
  if (!refreshed_ && IsNeeded() && !RanJustNow()) {
    const std::atomic<bool> never = false;
    Take(run_(never));
  }
  if (!failure_.ok()) return failure_;
  if (!credential_) return absl::UnauthenticatedError("exec: no credentials yet");
  return &*credential_;
}

bool ExecCache::Invalidate() {
  if (RanJustNow()) return false;
  refused_ = true;
  return true;
}

std::shared_ptr<Credentials> MakeCredentials(CredentialSources sources,
                                             const base::FileReader& read_file,
                                             const base::Clock& clock, const base::Logger& logger) {
  return std::make_shared<ConfiguredCredentials>(std::move(sources), read_file, clock, logger);
}

}  // namespace calico::kube
