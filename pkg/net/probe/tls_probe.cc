#include "pkg/net/probe/tls_probe.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "pkg/aio/timer.h"
#include "pkg/base/check.h"
#include "pkg/net/address.h"
#include "pkg/net/connection.h"
#include "pkg/net/layer.h"
#include "pkg/net/resolve.h"
#include "pkg/net/tls_context.h"
#include "pkg/net/url.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

using Shown = std::vector<std::string>;

constexpr int kMaxShown = 64;

// Keeps what the peer has sent and takes it all.
int Keep(X509_STORE_CTX* store, void* shown_pointer) {
  auto& shown = *static_cast<Shown*>(shown_pointer);
  shown.clear();
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < std::min(sent == nullptr ? 0 : sk_X509_num(sent), kMaxShown); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(sent, i), &der);
    const openssl::BytesPtr owned(der);
    if (size > 0) shown.emplace_back(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  }
  return 1;
}

// Shakes hands over memory, and can do nothing else.
class ProbeStream final : public Layer {
 public:
  ProbeStream(SSL_CTX* context, Layer& lower, const std::string& server_name)
      : lower_(lower), ssl_(SSL_new(context)) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    CALICO_CHECK(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);  // out of memory
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    if (!server_name.empty() && !IsIpAddress(server_name)) {
      SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
    }
  }

  Io Handshake(absl::Status& error) override {
    while (true) {
      if (const Io sent = Flush(error); sent != Io::kDone) return sent;
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      if (BIO_ctrl_pending(out_) > 0) continue;
      if (result == 1) return Io::kDone;
      if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
        error = openssl::TakeError(absl::StatusCode::kUnavailable, "TLS handshake");
        return Io::kFailed;
      }
      if (const Io got = Fill(error); got != Io::kDone) return got;
    }
  }
  Io Read(char*, size_t, size_t&, absl::Status&) override { return Io::kEnd; }
  Io Write(const char*, size_t, size_t&, absl::Status&) override { return Io::kFailed; }

 private:
  Io Flush(absl::Status& error) {
    char* data = nullptr;
    while (const long size = BIO_get_mem_data(out_, &data)) {
      size_t put = 0;
      const Io result = lower_.Write(data, static_cast<size_t>(size), put, error);
      if (result != Io::kDone) return result;
      std::array<char, 4096> drop;
      while (put > 0)
        put -= static_cast<size_t>(
            BIO_read(out_, drop.data(), static_cast<int>(std::min(put, drop.size()))));
    }
    return Io::kDone;
  }
  Io Fill(absl::Status& error) {
    std::array<char, 16384> buffer;
    size_t got = 0;
    const Io result = lower_.Read(buffer.data(), buffer.size(), got, error);
    if (result == Io::kEnd) {
      error = absl::UnavailableError("TLS handshake: the server has closed the connection");
      return Io::kFailed;
    }
    if (result == Io::kDone) BIO_write(in_, buffer.data(), static_cast<int>(got));
    return result;
  }

  Layer& lower_;
  openssl::SslPtr ssl_;
  BIO* in_ = nullptr;  // both belong to ssl_
  BIO* out_ = nullptr;
};

class ProbeContext final : public TlsContext {
 public:
  ProbeContext() : context_(SSL_CTX_new(TLS_client_method())) {
    CALICO_CHECK(context_ != nullptr);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context_.get(), Keep, &shown_);
  }
  std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const override {
    return std::make_unique<ProbeStream>(context_.get(), lower, peer_name);
  }
  const Shown& shown() const { return shown_; }

 private:
  openssl::SslCtxPtr context_;
  mutable Shown shown_;
};

aio::Task<absl::StatusOr<ProbedServer>> ProbeAddress(std::string address, uint16_t port,
                                                     std::string server_name) {
  auto connection = co_await Connection::Connect(std::move(address), port, nullptr);
  if (!connection.ok()) co_return connection.status();
  const auto context = std::make_shared<ProbeContext>();
  const absl::Status handshake = co_await (*connection)->StartTls(context, std::move(server_name));
  if (context->shown().empty()) {
    if (!handshake.ok()) co_return handshake;
    co_return absl::UnavailableError("TLS handshake: the server has shown no certificate");
  }
  co_return ProbedServer{.address = (*connection)->peer(), .certificates = context->shown()};
}

aio::Task<absl::StatusOr<ProbedServer>> ProbeAny(std::string host, uint16_t port,
                                                 std::string server_name) {
  const auto addresses = co_await Resolve(host);
  if (!addresses.ok()) co_return addresses.status();
  absl::Status last = absl::UnavailableError(fmt::format("{} has no address", host));
  for (const std::string& address : *addresses) {
    auto probed = co_await ProbeAddress(address, port, server_name);
    if (probed.ok()) co_return probed;
    last = probed.status();
    if (absl::IsCancelled(last)) break;
  }
  co_return last;
}

}  // namespace

aio::Task<absl::StatusOr<ProbedServer>> ProbeServer(std::string host, uint16_t port,
                                                    std::string server_name,
                                                    absl::Duration timeout) {
  const std::string name = server_name.empty() ? host : std::move(server_name);
  const std::string where = JoinHostPort(host, port);
  auto probed = co_await aio::WithDeadline(ProbeAny(std::move(host), port, name), timeout);
  if (probed.ok()) co_return probed;
  co_return absl::Status(probed.status().code(),
                         fmt::format("ask {}: {}", where, std::string(probed.status().message())));
}

}  // namespace calico::net
