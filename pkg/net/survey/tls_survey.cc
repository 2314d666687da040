#include "pkg/net/survey/tls_survey.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "pkg/aio/timer.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/connection.h"
#include "pkg/net/layer.h"
#include "pkg/net/resolve.h"
#include "pkg/net/tls_context.h"
#include "pkg/net/tls_rules.h"
#include "pkg/net/tls_stream.h"
#include "pkg/net/url.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

constexpr int kMostCertificates = 64;
constexpr int kMostIssuers = 64;
constexpr size_t kLongestName = 255;

std::vector<std::string> IssuersOf(const SSL* ssl) {
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

// Called with the server's certificates: notes them and takes them all.
int NotePresented(X509_STORE_CTX* store, void* noted) {
  auto& survey = *static_cast<TlsSurvey*>(noted);
  survey.certificates.clear();
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < std::min(sent == nullptr ? 0 : sk_X509_num(sent), kMostCertificates); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(sent, i), &der);
    const openssl::BytesPtr owned(der);
    if (size > 0) {
      survey.certificates.emplace_back(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    }
  }
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  survey.protocol = SSL_get_version(ssl);
  return 1;
}

// Called when the server asks for a certificate: notes it and goes on.
int NoteDemand(SSL* ssl, void* noted) {
  auto& survey = *static_cast<TlsSurvey*>(noted);
  survey.asks_for_certificate = true;
  survey.accepted_issuers = IssuersOf(ssl);
  return 1;
}

// For one handshake, which it notes in `survey`.
class SurveyContext final : public TlsContext {
 public:
  SurveyContext(std::shared_ptr<TlsSurvey> survey, std::shared_ptr<const TlsIdentity> identity)
      : survey_(std::move(survey)),
        identity_(std::move(identity)),
        context_(NewTlsRules(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    static constexpr unsigned char kAlpn[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof(kAlpn) - 1);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context_.get(), NotePresented, survey_.get());
    SSL_CTX_set_cert_cb(context_.get(), NoteDemand, survey_.get());
  }
  std::unique_ptr<Layer> Wrap(Layer& lower, const std::string& peer_name) const override {
    return NewTlsStream(context_.get(), TlsSide::kClient, identity_.get(), lower, peer_name);
  }

 private:
  const std::shared_ptr<TlsSurvey> survey_;
  const std::shared_ptr<const TlsIdentity> identity_;
  const openssl::SslCtxPtr context_;
};

// One connection: where it leads to, and what came of it.
struct Attempt {
  std::unique_ptr<Connection> connection;
  std::shared_ptr<TlsSurvey> survey;
};

// Connects and shakes hands. `attempt` has what was seen, however it ends.
aio::Task<absl::Status> Shake(const TlsSurveyOptions& options, std::string address,
                              Attempt& attempt) {
  attempt.survey = std::make_shared<TlsSurvey>();
  auto connection = co_await Connection::Connect(std::move(address), options.port, nullptr);
  if (!connection.ok()) co_return connection.status();
  attempt.connection = *std::move(connection);
  attempt.survey->peer = attempt.connection->peer();
  const std::string& name = options.server_name.empty() ? options.host : options.server_name;
  co_return co_await attempt.connection->StartTls(
      std::make_shared<SurveyContext>(attempt.survey, options.identity), name);
}

// The same with each address, up to the first that shows a certificate.
aio::Task<absl::Status> ShakeAny(const TlsSurveyOptions& options, Attempt& attempt) {
  const auto addresses = co_await Resolve(options.host);
  if (!addresses.ok()) co_return addresses.status();
  absl::Status last = absl::UnavailableError("the name has no address");
  for (const std::string& address : *addresses) {
    last = co_await Shake(options, address, attempt);
    if (!attempt.survey->certificates.empty() || absl::IsCancelled(last)) break;
  }
  co_return last;
}

aio::Task<absl::Status> Ask(Connection& connection, const std::string& request) {
  CALICO_CO_RETURN_IF_ERROR(co_await connection.Write(request));
  const absl::StatusOr<std::string> answer = co_await connection.Read();
  if (!answer.ok()) co_return answer.status();
  if (answer->empty()) co_return absl::UnavailableError("read: connection closed by peer");
  co_return absl::OkStatus();
}

}  // namespace

aio::Task<absl::StatusOr<TlsSurvey>> SurveyTls(TlsSurveyOptions options) {
  const std::string& name = options.server_name.empty() ? options.host : options.server_name;
  if (name.empty() || name.size() > kLongestName || name.find('\0') != name.npos) {
    co_return absl::InvalidArgumentError(fmt::format("{:?} is no name of a server", name));
  }
  const absl::Time end = absl::Now() + options.timeout;
  Attempt attempt;
  absl::Status result = co_await aio::WithDeadline(ShakeAny(options, attempt), options.timeout);
  const bool has_seen = attempt.survey != nullptr && !attempt.survey->certificates.empty();
  if (result.ok() && !has_seen) {
    result = absl::UnavailableError("TLS handshake: the server has shown no certificate");
  }
  if (absl::IsCancelled(result) || !has_seen) {
    co_return absl::Status(result.code(),
                           fmt::format("ask {}: {}", JoinHostPort(options.host, options.port),
                                       std::string(result.message())));
  }
  if (result.ok() && !options.request.empty()) {
    result = co_await aio::WithDeadline(Ask(*attempt.connection, options.request),
                                        std::max(absl::ZeroDuration(), end - absl::Now()));
    if (absl::IsCancelled(result)) co_return result;
  }
  attempt.survey->after = std::move(result);
  co_return *std::move(attempt.survey);
}

}  // namespace calico::net
