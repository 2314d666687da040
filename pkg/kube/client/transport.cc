#include "pkg/kube/client/transport.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/base/backoff.h"
#include "pkg/base/clock.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/client/errors.h"

namespace calico::kube {
namespace {

// The body of an error; the API server's are a few hundred bytes.
constexpr size_t kMaxErrorBytes = 64 << 10;
constexpr size_t kMaxWarnings = 256;
// Between the calls of one piece of work there are shorter pauses.
constexpr absl::Duration kQuiet = absl::Milliseconds(50);

bool IsSuccess(int http_status) { return http_status >= 200 && http_status < 300; }

// Counts down on the steady clock: a step of the wall clock must not end or prolong a call.
class Countdown {
 public:
  explicit Countdown(absl::Duration timeout) : end_(base::SystemClock().SteadyNow() + timeout) {}
  absl::Duration remaining() const {
    return std::max(end_ - base::SystemClock().SteadyNow(), absl::ZeroDuration());
  }

 private:
  absl::Time end_;
};

// Reads what belongs to an error. It is for the message only, so a broken one is no error itself.
aio::Task<std::string> ReadErrorBody(http::ResponseStream& stream, absl::Duration timeout) {
  const Countdown countdown(std::min(timeout, absl::Seconds(5)));
  std::string body;
  while (body.size() < kMaxErrorBytes) {
    absl::StatusOr<std::string> piece = co_await stream.Read(countdown.remaining());
    if (!piece.ok() || piece->empty()) break;
    body += *piece;
  }
  co_return body;
}

}  // namespace

Transport::Transport(aio::Executor executor, RestConfig config, const base::Logger& logger,
                     const ClientOptions& options, std::shared_ptr<Reachability> reachability)
    : config_(std::move(config)),
      logger_(logger),
      reachability_(std::move(reachability)),
      max_connections_(options.max_connections),
      rotation_check_(options.rotation_check),
      watch_patience_(options.watch_patience) {
  http::ClientOptions http_options{.origin = config_.origin,
                                   .proxy = config_.proxy,
                                   .user_agent = options.user_agent,
                                   .max_connections = options.max_connections,
                                   .max_body_bytes = options.max_object_bytes,
                                   .resolve = options.resolve};
  if (config_.credentials != nullptr) {
    http_options.tls = [this]() -> absl::StatusOr<net::TlsOptions> {
      absl::StatusOr<net::TlsOptions> tls = config_.credentials->Tls();
      if (tls.ok()) FollowRotation(*tls);
      return tls;
    };
  }
  http_ = std::make_unique<http::Client>(std::move(executor), std::move(http_options));
}

Transport::~Transport() = default;

aio::Task<absl::StatusOr<http::Response>> Transport::Do(Call call) {
  const CallSlot slot(*this);
  absl::StatusOr<Answer> answer = co_await Send(std::move(call), Mode::kWhole);
  if (!answer.ok()) co_return answer.status();
  co_return std::move(answer->response);
}

aio::Task<absl::Status> Transport::WaitUntilQuiet() {
  const Countdown countdown(watch_patience_);
  while (countdown.remaining() > absl::ZeroDuration()) {
    const absl::Duration quiet = base::SystemClock().SteadyNow() - last_call_;
    if (calls_ == 0 && quiet >= kQuiet) break;
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(std::min(kQuiet, countdown.remaining())));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<std::unique_ptr<http::ResponseStream>>> Transport::Open(Call call) {
  absl::StatusOr<Answer> answer = co_await Send(std::move(call), Mode::kStream);
  if (!answer.ok()) co_return answer.status();
  co_return std::move(answer->stream);
}

aio::Task<absl::StatusOr<Transport::Answer>> Transport::Send(Call call, Mode mode) {
  const Countdown countdown(call.timeout);
  RetryMachine machine(call.repeat);
  for (;;) {
    http::Request request = call.request;
    request.repeatable = call.repeat != Repeat::kUnsafe;
    if (config_.credentials != nullptr) {
      CALICO_CO_RETURN_IF_ERROR(Tell(co_await config_.credentials->Prepare(countdown.remaining())));
    }
    CALICO_CO_RETURN_IF_ERROR(Tell(Authorize(request)));
    absl::StatusOr<Answer> answer =
        co_await Attempt(std::move(request), machine.AttemptTimeout(countdown.remaining()), mode);
    answer.ok() ? reachability_->Answered() : reachability_->Failed(answer.status());
    if (answer.ok()) LogWarnings(answer->response.headers);
    if (answer.ok() && IsSuccess(answer->response.status)) co_return answer;

    AttemptOutcome outcome{.transport = answer.status()};
    absl::Status error = answer.status();
    if (answer.ok()) {
      outcome.http_status = answer->response.status;
      error = ErrorFromResponse(answer->response);
      outcome.retry_after = FindApiError(error)->retry_after;
    } else {
      outcome.not_sent = http::NotSent(error);
    }
    const RetryStep step = machine.Next(outcome, countdown.remaining(), base::RandomUnit());
    if (step.kind == RetryStep::Kind::kReturn) co_return error;
    if (step.kind == RetryStep::Kind::kRefreshCredentials) {
      if (config_.credentials == nullptr || !config_.credentials->Invalidate()) co_return error;
      http_->CloseIdle();
      continue;
    }
    logger_.Debug("retrying API call", {{"method", call.request.method},
                                        {"target", call.request.target},
                                        {"attempt", machine.attempts()},
                                        {"wait", step.wait},
                                        {"error", error}});
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(step.wait));
  }
}

aio::Task<absl::StatusOr<Transport::Answer>> Transport::Attempt(http::Request request,
                                                                absl::Duration timeout, Mode mode) {
  Answer answer;
  if (mode == Mode::kWhole) {
    CALICO_CO_ASSIGN_OR_RETURN(answer.response, co_await http_->Do(std::move(request), timeout));
    co_return answer;
  }
  CALICO_CO_ASSIGN_OR_RETURN(answer.stream, co_await http_->Open(std::move(request), timeout));
  answer.response.status = answer.stream->head().status;
  answer.response.headers = answer.stream->head().headers;
  if (!IsSuccess(answer.response.status)) {
    answer.response.body = co_await ReadErrorBody(*answer.stream, timeout);
    answer.stream.reset();
  }
  co_return answer;
}

// Without credentials there is no request, and so no answer.
absl::Status Transport::Tell(absl::Status status) {
  if (!status.ok()) reachability_->Failed(status);
  return status;
}

absl::Status Transport::Authorize(http::Request& request) {
  for (const auto& header : config_.headers) request.headers.push_back(header);
  if (config_.credentials == nullptr) return absl::OkStatus();
  CheckRotation();
  CALICO_ASSIGN_OR_RETURN(request.authorization, config_.credentials->Authorization());
  return absl::OkStatus();
}

// A renewed client certificate is of no use to connections that were made with the old one.
void Transport::FollowRotation(const net::TlsOptions& tls) {
  const uint64_t version = tls.identity == nullptr ? 0 : tls.identity->version();
  const bool is_rotated = tls.identity != used_identity_ || version != used_version_;
  if (used_identity_ != nullptr && is_rotated) {
    logger_.Info("client certificate has changed, closing idle connections");
    http_->CloseIdle();
  }
  used_identity_ = tls.identity;
  used_version_ = version;
}

void Transport::CheckRotation() {
  if (used_identity_ == nullptr) return;
  const absl::Time now = base::SystemClock().SteadyNow();
  if (now < next_rotation_check_) return;
  next_rotation_check_ = now + rotation_check_;
  const absl::StatusOr<net::TlsOptions> tls = config_.credentials->Tls();
  if (tls.ok()) FollowRotation(*tls);
}

Transport::CallSlot::~CallSlot() {
  --transport_.calls_;
  transport_.last_call_ = base::SystemClock().SteadyNow();
}

void Transport::AddWatches(int count) {
  watches_ += count;
  http_->SetMaxConnections(max_connections_ + watches_);
}

void Transport::LogWarnings(const http::Headers& headers) {
  for (std::string& text : Warnings(headers)) {
    if (warnings_.size() >= kMaxWarnings) return;
    const auto [position, is_new] = warnings_.insert(std::move(text));
    if (is_new) logger_.Warning("the API server warns", {{"text", *position}});
  }
}

}  // namespace calico::kube
