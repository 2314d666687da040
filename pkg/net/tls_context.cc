#include "pkg/net/tls_context.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "pkg/base/status_macros.h"
#include "pkg/net/tls_pem.h"
#include "pkg/net/tls_rules.h"
#include "pkg/net/tls_stream.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

absl::Status Bad(std::string_view what, std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("load {}: {}", what, cause));
}

std::string SystemCaFile() {
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0')
    return file;
  for (const char* file :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (access(file, R_OK) == 0) return file;
  }
  return "";
}

absl::Status TrustSystem(SSL_CTX* context) {
  const std::string file = SystemCaFile();
  if (file.empty()) return Bad("system CA certificates", "no bundle found");
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return Bad(fmt::format("system CA certificates {}", file), openssl::TakeReason());
  }
  return absl::OkStatus();
}

absl::Status Trust(SSL_CTX* context, const std::string& pem, std::string_view what) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<openssl::X509Ptr> anchors, ReadCertificates(pem, what));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const openssl::X509Ptr& anchor : anchors) {
    if (X509_STORE_add_cert(store, anchor.get()) != 1) return Bad(what, openssl::TakeReason());
  }
  return absl::OkStatus();
}

class Context final : public TlsContext {
 public:
  Context(openssl::SslCtxPtr context, TlsSide side, std::shared_ptr<const TlsIdentity> identity)
      : context_(std::move(context)), side_(side), identity_(std::move(identity)) {}

  std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const override {
    return NewTlsStream(context_.get(), side_, identity_.get(), lower, peer_name);
  }

 private:
  const openssl::SslCtxPtr context_;
  const TlsSide side_;
  const std::shared_ptr<const TlsIdentity> identity_;
};

std::shared_ptr<const TlsContext> FinishClient(openssl::SslCtxPtr context, bool verify,
                                               std::shared_ptr<const TlsIdentity> identity) {
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn) - 1);
  VerifyPeers(context.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE);
  return std::make_shared<Context>(std::move(context), TlsSide::kClient, std::move(identity));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewClient(const TlsOptions& options) {
  const openssl::ErrorScope scope;
  openssl::SslCtxPtr context = NewTlsRules(TLS_client_method());
  if (options.insecure_skip_verify) {
    // No anchors needed.
  } else if (options.ca_pem.empty()) {
    CALICO_RETURN_IF_ERROR(TrustSystem(context.get()));
  } else {
    CALICO_RETURN_IF_ERROR(Trust(context.get(), options.ca_pem, "CA certificates"));
  }
  return FinishClient(std::move(context), !options.insecure_skip_verify, options.identity);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewProxyClient(
    const std::string& ca_pem) {
  const openssl::ErrorScope scope;
  openssl::SslCtxPtr context = NewTlsRules(TLS_client_method());
  const absl::Status system = TrustSystem(context.get());
  if (ca_pem.empty()) CALICO_RETURN_IF_ERROR(system);
  if (!ca_pem.empty()) CALICO_RETURN_IF_ERROR(Trust(context.get(), ca_pem, "CA certificates"));
  return FinishClient(std::move(context), true, nullptr);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewServer(
    const TlsServerOptions& options) {
  const openssl::ErrorScope scope;
  if (options.identity == nullptr) return Bad("server certificate", "there is none");
  openssl::SslCtxPtr context = NewTlsRules(TLS_server_method());
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context.get(), 0);
  if (!options.client_ca_pem.empty()) {
    constexpr std::string_view kWhat = "client CA certificates";
    CALICO_RETURN_IF_ERROR(Trust(context.get(), options.client_ca_pem, kWhat));
    // Their names go to the clients, which may have several certificates to choose from.
    CALICO_ASSIGN_OR_RETURN(const auto anchors, ReadCertificates(options.client_ca_pem, kWhat));
    for (const auto& anchor : anchors) SSL_CTX_add_client_CA(context.get(), anchor.get());
    VerifyPeers(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  }
  return std::make_shared<Context>(std::move(context), TlsSide::kServer, options.identity);
}

}  // namespace calico::net
