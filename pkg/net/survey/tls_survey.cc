#include "pkg/net/survey/tls_survey.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "pkg/base/status_macros.h"
#include "pkg/net/address.h"
#include "pkg/net/tls_rules.h"
#include "pkg/net/url.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

class Deadline {
 public:
  explicit Deadline(absl::Duration timeout) : end_(absl::Now() + timeout) {}
  // False when the time is up first.
  bool Wait(int descriptor, short events) const {
    for (;;) {
      const int64_t left = absl::ToInt64Milliseconds(end_ - absl::Now());
      if (left <= 0) return false;
      pollfd one = {.fd = descriptor, .events = events, .revents = 0};
      const int ready = poll(&one, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

 private:
  const absl::Time end_;
};

absl::Status Unreachable(const TlsSurveyOptions& options, std::string_view cause) {
  return absl::UnavailableError(
      fmt::format("connect to {}: {}", JoinHostPort(options.host, options.port), cause));
}

absl::StatusOr<Socket> ConnectTo(const addrinfo& address, const Deadline& deadline,
                                 const TlsSurveyOptions& options) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Unreachable(options, std::strerror(errno));
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return Unreachable(options, std::strerror(errno));
    if (!deadline.Wait(socket.get(), POLLOUT)) return Unreachable(options, "no answer in time");
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Unreachable(options, std::strerror(error));
  }
  return socket;
}

absl::StatusOr<Socket> Dial(const TlsSurveyOptions& options, const Deadline& deadline,
                            std::string& peer) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int found =
      getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &list);
  if (found != 0) return Unreachable(options, gai_strerror(found));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  absl::Status last = Unreachable(options, "the name has no address");
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    absl::StatusOr<Socket> socket = ConnectTo(*item, deadline, options);
    if (!socket.ok()) {
      last = socket.status();
      continue;
    }
    char host[NI_MAXHOST] = "";
    getnameinfo(item->ai_addr, item->ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST);
    peer = JoinHostPort(host, options.port);
    return socket;
  }
  return last;
}

// Called when the server asks for a certificate: notes it and goes on.
int NoteDemand(SSL* /*ssl*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

std::vector<std::string> IssuersOf(const SSL* ssl) {
  constexpr int kMostIssuers = 64;
  std::vector<std::string> issuers;
  const STACK_OF(X509_NAME)* names = SSL_get0_peer_CA_list(ssl);
  const int count = names == nullptr ? 0 : sk_X509_NAME_num(names);
  for (int i = 0; i < std::min(count, kMostIssuers); ++i) {
    const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
    if (X509_NAME_print_ex(bio.get(), sk_X509_NAME_value(names, i), 0, XN_FLAG_RFC2253) < 0) {
      continue;
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    issuers.emplace_back(text, static_cast<size_t>(size));
  }
  return issuers;
}

std::string ChainOf(SSL* ssl) {
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    PEM_write_bio_X509(bio.get(), sk_X509_value(chain, i));
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

class Survey {
 public:
  Survey(const TlsSurveyOptions& options, const Deadline& deadline, const Socket& socket)
      : options_(options), deadline_(deadline), socket_(socket) {}

  absl::Status Run(TlsSurvey& result);

 private:
  // Runs `step` until it is done; OK, or why it failed.
  template <class Step>
  absl::Status Until(Step step);
  absl::Status Ask();

  const TlsSurveyOptions& options_;
  const Deadline& deadline_;
  const Socket& socket_;
  openssl::SslCtxPtr context_;
  openssl::SslPtr ssl_;
};

template <class Step>
absl::Status Survey::Until(Step step) {
  for (;;) {
    const int done = step();
    if (done > 0) return absl::OkStatus();
    const int error = SSL_get_error(ssl_.get(), done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      if (!deadline_.Wait(socket_.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
        return absl::UnavailableError("no answer in time");
      }
      continue;
    }
    if (error == SSL_ERROR_SSL) return absl::UnauthenticatedError(openssl::TakeReason());
    return absl::UnavailableError("the connection was closed");
  }
}

absl::Status Survey::Ask() {
  const std::string& request = options_.request;
  CALICO_RETURN_IF_ERROR(Until([this, &request] {
    return SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
  }));
  char answer[512];
  return Until([this, &answer] { return SSL_read(ssl_.get(), answer, sizeof(answer)); });
}

absl::Status Survey::Run(TlsSurvey& result) {
  context_ = NewTlsRules(TLS_client_method());
  // A weak certificate is something to tell of, not to stop at.
  SSL_CTX_set_security_level(context_.get(), 0);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof(kAlpn) - 1);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_cb(context_.get(), NoteDemand, &result.asks_for_certificate);
  ssl_.reset(SSL_new(context_.get()));
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_.get()) != 1) {
    return openssl::TakeError(absl::StatusCode::kInternal, "start TLS");
  }
  const std::string& name = options_.server_name.empty() ? options_.host : options_.server_name;
  if (!IsIpAddress(name)) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  if (options_.identity != nullptr) options_.identity->ShowOn(ssl_.get());
  const absl::Status shaken = Until([this] { return SSL_connect(ssl_.get()); });
  result.chain_pem = ChainOf(ssl_.get());
  result.protocol = SSL_get_version(ssl_.get());
  result.accepted_issuers = IssuersOf(ssl_.get());
  if (!shaken.ok() && result.chain_pem.empty()) {
    return absl::Status(shaken.code(),
                        fmt::format("TLS with {}: {}", result.peer, std::string(shaken.message())));
  }
  result.after = shaken.ok() && !options_.request.empty() ? Ask() : shaken;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsSurvey> SurveyTls(const TlsSurveyOptions& options) {
  const openssl::ErrorScope scope;
  TlsSurvey result;
  const Deadline deadline(options.timeout);
  CALICO_ASSIGN_OR_RETURN(const Socket socket, Dial(options, deadline, result.peer));
  CALICO_RETURN_IF_ERROR(Survey(options, deadline, socket).Run(result));
  return result;
}

}  // namespace calico::net
