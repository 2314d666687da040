#include "pkg/http/server.h"

#include <utility>

#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/status_macros.h"
#include "pkg/http/parser.h"
#include "pkg/net/ascii.h"
#include "pkg/net/connection.h"
#include "pkg/net/tls_context.h"

namespace calico::http {
namespace {

constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);
constexpr absl::Duration kDrainTimeout = absl::Seconds(1);
constexpr size_t kMaxPipelinedBytes = 64 << 10;

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

// `body_fields`: the header lines that tell where the body ends.
std::string SerializeHead(int status, const Headers& headers, std::string_view body_fields,
                          bool keep_alive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", status, ReasonPhrase(status));
  for (const auto& [name, value] : headers) {
    if (net::EqualsIgnoreCase(name, "Content-Length") || net::EqualsIgnoreCase(name, "Connection"))
      continue;
    out += fmt::format("{}: {}\r\n", name, value);
  }
  out += body_fields;
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

// Whether responses of that status have no body and no length (RFC 9110 6.4.1).
bool IsBodiless(int status) { return status == 204 || status == 304 || status / 100 == 1; }

struct Exchange {
  bool to_head = false;
  bool http_1_0 = false;
  bool keep_alive = false;
};

class Writer final : public ResponseWriter {
 public:
  Writer(const aio::Executor& executor, net::Connection& connection, Exchange& exchange,
         absl::Duration timeout)
      : connection_(connection), exchange_(exchange), timeout_(timeout), start_(executor) {}

  aio::Task<absl::Status> Start(int status, Headers headers) override {
    if (started_) co_return absl::FailedPreconditionError("response has been started before");
    started_ = true;
    const bool chunked = !exchange_.http_1_0;
    if (!chunked) exchange_.keep_alive = false;  // closing the connection ends the body
    std::string head = SerializeHead(
        status, headers, chunked ? "Transfer-Encoding: chunked\r\n" : "", exchange_.keep_alive);
    const absl::Status sent = co_await Send(std::move(head));
    start_.Notify();
    co_return sent;
  }

  aio::Task<absl::Status> Write(std::string chunk) override {
    if (!started_) co_return absl::FailedPreconditionError("response has not been started");
    if (chunk.empty() || exchange_.to_head) co_return absl::OkStatus();
    if (exchange_.http_1_0) co_return co_await Send(std::move(chunk));
    co_return co_await Send(fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk));
  }

  void Abort() override {
    exchange_.keep_alive = false;
    aborted_ = true;
    connection_.Close();
  }

  // Ends the body.
  aio::Task<absl::Status> Finish() {
    if (aborted_) co_return absl::UnavailableError("response aborted");
    if (exchange_.to_head || exchange_.http_1_0) co_return absl::OkStatus();
    co_return co_await Send("0\r\n\r\n");
  }

  bool started() const { return started_; }
  // OK once the head has been sent. Errors: kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForStart(absl::Duration timeout) { return start_.Wait(timeout); }

  aio::Task<absl::Status> Send(std::string data) {
    absl::Status status = co_await aio::WithDeadline(connection_.Write(data), timeout_);
    if (!status.ok()) exchange_.keep_alive = false;
    co_return status;
  }

 private:
  net::Connection& connection_;
  Exchange& exchange_;
  const absl::Duration timeout_;
  aio::Notifier start_;
  bool started_ = false;
  bool aborted_ = false;
};

aio::Task<absl::Status> ReadRequest(net::Connection& connection, MessageParser& parser,
                                    std::string rest) {
  bool continue_sent = false;
  std::string piece = std::move(rest);
  while (true) {
    if (!piece.empty()) CALICO_CO_RETURN_IF_ERROR(parser.Feed(piece));
    if (parser.done()) co_return absl::OkStatus();
    if (parser.head_done() && !continue_sent) {
      continue_sent = true;
      const auto expect = FindHeader(parser.headers, "Expect");
      if (expect.has_value() && net::EqualsIgnoreCase(*expect, "100-continue")) {
        CALICO_CO_RETURN_IF_ERROR(co_await connection.Write("HTTP/1.1 100 Continue\r\n\r\n"));
      }
    }
    CALICO_CO_ASSIGN_OR_RETURN(piece, co_await connection.Read());
    if (piece.empty()) co_return absl::UnavailableError("connection closed by peer");
  }
}

// The answer to a request that could not be read; 0 = none, the client is gone or was silent.
int StatusForUnreadable(const absl::Status& status, const MessageParser& parser) {
  if (!parser.got_some()) return 0;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kResourceExhausted:
      return parser.head_done() ? 413 : 431;
    case absl::StatusCode::kDeadlineExceeded:
      return 408;
    default:
      return 0;
  }
}

// Reads on until the client closes: closing with unread bytes would reset the connection, and the
// answer could be lost on its way.
aio::Task<absl::Status> Drain(net::Connection& connection) {
  while (true) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await connection.Read());
    if (piece.empty()) co_return absl::OkStatus();
  }
}

aio::Task<void> RefuseUnreadable(net::Connection& connection, int status) {
  const std::string body = fmt::format("{}\n", ReasonPhrase(status));
  const std::string head =
      SerializeHead(status, {{"Content-Type", "text/plain"}},
                    fmt::format("Content-Length: {}\r\n", body.size()), /*keep_alive=*/false);
  (void)co_await aio::WithDeadline(connection.Write(head + body), kDrainTimeout);
  connection.FinishWriting();
  (void)co_await aio::WithDeadline(Drain(connection), kDrainTimeout);
}

// Ends when the client is gone while its request is handled. Bytes of its next request go to
// `rest`. One that has closed its side may wait for the answer; nobody can tell, so it gets one.
aio::Task<void> WatchForClose(net::Connection& connection, Writer& writer, absl::Duration limit,
                              std::string& rest, bool& gone) {
  while (rest.size() < kMaxPipelinedBytes) {
    const absl::StatusOr<std::string> piece = co_await connection.Read();
    absl::Status end = piece.status();
    if (piece.ok() && piece->empty()) {
      end = co_await writer.WaitForStart(limit);
    } else if (piece.ok()) {
      rest += *piece;
      continue;
    }
    gone = !absl::IsCancelled(end);
    co_return;
  }
  (void)co_await aio::Sleep(absl::InfiniteDuration());
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const aio::Executor& executor, ServerOptions options, Handler handler,
             std::unique_ptr<net::Listener> listener, std::shared_ptr<const net::TlsContext> tls)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        listener_(std::move(listener)),
        tls_(std::move(tls)),
        executor_(executor),
        tasks_(executor),
        stop_(executor) {}

  uint16_t port() const override { return listener_->port(); }

  aio::Task<void> Run() override {
    tasks_.Spawn(AcceptLoop());
    (void)co_await stop_.Wait();
    listener_->Close();
    co_await tasks_.Stop();
  }

  void Stop() override {
    listener_->Close();
    stop_.Notify();
  }

 private:
  aio::Task<void> AcceptLoop() {
    while (true) {
      absl::StatusOr<std::unique_ptr<net::Connection>> connection = co_await listener_->Accept();
      if (absl::IsCancelled(connection.status())) co_return;
      if (!connection.ok()) {  // out of file descriptors; the client waits in the kernel's queue
        if (!(co_await aio::Sleep(kAcceptPause)).ok()) co_return;
        continue;
      }
      // This loop is one of the tasks.
      if (tasks_.running() > static_cast<size_t>(options_.max_connections)) continue;
      tasks_.Spawn(Serve(*std::move(connection)));
    }
  }

  aio::Task<void> Serve(std::unique_ptr<net::Connection> connection) {
    if (tls_ != nullptr) {
      const absl::Status status =
          co_await aio::WithDeadline(connection->StartTls(tls_, ""), kHandshakeTimeout);
      if (!status.ok()) co_return;
    }
    const Peer peer{.address = connection->peer(),
                    .certificate_pem = connection->PeerCertificatePem()};
    std::string rest;
    while (true) {
      const auto parser = NewRequestParser({.body_bytes = options_.max_body_bytes});
      const absl::Status status = co_await aio::WithDeadline(
          ReadRequest(*connection, *parser, std::exchange(rest, {})), options_.idle_timeout);
      if (!status.ok()) {
        const int refusal = StatusForUnreadable(status, *parser);
        if (refusal != 0) co_await RefuseUnreadable(*connection, refusal);
        co_return;
      }
      rest = parser->TakeRest();
      if (!co_await Answer(*connection, *parser, peer, rest)) co_return;
    }
  }

  // True if the connection can be used again.
  aio::Task<bool> Answer(net::Connection& connection, MessageParser& parser, const Peer& peer,
                         std::string& rest) {
    Exchange exchange{.to_head = parser.method == "HEAD",
                      .http_1_0 = parser.http_1_0,
                      .keep_alive = parser.keep_alive()};
    Writer writer(executor_, connection, exchange, options_.idle_timeout);
    Request request{.method = std::move(parser.method),
                    .target = std::move(parser.target),
                    .headers = std::move(parser.headers),
                    .body = parser.TakeBody()};
    std::optional<Response> response;
    bool gone = false;
    co_await aio::Race(Handle(std::move(request), peer, writer, response),
                       WatchForClose(connection, writer, options_.idle_timeout, rest, gone));
    if (gone) co_return false;
    absl::Status sent;
    if (writer.started()) {
      sent = co_await writer.Finish();
    } else {
      if (!response.has_value()) response = Response{.status = 500};
      sent = co_await SendWhole(writer, exchange, *std::move(response));
    }
    co_return sent.ok() && exchange.keep_alive;
  }

  aio::Task<void> Handle(Request request, Peer peer, Writer& writer,
                         std::optional<Response>& response) {
    response = co_await handler_(std::move(request), std::move(peer), writer);
  }

  static aio::Task<absl::Status> SendWhole(Writer& writer, const Exchange& exchange,
                                           Response response) {
    std::string length;
    if (!IsBodiless(response.status)) {
      length = fmt::format("Content-Length: {}\r\n", response.body.size());
    }
    std::string wire =
        SerializeHead(response.status, response.headers, length, exchange.keep_alive);
    if (!exchange.to_head && !IsBodiless(response.status)) wire += response.body;
    co_return co_await writer.Send(std::move(wire));
  }

  const ServerOptions options_;
  const Handler handler_;
  const std::unique_ptr<net::Listener> listener_;
  const std::shared_ptr<const net::TlsContext> tls_;
  const aio::Executor executor_;
  aio::TaskGroup tasks_;
  aio::Notifier stop_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(aio::Executor executor,
                                                       ServerOptions options, Handler handler) {
  std::shared_ptr<const net::TlsContext> tls;
  if (options.tls.has_value()) {
    CALICO_ASSIGN_OR_RETURN(tls, net::TlsContext::NewServer(*options.tls));
  }
  CALICO_ASSIGN_OR_RETURN(std::unique_ptr<net::Listener> listener,
                          net::Listener::Listen(executor, options.address, options.port));
  return std::make_unique<ServerImpl>(executor, std::move(options), std::move(handler),
                                      std::move(listener), std::move(tls));
}

}  // namespace calico::http
