#include "operator/standin/tls_server.h"

#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace calico::standin {
namespace {

constexpr size_t kMaxRequest = 64 * 1024;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeContext>;
using Ssl = std::unique_ptr<SSL, FreeSsl>;

class Server final : public TlsServer {
 public:
  explicit Server(SslContext context) : context_(std::move(context)) {}

  void Answer(Socket socket, const std::function<std::string(std::string_view)>& respond) override {
    SetTimeout(socket, 10);
    const Ssl ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), socket.fd());
    if (SSL_accept(ssl.get()) != 1) return ERR_clear_error();
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos && request.size() < kMaxRequest) {
      char buffer[4096];
      const int got = SSL_read(ssl.get(), buffer, sizeof(buffer));
      if (got <= 0) return ERR_clear_error();
      request.append(buffer, static_cast<size_t>(got));
    }
    const std::string answer = respond(std::string_view(request).substr(0, request.find("\r\n")));
    SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(ssl.get());
    ERR_clear_error();
  }

 private:
  SslContext context_;
};

absl::Status LoadError(const std::string& file) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return absl::InvalidArgumentError("load " + file + ": " + text);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsServer>> TlsServer::Load(const std::string& certificate,
                                                           const std::string& key) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    return LoadError(certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return LoadError(key);
  }
  return std::make_unique<Server>(std::move(context));
}

}  // namespace calico::standin
