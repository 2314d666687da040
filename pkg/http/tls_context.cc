#include "pkg/http/tls_context.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/http/url.h"

namespace calico::http {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Free<BIO_free>>;
using CtxPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

// Empties OpenSSL's error queue; the reason of the first error, which is the root cause.
std::string TakeReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  return fmt::format("TLS error {:#x}", code);
}

absl::Status Bad(std::string_view what, std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("load {}: {}", what, cause));
}

int NoPassword(char*, int, int, void*) { return -1; }  // never asks on the terminal

BioPtr Reader(const std::string& pem) {
  return BioPtr(
      BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<size_t>(pem.size(), INT_MAX))));
}

absl::StatusOr<std::vector<X509Ptr>> ParseCertificates(const std::string& pem,
                                                       std::string_view what) {
  std::vector<X509Ptr> out;
  const BioPtr bio = Reader(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    out.emplace_back(certificate);
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  const std::string reason = TakeReason();
  if (!at_end) return Bad(what, reason);
  if (out.empty()) return Bad(what, "no certificate in the PEM text");
  return out;
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
    return Bad(fmt::format("system CA certificates {}", file), TakeReason());
  }
  return absl::OkStatus();
}

absl::Status Trust(SSL_CTX* context, const std::string& pem, std::string_view what) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<X509Ptr> anchors, ParseCertificates(pem, what));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& anchor : anchors) {
    if (X509_STORE_add_cert(store, anchor.get()) != 1) return Bad(what, TakeReason());
  }
  return absl::OkStatus();
}

absl::Status UseCertificate(SSL_CTX* context, const std::string& chain_pem,
                            const std::string& key_pem, std::string_view role) {
  const std::string what = fmt::format("{} certificate", role);
  CALICO_ASSIGN_OR_RETURN(std::vector<X509Ptr> chain, ParseCertificates(chain_pem, what));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1) return Bad(what, TakeReason());
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) return Bad(what, TakeReason());
  }
  const KeyPtr key(PEM_read_bio_PrivateKey(Reader(key_pem).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return Bad(fmt::format("{} key", role), TakeReason());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return Bad(fmt::format("{} key", role), TakeReason());
  }
  return absl::OkStatus();
}

// Printable and short: a certificate's names come from the peer.
std::string Printable(std::string_view text) {
  std::string out(text.substr(0, 128));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

std::string CommonName(const X509_NAME* name) {
  char text[129] = "";
  X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
  return Printable(text);
}

std::string NameText(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  if (type != GEN_DNS && type != GEN_IPADD) return "";
  const auto* text = static_cast<const ASN1_STRING*>(value);
  const auto* bytes = ASN1_STRING_get0_data(text);
  const auto size = static_cast<size_t>(ASN1_STRING_length(text));
  if (type == GEN_DNS) return Printable({reinterpret_cast<const char*>(bytes), size});
  char address[INET6_ADDRSTRLEN] = "";
  if (size == 4) inet_ntop(AF_INET, bytes, address, sizeof(address));
  if (size == 16) inet_ntop(AF_INET6, bytes, address, sizeof(address));
  return address;
}

std::string SubjectAltNames(const X509* certificate) {
  constexpr int kMaxNames = 8;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < std::min(count, kMaxNames); ++i) {
    const std::string text = NameText(sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
  }
  if (count > kMaxNames) out += ", ...";
  return out.empty() ? "no name" : out;
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return "an unreadable time";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// What is wrong with `certificate`, in words for the one who has to mend it.
std::string Explain(int code, const X509* certificate, std::string_view peer_name) {
  if (certificate == nullptr) return X509_verify_cert_error_string(code);
  const std::string subject = CommonName(X509_get_subject_name(certificate));
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("certificate \"{}\" has expired at {}", subject,
                         TimeText(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("certificate \"{}\" is not valid before {}", subject,
                         TimeText(X509_get0_notBefore(certificate)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format("certificate \"{}\" signed by unknown authority \"{}\"", subject,
                         CommonName(X509_get_issuer_name(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("name mismatch: certificate is for {}, not for {}",
                         SubjectAltNames(certificate), peer_name);
    default:
      return fmt::format("certificate \"{}\": {}", subject, X509_verify_cert_error_string(code));
  }
}

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

class TlsLayer final : public Layer {
 public:
  TlsLayer(SSL_CTX* context, Layer& lower, bool is_client, const std::string& peer_name)
      : transport_{.lower = lower}, ssl_(SSL_new(context)), peer_name_(peer_name) {
    CALICO_CHECK(ssl_ != nullptr);  // out of memory
    BIO* bio = BIO_new(LayerBioMethod());
    CALICO_CHECK(bio != nullptr);
    BIO_set_data(bio, &transport_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    if (is_client) {
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
    auto* self = static_cast<TlsLayer*>(SSL_get_app_data(ssl));
    self->verify_failure_ = Explain(X509_STORE_CTX_get_error(store),
                                    X509_STORE_CTX_get_current_cert(store), self->peer_name_);
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
    return result == 1 ? Io::kDone : Map(result, "read", error);
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
    const BioPtr bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(bio.get(), certificate) != 1) return "";
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<size_t>(size));
  }

 private:
  void ExpectName() {
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
    if (IsIpAddress(peer_name_)) {
      const std::string address = peer_name_.substr(0, peer_name_.find('%'));
      CALICO_CHECK(X509_VERIFY_PARAM_set1_ip_asc(param, address.c_str()) == 1);
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
      return absl::UnavailableError(fmt::format("{}: {}", verb, TakeReason()));
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER) {
      return absl::UnauthenticatedError(
          fmt::format("{}: peer does not speak TLS 1.2 or newer", verb));
    }
    return absl::UnauthenticatedError(
        fmt::format("{}: {}{}", verb, alert ? "peer sent alert: " : "", TakeReason()));
  }

  Transport transport_;
  SslPtr ssl_;
  const std::string peer_name_;
  std::string verify_failure_;
};

class Context final : public TlsContext {
 public:
  Context(CtxPtr context, bool is_client) : context_(std::move(context)), is_client_(is_client) {}

  std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const override {
    return std::make_unique<TlsLayer>(context_.get(), lower, is_client_, peer_name);
  }

 private:
  const CtxPtr context_;
  const bool is_client_;
};

CtxPtr NewContext(const SSL_METHOD* method) {
  // A configuration file of the machine must not load code or loosen rules.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  CtxPtr context(SSL_CTX_new(method));
  CALICO_CHECK(context != nullptr);  // out of memory
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_security_level(ctx, 2);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(ctx, 1);  // one read of the socket for a record, not two
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  // As Go does: whatever is in the bundle is trusted, also when it is not a root.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
  return context;
}

std::shared_ptr<const TlsContext> FinishClient(CtxPtr context, bool verify) {
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn) - 1);
  if (verify) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, TlsLayer::OnVerify);
  } else {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  }
  return std::make_shared<Context>(std::move(context), true);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewClient(const TlsOptions& options) {
  CtxPtr context = NewContext(TLS_client_method());
  if (options.insecure_skip_verify) {
    // No anchors needed.
  } else if (options.ca_pem.empty()) {
    CALICO_RETURN_IF_ERROR(TrustSystem(context.get()));
  } else {
    CALICO_RETURN_IF_ERROR(Trust(context.get(), options.ca_pem, "CA certificates"));
  }
  if (!options.client_certificate_pem.empty()) {
    CALICO_RETURN_IF_ERROR(UseCertificate(context.get(), options.client_certificate_pem,
                                          options.client_key_pem, "client"));
  }
  return FinishClient(std::move(context), !options.insecure_skip_verify);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewProxyClient(
    const std::string& ca_pem) {
  CtxPtr context = NewContext(TLS_client_method());
  const absl::Status system = TrustSystem(context.get());
  if (ca_pem.empty()) CALICO_RETURN_IF_ERROR(system);
  if (!ca_pem.empty()) CALICO_RETURN_IF_ERROR(Trust(context.get(), ca_pem, "CA certificates"));
  return FinishClient(std::move(context), true);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::NewServer(
    const TlsServerOptions& options) {
  CtxPtr context = NewContext(TLS_server_method());
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context.get(), 0);
  CALICO_RETURN_IF_ERROR(
      UseCertificate(context.get(), options.certificate_pem, options.key_pem, "server"));
  if (!options.client_ca_pem.empty()) {
    constexpr std::string_view kWhat = "client CA certificates";
    CALICO_RETURN_IF_ERROR(Trust(context.get(), options.client_ca_pem, kWhat));
    // Their names go to the clients, which may have several certificates to choose from.
    CALICO_ASSIGN_OR_RETURN(const auto anchors, ParseCertificates(options.client_ca_pem, kWhat));
    for (const X509Ptr& anchor : anchors) SSL_CTX_add_client_CA(context.get(), anchor.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       TlsLayer::OnVerify);
  }
  return std::make_shared<Context>(std::move(context), false);
}

std::string TlsFingerprint(const TlsOptions& options) {
  using DigestPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
  const DigestPtr digest(EVP_MD_CTX_new());
  CALICO_CHECK(digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  for (const std::string* part : {&options.ca_pem, &options.client_certificate_pem,
                                  &options.client_key_pem, &options.server_name}) {
    const uint64_t size = part->size();  // so that moving bytes between fields changes the digest
    EVP_DigestUpdate(digest.get(), &size, sizeof(size));
    EVP_DigestUpdate(digest.get(), part->data(), part->size());
  }
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int out_size = 0;
  EVP_DigestFinal_ex(digest.get(), out, &out_size);
  std::string text(reinterpret_cast<char*>(out), out_size);
  text.push_back(options.insecure_skip_verify ? '1' : '0');
  return text;
}

}  // namespace calico::http
