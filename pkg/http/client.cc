#include "pkg/http/client.h"

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include <absl/strings/cord.h>
#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/base/check.h"
#include "pkg/base/clock.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/status_macros.h"
#include "pkg/http/parser.h"
#include "pkg/net/ascii.h"
#include "pkg/net/connection.h"
#include "pkg/net/dialer.h"
#include "pkg/net/tunnel.h"
#include "pkg/net/url.h"

namespace calico::http {
namespace {

// Up to here the memory for a body is reserved by what the server says about its length.
constexpr size_t kMaxReserve = 1 << 20;
constexpr char kNotSentUrl[] = "calico/http.NotSent";

bool IsToken(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return net::IsAlnum(c) || kOthers.find(c) != kOthers.npos;
  });
}

// A line break in a value would start a header, or a request, of somebody else's choice.
bool IsFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
  });
}

absl::Status CheckRequest(const Request& request) {
  if (!IsToken(request.method)) return absl::InvalidArgumentError("bad method");
  const bool bad_target = request.target.empty() || request.target[0] != '/' ||
                          std::any_of(request.target.begin(), request.target.end(), [](char c) {
                            return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
                          });
  if (bad_target) return absl::InvalidArgumentError("bad request target");
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name)) return absl::InvalidArgumentError("bad header name");
    if (!IsFieldValue(value)) {
      return absl::InvalidArgumentError(fmt::format("bad value of header {}", name));
    }
  }
  if (!IsFieldValue(request.authorization.view())) {
    return absl::InvalidArgumentError("bad value of header Authorization");
  }
  return absl::OkStatus();
}

// Repeating such a request does no harm (RFC 9110, section 9.2.1: safe methods).
bool MayRepeat(const Request& request) {
  return request.repeatable.value_or(request.method == "GET" || request.method == "HEAD" ||
                                     request.method == "OPTIONS");
}

absl::Time SteadyNow() { return base::SystemClock().SteadyNow(); }

struct Idle {
  std::unique_ptr<net::Connection> connection;
  absl::Time since;
};

}  // namespace

struct Client::Impl {
  // A call that waits for its turn; in the queue until it is granted or gone.
  struct Waiter {
    explicit Waiter(Impl& i) : impl(i), wake(i.executor) { impl.waiters.push_back(this); }
    ~Waiter() {
      if (!granted) impl.waiters.remove(this);
    }
    Impl& impl;
    aio::Notifier wake;
    bool granted = false;
  };

  // The right to one connection; given to the next waiter when it goes.
  class Permit {
   public:
    explicit Permit(Impl* impl) : impl_(impl) {}
    Permit(Permit&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (impl_ != nullptr) impl_->ReturnPermit();
    }

   private:
    Impl* impl_;
  };

  // A response on its connection, from the head on. The parser keeps what is not read yet.
  struct Exchange {
    Permit permit;
    std::unique_ptr<net::Connection> connection;
    std::unique_ptr<MessageParser> parser;
    bool reusable = false;  // the request was sent to its end
    uint64_t epoch = 0;     // when the connection was taken or made
  };

  // What a call is doing, for the message when its time runs out.
  struct Progress {
    std::string_view phase = "waiting for a free connection";
    bool reused = false;    // the connection comes from the pool
    bool sent = false;      // some of the request may have left
    bool answered = false;  // a byte of the response has come
    bool complete = false;  // the whole request has been sent
    absl::Time deadline;
  };

  Impl(aio::Executor e, ClientOptions o);

  aio::Task<absl::StatusOr<Permit>> AcquirePermit();
  void ReturnPermit();
  void GrantNext();
  std::unique_ptr<net::Connection> TakeIdle();
  void Keep(std::unique_ptr<net::Connection> connection);
  void CloseOldIdle();

  base::SecretString Serialize(const Request& request) const;
  aio::Task<absl::StatusOr<Exchange>> Send(Request request, Progress& progress);
  aio::Task<absl::Status> Attempt(net::Connection& connection, std::string_view wire,
                                  MessageParser& parser, Progress& progress);
  aio::Task<absl::StatusOr<Response>> SendAndRead(Request request, Progress& progress);
  aio::Task<absl::StatusOr<std::string>> ReadPiece(Exchange& exchange);
  void Finish(Exchange& exchange);
  absl::Status Explain(const absl::Status& status, const Progress& progress,
                       absl::Duration timeout);
  absl::Status Describe(const absl::Status& status, const Progress& progress,
                        absl::Duration timeout);

  aio::Executor executor;
  ClientOptions options;
  absl::Status usable;  // what is wrong with the options
  net::Url origin;
  std::string proxy_authorization;  // of a plain HTTP proxy for a plain HTTP origin
  bool absolute_targets = false;    // likewise
  std::optional<net::Dialer> dialer;
  std::shared_ptr<uint64_t> received = std::make_shared<uint64_t>(0);

  int in_use = 0;
  std::list<Waiter*> waiters;
  std::vector<Idle> idle;  // the last is the freshest
  uint64_t epoch = 0;      // grows with each CloseIdle; connections of an older one are not kept
  int streams = 0;         // living ResponseStreams
};

Client::Impl::Impl(aio::Executor e, ClientOptions o)
    : executor(std::move(e)), options(std::move(o)) {
  absl::StatusOr<net::Url> parsed = net::ParseUrl(options.origin);
  if (!parsed.ok()) {
    usable = base::Annotate(parsed.status(), "origin");
    return;
  }
  origin = *std::move(parsed);
  if (origin.scheme != "http" && origin.scheme != "https") {
    usable = absl::InvalidArgumentError("origin: scheme is neither http nor https");
    return;
  }
  std::optional<net::Url> proxy;
  if (!options.proxy.empty()) {
    absl::StatusOr<net::Url> parsed_proxy = net::ParseUrl(options.proxy);
    if (!parsed_proxy.ok()) {
      usable = base::Annotate(parsed_proxy.status(), "proxy");
      return;
    }
    proxy = *std::move(parsed_proxy);
    if (origin.scheme == "http" && !proxy->scheme.starts_with("socks5")) {
      absolute_targets = true;
      proxy_authorization = net::BasicAuthorization(*proxy);
    }
  }
  dialer.emplace(net::DialerOptions{.origin = origin,
                                    .proxy = std::move(proxy),
                                    .tls = options.tls,
                                    .resolve = options.resolve,
                                    .connect_timeout = options.connect_timeout,
                                    .received = received});
}

// --- Connections ---

aio::Task<absl::StatusOr<Client::Impl::Permit>> Client::Impl::AcquirePermit() {
  if (in_use < options.max_connections && waiters.empty()) {
    ++in_use;
    co_return Permit(this);
  }
  Waiter waiter(*this);
  const absl::Status status = co_await waiter.wake.Wait();
  // Granted and cancelled at the same time: the permit goes on to the next when it is dropped.
  if (waiter.granted) co_return Permit(this);
  co_return status;
}

void Client::Impl::ReturnPermit() {
  --in_use;
  if (in_use < options.max_connections) GrantNext();
}

void Client::Impl::GrantNext() {
  if (waiters.empty()) return;
  ++in_use;
  Waiter* next = waiters.front();
  waiters.pop_front();
  next->granted = true;
  next->wake.Notify();
}

void Client::Impl::CloseOldIdle() {
  const absl::Time oldest = SteadyNow() - options.idle_timeout;
  std::erase_if(idle, [oldest](const Idle& entry) { return entry.since < oldest; });
}

std::unique_ptr<net::Connection> Client::Impl::TakeIdle() {
  CloseOldIdle();
  while (!idle.empty()) {
    std::unique_ptr<net::Connection> connection = std::move(idle.back().connection);
    idle.pop_back();
    if (!connection->IsStale()) return connection;
  }
  return nullptr;
}

void Client::Impl::Keep(std::unique_ptr<net::Connection> connection) {
  CloseOldIdle();
  idle.push_back({.connection = std::move(connection), .since = SteadyNow()});
}

// --- Requests ---

// With the body, so that both go out together.
base::SecretString Client::Impl::Serialize(const Request& request) const {
  std::string head = fmt::format("{} {}{}{} HTTP/1.1\r\n", request.method,
                                 absolute_targets ? "http://" + origin.Authority() : "",
                                 origin.path, request.target);
  const auto add = [&head](std::string_view name, std::string_view value) {
    head += fmt::format("{}: {}\r\n", name, value);
  };
  if (!FindHeader(request.headers, "Host")) add("Host", origin.HostHeader());
  if (!FindHeader(request.headers, "User-Agent")) add("User-Agent", options.user_agent);
  if (!proxy_authorization.empty()) add("Proxy-Authorization", proxy_authorization);
  for (const auto& [name, value] : request.headers) {
    if (!net::EqualsIgnoreCase(name, "Content-Length")) add(name, value);
  }
  const bool has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) add("Content-Length", std::to_string(request.body.size()));
  const std::string_view authorization = request.authorization.view();
  return base::JoinSecrets({head, authorization.empty() ? "" : "Authorization: ", authorization,
                            authorization.empty() ? "\r\n" : "\r\n\r\n", request.body});
}

aio::Task<absl::Status> Client::Impl::Attempt(net::Connection& connection, std::string_view wire,
                                              MessageParser& parser, Progress& progress) {
  progress.phase = "sending the request";
  const absl::Status written = co_await connection.Write(wire);
  // A server may answer and close before it has read all; then the answer says more than the error.
  if (!written.ok() && !absl::IsUnavailable(written)) co_return written;
  progress.complete = written.ok();
  progress.phase = "waiting for the response";
  while (!parser.head_done()) {
    absl::StatusOr<std::string> piece = co_await connection.Read();
    if (!piece.ok()) co_return written.ok() ? piece.status() : written;
    if (piece->empty()) co_return absl::UnavailableError("read: connection closed by peer");
    progress.answered = true;
    CALICO_CO_RETURN_IF_ERROR(parser.Feed(*piece));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<Client::Impl::Exchange>> Client::Impl::Send(Request request,
                                                                     Progress& progress) {
  CALICO_CO_RETURN_IF_ERROR(usable);
  CALICO_CO_RETURN_IF_ERROR(CheckRequest(request));
  const base::SecretString wire = Serialize(request);
  const bool repeatable = MayRepeat(request);
  request.body.clear();
  request.body.shrink_to_fit();
  CALICO_CO_ASSIGN_OR_RETURN(Permit permit, co_await AcquirePermit());

  std::unique_ptr<net::Connection> connection = TakeIdle();
  while (true) {
    const uint64_t taken_in = epoch;
    progress.reused = connection != nullptr;
    progress.sent = false;
    if (connection == nullptr) {
      progress.phase = "connecting";
      CALICO_CO_ASSIGN_OR_RETURN(connection,
                                 co_await dialer->Dial(progress.deadline - SteadyNow()));
    }
    auto parser = NewResponseParser({.header_bytes = options.max_header_bytes},
                                    /*to_head=*/request.method == "HEAD");
    progress.sent = true;
    const uint64_t written_before = connection->written();
    const absl::Status status = co_await Attempt(*connection, wire.view(), *parser, progress);
    if (status.ok()) {
      co_return Exchange{.permit = std::move(permit),
                         .connection = std::move(connection),
                         .parser = std::move(parser),
                         .reusable = progress.complete,
                         .epoch = taken_in};
    }
    progress.sent = progress.answered || connection->written() != written_before;
    connection = nullptr;
    const bool is_broken = progress.reused && !progress.answered && absl::IsUnavailable(status);
    if (!is_broken || (progress.sent && !repeatable)) co_return status;
    // Closed while it was kept. The others of its age will be closed too, so a new one is made.
  }
}

aio::Task<absl::StatusOr<std::string>> Client::Impl::ReadPiece(Exchange& exchange) {
  while (true) {
    std::string body = exchange.parser->TakeBody();
    if (!body.empty() || exchange.parser->done()) co_return body;
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await exchange.connection->Read());
    const absl::Status status =
        piece.empty() ? exchange.parser->FeedEnd() : exchange.parser->Feed(piece);
    if (!status.ok()) co_return status;
  }
}

// Keeps the connection if the response left it in order.
void Client::Impl::Finish(Exchange& exchange) {
  const MessageParser& parser = *exchange.parser;
  if (exchange.reusable && exchange.epoch == epoch && parser.done() && parser.keep_alive() &&
      exchange.parser->TakeRest().empty()) {
    Keep(std::move(exchange.connection));
  }
}

aio::Task<absl::StatusOr<Response>> Client::Impl::SendAndRead(Request request, Progress& progress) {
  CALICO_CO_ASSIGN_OR_RETURN(Exchange exchange, co_await Send(std::move(request), progress));
  progress.phase = "reading the response";
  const auto too_large = [this] {
    return absl::ResourceExhaustedError(
        fmt::format("response body is larger than {} bytes", options.max_body_bytes));
  };
  Response response{.status = exchange.parser->status,
                    .headers = std::move(exchange.parser->headers)};
  if (const auto length = exchange.parser->content_length(); length.has_value()) {
    if (*length > options.max_body_bytes) co_return too_large();
    response.body.reserve(std::min<size_t>(*length, kMaxReserve));
  }
  while (true) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await ReadPiece(exchange));
    if (piece.empty()) break;
    if (piece.size() > options.max_body_bytes - response.body.size()) co_return too_large();
    response.body += piece;
  }
  Finish(exchange);
  co_return response;
}

absl::Status Client::Impl::Explain(const absl::Status& status, const Progress& progress,
                                   absl::Duration timeout) {
  absl::Status explained = Describe(status, progress, timeout);
  if (!progress.sent) explained.SetPayload(kNotSentUrl, absl::Cord());
  return explained;
}

// Names the call's server and, when its time ran out, what it was waiting for.
absl::Status Client::Impl::Describe(const absl::Status& status, const Progress& progress,
                                    absl::Duration timeout) {
  if (absl::IsDeadlineExceeded(status)) {
    // The server, or the way to it, may be dead: kept connections are not worth another wait.
    if (progress.reused && !progress.answered) idle.clear();
    return absl::DeadlineExceededError(fmt::format("{}: timed out after {} while {}",
                                                   origin.Authority(),
                                                   absl::FormatDuration(timeout), progress.phase));
  }
  // What a server may not send is, to the caller, a server that is not available.
  if (absl::IsInvalidArgument(status) && progress.answered) {
    return absl::UnavailableError(
        fmt::format("{}: {}", origin.Authority(), std::string(status.message())));
  }
  return usable.ok() ? base::Annotate(status, origin.Authority()) : status;
}

// --- Streams ---

namespace {

class Stream final : public ResponseStream {
 public:
  Stream(Client::Impl& impl, Client::Impl::Exchange exchange)
      : impl_(impl), exchange_(std::move(exchange)) {
    ++impl_.streams;
    head_.status = exchange_->parser->status;
    head_.headers = std::move(exchange_->parser->headers);
  }
  ~Stream() override { --impl_.streams; }

  const Response& head() const override { return head_; }

  aio::Task<absl::StatusOr<std::string>> Read(absl::Duration idle) override {
    if (!end_.has_value()) {
      absl::StatusOr<std::string> piece =
          co_await aio::WithDeadline(impl_.ReadPiece(*exchange_), idle);
      if (piece.ok() && !piece->empty()) co_return piece;
      end_ = piece.status();
      if (absl::IsInvalidArgument(*end_)) end_ = absl::UnavailableError(end_->message());
      if (end_->ok()) impl_.Finish(*exchange_);
      exchange_.reset();
      if (!end_->ok()) end_ = base::Annotate(*end_, impl_.origin.Authority());
    }
    if (!end_->ok()) co_return *end_;
    co_return std::string();
  }

 private:
  Client::Impl& impl_;
  Response head_;
  std::optional<Client::Impl::Exchange> exchange_;  // until the end
  std::optional<absl::Status> end_;                 // OK: all was read
};

}  // namespace

bool NotSent(const absl::Status& status) { return status.GetPayload(kNotSentUrl).has_value(); }

Client::Client(aio::Executor executor, ClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

Client::~Client() { CALICO_CHECK(impl_->streams == 0 && impl_->in_use == 0); }

aio::Task<absl::StatusOr<Response>> Client::Do(Request request, absl::Duration timeout) {
  Impl::Progress progress{.deadline = SteadyNow() + timeout};
  absl::StatusOr<Response> response =
      co_await aio::WithDeadline(impl_->SendAndRead(std::move(request), progress), timeout);
  if (!response.ok()) co_return impl_->Explain(response.status(), progress, timeout);
  co_return response;
}

aio::Task<absl::StatusOr<std::unique_ptr<ResponseStream>>> Client::Open(Request request,
                                                                        absl::Duration timeout) {
  Impl::Progress progress{.deadline = SteadyNow() + timeout};
  absl::StatusOr<Impl::Exchange> exchange =
      co_await aio::WithDeadline(impl_->Send(std::move(request), progress), timeout);
  if (!exchange.ok()) co_return impl_->Explain(exchange.status(), progress, timeout);
  co_return std::make_unique<Stream>(*impl_, *std::move(exchange));
}

void Client::SetMaxConnections(int max_connections) {
  impl_->options.max_connections = max_connections;
  while (impl_->in_use < max_connections && !impl_->waiters.empty()) impl_->GrantNext();
}

void Client::CloseIdle() {
  impl_->idle.clear();
  ++impl_->epoch;
}

uint64_t Client::bytes_received() const { return *impl_->received; }

}  // namespace calico::http
