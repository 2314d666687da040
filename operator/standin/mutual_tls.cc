#include "operator/standin/mutual_tls.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace calico::standin {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using SslContext = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Deleter<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

std::string LibraryError() {
  char text[256] = "unknown TLS error";
  const unsigned long error = ERR_get_error();
  if (error != 0) ERR_error_string_n(error, text, sizeof(text));
  ERR_clear_error();
  return text;
}

std::string CommonName(X509* certificate) {
  char text[256];
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                               text, sizeof(text));
  return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
}

bool HasUri(X509* certificate, const std::string& uri) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* value = name->d.uniformResourceIdentifier;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<size_t>(ASN1_STRING_length(value)));
    if (text == uri) return true;
  }
  return false;
}

class Connection final : public TlsConnection {
 public:
  Connection(Socket socket, Ssl ssl, std::string peer)
      : socket_(std::move(socket)), ssl_(std::move(ssl)), peer_(std::move(peer)) {}

  absl::StatusOr<std::string> Read() override {
    char buffer[512];
    const int got = SSL_read(ssl_.get(), buffer, sizeof(buffer));
    if (got <= 0) return absl::UnavailableError("connection closed: " + LibraryError());
    return std::string(buffer, static_cast<size_t>(got));
  }
  absl::Status Write(const std::string& bytes) override {
    if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
      return absl::UnavailableError("connection closed: " + LibraryError());
    }
    return absl::OkStatus();
  }
  const std::string& peer_common_name() const override { return peer_; }

 private:
  Socket socket_;
  Ssl ssl_;
  std::string peer_;
};

class Context final : public MutualTls {
 public:
  Context(TlsSide side, SslContext context, PeerIdentity peer)
      : side_(side), context_(std::move(context)), peer_(std::move(peer)) {}

  absl::StatusOr<std::unique_ptr<TlsConnection>> Establish(Socket socket) override {
    Ssl ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), socket.fd());
    const int done = side_ == TlsSide::kServer ? SSL_accept(ssl.get()) : SSL_connect(ssl.get());
    if (done != 1) return absl::UnauthenticatedError("handshake: " + LibraryError());
    const X509Ptr certificate(SSL_get1_peer_certificate(ssl.get()));
    if (certificate == nullptr) return absl::UnauthenticatedError("peer sent no certificate");
    const std::string name = CommonName(certificate.get());
    const bool name_fits = !peer_.common_name.empty() && name == peer_.common_name;
    const bool uri_fits = !peer_.uri_san.empty() && HasUri(certificate.get(), peer_.uri_san);
    if (!name_fits && !uri_fits) {
      return absl::UnauthenticatedError(
          fmt::format("peer certificate of '{}' does not have required CN '{}' or URI SAN '{}'",
                      name, peer_.common_name, peer_.uri_san));
    }
    return std::make_unique<Connection>(std::move(socket), std::move(ssl), name);
  }

 private:
  TlsSide side_;
  SslContext context_;
  PeerIdentity peer_;
};

absl::Status LoadError(const std::string& file) {
  return absl::InvalidArgumentError(fmt::format("load {}: {}", file, LibraryError()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MutualTls>> MutualTls::Load(TlsSide side,
                                                           const MutualTlsFiles& files,
                                                           PeerIdentity peer) {
  if (files.certificate.empty() || files.key.empty() || files.ca.empty() ||
      (peer.common_name.empty() && peer.uri_san.empty())) {
    return absl::InvalidArgumentError(
        "key, certificate, CA file and one of CN and URI SAN must all be configured");
  }
  SslContext context(
      SSL_CTX_new(side == TlsSide::kServer ? TLS_server_method() : TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return LoadError(files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return LoadError(files.key);
  }
  if (SSL_CTX_load_verify_file(context.get(), files.ca.c_str()) != 1) return LoadError(files.ca);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return std::make_unique<Context>(side, std::move(context), std::move(peer));
}

}  // namespace calico::standin
