#include "pkg/net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/internal.h"
#include "pkg/net/ascii.h"
#include "pkg/net/url.h"

namespace calico::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kReadBytes = 16 << 10;

absl::Status FromError(std::string_view verb, const error_code& error) {
  if (error == asio::error::operation_aborted) {
    return absl::UnavailableError(fmt::format("{}: connection closed", verb));
  }
  std::string text = error.message();
  if (!text.empty()) text[0] = ToLower(text[0]);
  return absl::UnavailableError(fmt::format("{}: {}", verb, text));
}

absl::Status FromErrno(std::string_view verb) {
  return FromError(verb, error_code(errno, boost::system::system_category()));
}

class SocketLayer final : public Layer {
 public:
  SocketLayer(int fd, std::shared_ptr<uint64_t> received)
      : fd_(fd), received_(std::move(received)) {}

  Io Read(char* buffer, size_t size, size_t& got, absl::Status& error) override {
    const ssize_t n = Retry([&] { return recv(fd_, buffer, size, MSG_DONTWAIT); });
    if (n == 0) return Io::kEnd;
    if (n < 0) return Failed("read", Io::kWantRead, error);
    got = static_cast<size_t>(n);
    if (received_ != nullptr) *received_ += got;
    return Io::kDone;
  }

  Io Write(const char* data, size_t size, size_t& put, absl::Status& error) override {
    const ssize_t n = Retry([&] { return send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL); });
    if (n < 0) return Failed("write", Io::kWantWrite, error);
    put = static_cast<size_t>(n);
    return Io::kDone;
  }

 private:
  template <class Call>
  static ssize_t Retry(Call call) {
    ssize_t n;
    do {
      n = call();
    } while (n < 0 && errno == EINTR);
    return n;
  }

  static Io Failed(std::string_view verb, Io want, absl::Status& error) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return want;
    error = FromErrno(verb);
    return Io::kFailed;
  }

  const int fd_;
  const std::shared_ptr<uint64_t> received_;
};

void SetOption(int fd, int level, int name, int value) {
  (void)setsockopt(fd, level, name, &value, sizeof(value));  // best effort
}

void TuneSocket(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that vanished without a word is noticed within a minute, idle or not.
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 50'000);
}

std::string EndpointText(const tcp::endpoint& endpoint) {
  return JoinHostPort(endpoint.address().to_string(), endpoint.port());
}

}  // namespace

struct Connection::Impl {
  struct TlsOnTop {
    std::shared_ptr<const TlsContext> context;
    std::unique_ptr<Layer> layer;
  };

  Impl(tcp::socket s, std::string p, std::shared_ptr<uint64_t> received)
      : socket(std::move(s)), peer(std::move(p)), bottom(socket.native_handle(), received) {
    error_code ignored;
    socket.native_non_blocking(true, ignored);
    TuneSocket(socket.native_handle());
  }

  // Destroyed top first, as each layer refers to the one below.
  ~Impl() {
    Close();
    while (!tls.empty()) tls.pop_back();
  }

  void Close() {
    if (!socket.is_open()) return;
    if (!failed) top->SayGoodbye();
    error_code ignored;
    socket.close(ignored);
  }

  // Runs `step` again and again until the socket has what it waits for.
  template <class Step>
  aio::Task<absl::StatusOr<Io>> Drive(std::string_view verb, Step step) {
    if (co_await aio::IsCancelled()) co_return absl::CancelledError(Text(verb, "cancelled"));
    while (true) {
      if (!socket.is_open()) co_return absl::UnavailableError(Text(verb, "connection closed"));
      absl::Status error;
      const Io result = step(error);
      if (result == Io::kFailed) {
        failed = true;
        co_return error;
      }
      if (result == Io::kDone || result == Io::kEnd) co_return result;
      const auto what = result == Io::kWantRead ? tcp::socket::wait_read : tcp::socket::wait_write;
      const auto [wait_error] = co_await socket.async_wait(what, aio::internal::kTuple);
      if (co_await aio::IsCancelled()) co_return absl::CancelledError(Text(verb, "cancelled"));
      if (wait_error) co_return FromError(verb, wait_error);
    }
  }

  static std::string Text(std::string_view verb, std::string_view cause) {
    return fmt::format("{}: {}", verb, cause);
  }

  tcp::socket socket;
  const std::string peer;
  SocketLayer bottom;
  std::vector<TlsOnTop> tls;
  Layer* top = &bottom;
  uint64_t written = 0;
  bool failed = false;
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Connection::Connect(
    std::string address, uint16_t port, std::shared_ptr<uint64_t> received) {
  if (co_await aio::IsCancelled()) co_return absl::CancelledError("connect: cancelled");
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
  if (error) co_return FromError("connect", error);
  tcp::socket socket(co_await asio::this_coro::executor);
  const auto [connect_error] = co_await socket.async_connect(endpoint, aio::internal::kTuple);
  if (co_await aio::IsCancelled()) co_return absl::CancelledError("connect: cancelled");
  if (connect_error) co_return FromError("connect", connect_error);
  co_return std::make_unique<Connection>(
      std::make_unique<Impl>(std::move(socket), JoinHostPort(address, port), std::move(received)));
}

aio::Task<absl::Status> Connection::StartTls(std::shared_ptr<const TlsContext> context,
                                             std::string peer_name) {
  std::unique_ptr<Layer> layer = context->Wrap(*impl_->top, peer_name);
  impl_->top = layer.get();
  impl_->tls.push_back({.context = std::move(context), .layer = std::move(layer)});
  Layer& top = *impl_->top;
  const auto shake = [&top](absl::Status& error) { return top.Handshake(error); };
  const absl::StatusOr<Io> result = co_await impl_->Drive("TLS handshake", shake);
  if (!result.ok()) co_return result.status();
  if (*result == Io::kEnd) co_return absl::UnavailableError("TLS handshake: connection closed");
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<std::string>> Connection::Read() {
  std::string piece;
  const auto read = [this, &piece](absl::Status& error) {
    char buffer[kReadBytes];
    size_t got = 0;
    const Io result = impl_->top->Read(buffer, sizeof(buffer), got, error);
    if (result == Io::kDone) piece.assign(buffer, got);
    return result;
  };
  const absl::StatusOr<Io> result = co_await impl_->Drive("read", read);
  if (!result.ok()) co_return result.status();
  co_return piece;
}

aio::Task<absl::Status> Connection::Write(std::string_view data) {
  size_t written = 0;
  while (written < data.size()) {
    const auto write = [this, data, &written](absl::Status& error) {
      size_t put = 0;
      const Io result = impl_->top->Write(data.data() + written, data.size() - written, put, error);
      if (result == Io::kDone) {
        written += put;
        impl_->written += put;
      }
      return result;
    };
    const absl::StatusOr<Io> result = co_await impl_->Drive("write", write);
    if (!result.ok()) co_return result.status();
    if (*result == Io::kEnd) co_return absl::UnavailableError("write: connection closed by peer");
  }
  co_return absl::OkStatus();
}

uint64_t Connection::written() const { return impl_->written; }

bool Connection::IsStale() {
  if (!impl_->socket.is_open() || impl_->failed) return true;
  char byte;
  size_t got = 0;
  absl::Status error;
  // TLS may take in session tickets here, which are no answer to anything.
  const Io result = impl_->top->Read(&byte, 1, got, error);
  return result != Io::kWantRead;
}

void Connection::FinishWriting() {
  if (!impl_->socket.is_open()) return;
  if (!impl_->failed) impl_->top->SayGoodbye();
  error_code ignored;
  impl_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Connection::Close() { impl_->Close(); }
const std::string& Connection::peer() const { return impl_->peer; }
std::string Connection::PeerCertificatePem() const { return impl_->top->PeerCertificatePem(); }

namespace {

class TcpListener final : public Listener {
 public:
  explicit TcpListener(tcp::acceptor acceptor)
      : acceptor_(std::move(acceptor)), port_(acceptor_.local_endpoint().port()) {}

  uint16_t port() const override { return port_; }

  aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Accept() override {
    if (!acceptor_.is_open() || co_await aio::IsCancelled()) {
      co_return absl::CancelledError("accept: cancelled");
    }
    tcp::endpoint peer;
    auto [error, socket] = co_await acceptor_.async_accept(peer, aio::internal::kTuple);
    if (error == asio::error::operation_aborted)
      co_return absl::CancelledError("accept: cancelled");
    if (error == boost::system::errc::too_many_files_open ||
        error == boost::system::errc::too_many_files_open_in_system) {
      co_return absl::ResourceExhaustedError(fmt::format("accept: {}", error.message()));
    }
    if (error) co_return FromError("accept", error);
    co_return std::make_unique<Connection>(
        std::make_unique<Connection::Impl>(std::move(socket), EndpointText(peer), nullptr));
  }

  void Close() override {
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  const uint16_t port_;
};

error_code OpenAndListen(tcp::acceptor& acceptor, const std::string& address, uint16_t port) {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
  if (error) return error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(aio::Executor executor,
                                                           const std::string& address,
                                                           uint16_t port) {
  tcp::acceptor acceptor(executor);
  if (const error_code error = OpenAndListen(acceptor, address, port); error) {
    return FromError(fmt::format("listen on {}", JoinHostPort(address, port)), error);
  }
  return std::make_unique<TcpListener>(std::move(acceptor));
}

}  // namespace calico::net
