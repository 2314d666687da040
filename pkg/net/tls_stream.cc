#include "pkg/net/tls_stream.h"

#include <string_view>

#include <absl/status/status.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/address.h"
#include "pkg/net/tls_verify.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

// --- A BIO over a Layer ---

struct Transport {
  Layer& lower;
  bool ended = false;
  Io blocked = Io::kWantRead;  // why the last call had to be retried
  absl::Status error;
};

Transport& TransportOf(BIO* bio) { return *static_cast<Transport*>(BIO_get_data(bio)); }

int Finish(BIO* bio, Io result, size_t* moved) {
  Transport& transport = TransportOf(bio);
  BIO_clear_retry_flags(bio);
  switch (result) {
    case Io::kDone:
      return 1;
    case Io::kEnd:
      transport.ended = true;
      break;
    case Io::kWantRead:
      transport.blocked = result;
      BIO_set_retry_read(bio);
      break;
    case Io::kWantWrite:
      transport.blocked = result;
      BIO_set_retry_write(bio);
      break;
    case Io::kFailed:
      break;
  }
  *moved = 0;
  return 0;
}

int BioRead(BIO* bio, char* buffer, size_t size, size_t* got) {
  Transport& transport = TransportOf(bio);
  return Finish(bio, transport.lower.Read(buffer, size, *got, transport.error), got);
}

int BioWrite(BIO* bio, const char* data, size_t size, size_t* put) {
  Transport& transport = TransportOf(bio);
  return Finish(bio, transport.lower.Write(data, size, *put, transport.error), put);
}

long BioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return TransportOf(bio).ended ? 1 : 0;
  return 0;
}

BIO_METHOD* LayerBioMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "layer");
    CALICO_CHECK(m != nullptr);
    BIO_meth_set_read_ex(m, BioRead);
    BIO_meth_set_write_ex(m, BioWrite);
    BIO_meth_set_ctrl(m, BioControl);
    BIO_meth_set_create(m, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return m;
  }();
  return method;
}

// --- TLS ---

class TlsStream final : public Layer {
 public:
  TlsStream(SSL_CTX* context, TlsSide side, const TlsIdentity* identity, Layer& lower,
            const std::string& peer_name)
      : transport_{.lower = lower}, ssl_(SSL_new(context)), peer_name_(peer_name) {
    CALICO_CHECK(ssl_ != nullptr);  // out of memory
    BIO* bio = BIO_new(LayerBioMethod());
    CALICO_CHECK(bio != nullptr);
    BIO_set_data(bio, &transport_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    if (identity != nullptr) identity->ShowOn(ssl_.get());
    if (side == TlsSide::kClient) {
      ExpectName();
      SSL_set_connect_state(ssl_.get());
    } else {
      SSL_set_accept_state(ssl_.get());
    }
  }

  static int OnVerify(int ok, X509_STORE_CTX* store) {
    if (ok == 1) return 1;
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* self = static_cast<TlsStream*>(SSL_get_app_data(ssl));
    self->verify_failure_ = ExplainRefusal(
        X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store), self->peer_name_);
    return 0;
  }

  Io Handshake(absl::Status& error) override {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? Io::kDone : Map(result, "TLS handshake", error);
  }

  Io Read(char* buffer, size_t size, size_t& got, absl::Status& error) override {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), buffer, size, &got);
    if (result == 1) return Io::kDone;
    const Io io = Map(result, "read", error);
    // A session ticket has made it take a buffer to write, which it would keep for a watch's life.
    if (io == Io::kWantRead) SSL_free_buffers(ssl_.get());
    return io;
  }

  Io Write(const char* data, size_t size, size_t& put, absl::Status& error) override {
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), data, size, &put);
    return result == 1 ? Io::kDone : Map(result, "write", error);
  }

  void SayGoodbye() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  std::string PeerCertificatePem() const override {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return "";
    const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(bio.get(), certificate) != 1) return "";
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<size_t>(size));
  }

 private:
  void ExpectName() {
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
    if (const auto address = ParseAddress(peer_name_); address.has_value()) {
      const std::string_view bytes = address->bytes();
      const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
      CALICO_CHECK(X509_VERIFY_PARAM_set1_ip(param, data, bytes.size()) == 1);
      return;
    }
    X509_VERIFY_PARAM_set_hostflags(
        param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    CALICO_CHECK(X509_VERIFY_PARAM_set1_host(param, peer_name_.data(), peer_name_.size()) == 1);
    CALICO_CHECK(SSL_set_tlsext_host_name(ssl_.get(), peer_name_.c_str()) == 1);
  }

  Io Map(int result, std::string_view verb, absl::Status& error) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        // A layer below may want to write when this one wants to read, and the reverse.
        return transport_.blocked;
      case SSL_ERROR_ZERO_RETURN:
        return Io::kEnd;
      case SSL_ERROR_SYSCALL:
        error = transport_.error.ok() ? Closed(verb) : transport_.error;
        if (!transport_.error.ok() && !SSL_is_init_finished(ssl_.get())) {
          error = base::Annotate(error, verb);
        }
        break;
      default:
        error = ProtocolError(verb);
    }
    ERR_clear_error();
    return Io::kFailed;
  }

  static absl::Status Closed(std::string_view verb) {
    return absl::UnavailableError(fmt::format("{}: connection closed by peer", verb));
  }

  absl::Status ProtocolError(std::string_view verb) {
    const unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return Closed(verb);
    if (!verify_failure_.empty()) {
      return absl::UnauthenticatedError(fmt::format("{}: {}", verb, verify_failure_));
    }
    const int reason = ERR_GET_REASON(code);
    // With TLS 1.3 the server's verdict on our certificate comes after the handshake.
    const bool alert = reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
    if (!alert && SSL_is_init_finished(ssl_.get())) {
      return absl::UnavailableError(fmt::format("{}: {}", verb, openssl::TakeReason()));
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER) {
      return absl::UnauthenticatedError(
          fmt::format("{}: peer does not speak TLS 1.2 or newer", verb));
    }
    return absl::UnauthenticatedError(
        fmt::format("{}: {}{}", verb, alert ? "peer sent alert: " : "", openssl::TakeReason()));
  }

  Transport transport_;
  openssl::SslPtr ssl_;
  const std::string peer_name_;
  std::string verify_failure_;
};

}  // namespace

std::unique_ptr<Layer> NewTlsStream(SSL_CTX* context, TlsSide side, const TlsIdentity* identity,
                                    Layer& lower, const std::string& peer_name) {
  return std::make_unique<TlsStream>(context, side, identity, lower, peer_name);
}

void VerifyPeers(SSL_CTX* context, int mode) {
  SSL_CTX_set_verify(context, mode, TlsStream::OnVerify);
}

}  // namespace calico::net
