#include "operator/calicert/etcd/running.h"

#include <algorithm>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calicert/etcd/store.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/file.h"
#include "pkg/net/survey/tls_survey.h"
#include "pkg/net/tls_identity.h"
#include "pkg/net/url.h"

namespace calico::calicert::etcd {
namespace {

std::string RoleOf(const Endpoint& endpoint) {
  return fmt::format("{} of {}, running", endpoint.is_peer ? "peer port" : "client port",
                     endpoint.member);
}

class Examination {
 public:
  Examination(absl::Duration timeout, Assembled& assembled)
      : timeout_(timeout), assembled_(assembled) {}

  void Examine(const Endpoint& endpoint, const std::vector<ClientPair>& clients);

 private:
  absl::StatusOr<net::TlsSurvey> Survey(const net::Url& url,
                                        std::shared_ptr<const net::TlsIdentity> identity) const;
  void Add(Severity severity, const Endpoint& endpoint, std::string_view check, std::string refuser,
           std::string reason, std::string advice) {
    assembled_.problems.push_back({severity, endpoint.url, RoleOf(endpoint), std::string(check),
                                   std::move(refuser), std::move(reason), std::move(advice)});
  }
  void TakePresented(const Endpoint& endpoint, const net::Url& url,
                     std::vector<pki::Certificate> chain);
  void ComparePresented(const Endpoint& endpoint, const pki::Certificate& leaf);
  void CheckDemands(const Endpoint& endpoint, const net::TlsSurvey& survey);
  void ShowPair(const Endpoint& endpoint, const net::Url& url, const ClientPair& client);
  const Trust& TrustOf(const Endpoint& endpoint) const {
    return endpoint.is_peer ? assembled_.cluster.peer_ca : assembled_.cluster.client_ca;
  }

  const absl::Duration timeout_;
  Assembled& assembled_;
};

absl::StatusOr<net::TlsSurvey> Examination::Survey(
    const net::Url& url, std::shared_ptr<const net::TlsIdentity> identity) const {
  const net::TlsSurveyOptions options = {.host = url.host,
                                         .port = url.port,
                                         .identity = std::move(identity),
                                         .request = fmt::format("GET /version HTTP/1.1\r\n"
                                                                "Host: {}\r\n"
                                                                "Connection: close\r\n\r\n",
                                                                url.HostHeader()),
                                         .timeout = timeout_};
  absl::StatusOr<net::TlsSurvey> survey = absl::InternalError("not asked");
  aio::EventLoop loop;
  loop.Run([&]() -> aio::Task<void> { survey = co_await net::SurveyTls(options); }());
  return survey;
}

absl::StatusOr<std::vector<pki::Certificate>> ChainOf(const net::TlsSurvey& survey) {
  std::vector<pki::Certificate> chain;
  for (const std::string& der : survey.certificates) {
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(der);
    if (!certificate.ok()) return certificate.status();
    chain.push_back(*std::move(certificate));
  }
  return chain;
}

void Examination::ComparePresented(const Endpoint& endpoint, const pki::Certificate& leaf) {
  if (endpoint.file.empty()) return;
  const absl::StatusOr<Trust> file = ReadTrust(endpoint.file);
  if (!file.ok() || file->certificates.front() == leaf) return;
  Add(Severity::kWarning, endpoint, "file", "",
      fmt::format("it presents another certificate (\"{}\", until {}) than {} has",
                  leaf.common_name(), TimeText(leaf.not_after()), endpoint.file),
      "copy the pair in place there: etcd reads it at the next handshake");
}

void Examination::TakePresented(const Endpoint& endpoint, const net::Url& url,
                                std::vector<pki::Certificate> chain) {
  ComparePresented(endpoint, chain.front());
  Shown shown{endpoint.url, std::move(chain)};
  auto& members = assembled_.cluster.members;
  auto at = std::find_if(members.begin(), members.end(), [&](const MemberCertificates& member) {
    return member.name == endpoint.member;
  });
  if (at == members.end()) {
    members.push_back({.name = endpoint.member});
    at = members.end() - 1;
  }
  auto& hosts = endpoint.is_peer ? at->peer_hosts : at->client_hosts;
  if (std::find(hosts.begin(), hosts.end(), url.host) == hosts.end()) hosts.push_back(url.host);
  (endpoint.is_peer ? at->peer : at->server) = std::move(shown);
}

void Examination::CheckDemands(const Endpoint& endpoint, const net::TlsSurvey& survey) {
  const std::string_view flag = endpoint.is_peer ? "--peer-client-cert-auth" : "--client-cert-auth";
  if (!survey.asks_for_certificate || survey.after.ok()) {
    Add(Severity::kWarning, endpoint, "usage", "",
        fmt::format("it lets everybody in without a certificate ({} is not set)", flag),
        fmt::format("start it with {}", flag));
    return;
  }
  if (survey.accepted_issuers.empty()) return;
  const Trust& trust = TrustOf(endpoint);
  const bool takes_ours = std::any_of(
      trust.certificates.begin(), trust.certificates.end(), [&survey](const pki::Certificate& ca) {
        const auto& issuers = survey.accepted_issuers;
        return std::find(issuers.begin(), issuers.end(), ca.subject()) != issuers.end();
      });
  if (takes_ours) return;
  Add(Severity::kError, endpoint, "chain", endpoint.member,
      fmt::format("it takes certificates of \"{}\" only, and {} is another CA",
                  absl::StrJoin(survey.accepted_issuers, "\", \""), trust.file),
      "etcd reads its trusted CA at start only: put the file there and restart it");
}

void Examination::ShowPair(const Endpoint& endpoint, const net::Url& url,
                           const ClientPair& client) {
  const absl::StatusOr<std::string> certificate = base::ReadFile(client.certificate_file);
  const absl::StatusOr<base::SecretString> key = base::ReadSecretFile(client.key_file);
  if (!certificate.ok() || !key.ok()) return;  // told where files are read
  auto identity = net::TlsIdentity::Create(*certificate, key->view());
  if (!identity.ok()) return;
  const auto survey = Survey(url, *std::move(identity));
  if (!survey.ok() || survey->after.ok()) return;
  assembled_.problems.push_back(
      {Severity::kError, client.certificate_file, client.role, "usage",
       fmt::format("{} ({})", endpoint.member, endpoint.url),
       fmt::format("shown to the running member, it was refused: {}",
                   std::string(survey->after.message())),
       "what else is said here of this certificate or of that member's CA is the cause; its log "
       "says more"});
}

void Examination::Examine(const Endpoint& endpoint, const std::vector<ClientPair>& clients) {
  const absl::StatusOr<net::Url> url = net::ParseUrl(endpoint.url);
  if (!url.ok()) return;  // has been checked
  const absl::StatusOr<net::TlsSurvey> survey = Survey(*url, nullptr);
  if (!survey.ok()) {
    Add(Severity::kError, endpoint, "form", "", std::string(survey.status().message()),
        "is it running, and is this its address?");
    return;
  }
  absl::StatusOr<std::vector<pki::Certificate>> chain = ChainOf(*survey);
  if (chain.ok()) {
    TakePresented(endpoint, *url, *std::move(chain));
  } else {
    Add(Severity::kError, endpoint, "form", "every client",
        fmt::format("what it presents cannot be read: {}", std::string(chain.status().message())),
        "issue it anew");
  }
  CheckDemands(endpoint, *survey);
  if (endpoint.is_peer) return;
  for (const ClientPair& client : clients) ShowPair(endpoint, *url, client);
}

const WantedPair* PairOf(const Layout& layout, const std::string& member, Role role) {
  for (const WantedPair& pair : layout.pairs) {
    if (pair.owner == member && (pair.role == role || pair.role == Role::kMember)) return &pair;
  }
  return nullptr;
}

}  // namespace

std::vector<Endpoint> EndpointsOf(const Layout& layout) {
  std::vector<Endpoint> endpoints;
  for (const Member& member : layout.members) {
    for (const bool is_peer : {false, true}) {
      const WantedPair* pair = PairOf(layout, member.name, is_peer ? Role::kPeer : Role::kServer);
      for (const std::string& url : is_peer ? member.peer_urls : member.client_urls) {
        endpoints.push_back(
            {member.name, url, is_peer, pair == nullptr ? "" : layout.CertificateFile(pair->base)});
      }
    }
  }
  return endpoints;
}

std::vector<ClientPair> ClientPairsOf(const Layout& layout) {
  std::vector<ClientPair> clients;
  for (const WantedPair& pair : layout.pairs) {
    if (pair.role != Role::kUser && pair.role != Role::kGrpcProxy) continue;
    clients.push_back({layout.CertificateFile(pair.base), layout.KeyFile(pair.base), pair.Title()});
  }
  return clients;
}

void ExamineRunning(const std::vector<Endpoint>& endpoints, const std::vector<ClientPair>& clients,
                    absl::Duration timeout, Assembled& assembled) {
  Examination examination(timeout, assembled);
  for (const Endpoint& endpoint : endpoints) examination.Examine(endpoint, clients);
}

}  // namespace calico::calicert::etcd
