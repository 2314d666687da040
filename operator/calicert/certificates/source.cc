// Where material comes from: files, standard input, TLS servers, a cluster.
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/material.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/survey/tls_survey.h"

namespace calico::calicert {
namespace {

constexpr uint16_t kHttpsPort = 443;
constexpr std::string_view kHttps = "https";

struct Server {
  std::string host;
  uint16_t port = kHttpsPort;
};

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// "host:port", "[::1]:443"; with `port_needed` false also without the port.
std::optional<Server> ParseServer(std::string_view text, bool port_needed) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == text.npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else if (const size_t colon = text.rfind(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.find(':') != host.npos) return std::nullopt;
  }
  if (host.empty() || host.find('/') != host.npos) return std::nullopt;
  if (port.empty()) {
    return port_needed ? std::nullopt : std::make_optional(Server{.host = std::string(host)});
  }
  const std::optional<uint16_t> number = ParsePort(port);
  if (!number.has_value()) return std::nullopt;
  return Server{std::string(host), *number};
}

// The server that `name` names; an error for a URL that is not one of a TLS server.
absl::StatusOr<std::optional<Server>> ServerOf(std::string_view name) {
  const size_t scheme = name.find("://");
  if (scheme == name.npos) return ParseServer(name, true);
  if (name.substr(0, scheme) != kHttps) {
    return absl::InvalidArgumentError(
        fmt::format("{}: only https:// and HOST:PORT can be asked for certificates", name));
  }
  std::string_view rest = name.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const std::optional<Server> server = ParseServer(rest, false);
  if (!server.has_value()) {
    return absl::InvalidArgumentError(fmt::format("{}: neither https://HOST nor with :PORT", name));
  }
  return server;
}

absl::StatusOr<Material> AskServer(const std::string& name, const Server& server,
                                   const SourceOptions& options) {
  absl::StatusOr<net::TlsSurvey> survey = absl::InternalError("not asked");
  {
    aio::EventLoop loop;
    loop.Run([&]() -> aio::Task<void> {
      survey = co_await net::SurveyTls({.host = server.host,
                                        .port = server.port,
                                        .server_name = options.server_name,
                                        .timeout = options.timeout});
    }());
  }
  if (!survey.ok()) return survey.status();
  Material material{.origin = name, .form = "TLS"};
  for (const std::string& der : survey->certificates) {
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(der);
    if (!certificate.ok()) return base::Annotate(certificate.status(), name);
    material.certificates.push_back(*std::move(certificate));
  }
  return material;
}

bool Exists(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0;
}

std::string OriginOf(const std::string& name) { return name == "-" ? "standard input" : name; }

pki::PassphraseReader AskFor(Terminal& terminal, const PassphraseSource& source,
                             const std::string& what) {
  return [&terminal, source, what] { return ReadPassphrase(terminal, source, what); };
}

}  // namespace

bool IsClusterName(std::string_view name) {
  if (name == "installation") return true;
  for (const std::string_view kind : {"secret/", "configmap/", "csr/"}) {
    if (name.starts_with(kind) && name.size() > kind.size()) return true;
  }
  return false;
}

void AddSourceFlags(config::Flags& flags, const DeclareCluster& cluster, SourceOptions* target) {
  AddPassphraseFlag(flags, &target->passphrase);
  flags.Text({.name = "server-name",
              .value = "NAME",
              .help = "name to ask a TLS server for; else its host"},
             &target->server_name);
  flags.Period({.name = "timeout", .value = "TIME", .help = "how long a TLS server may take"},
               &target->timeout);
  if (cluster != nullptr) target->cluster = cluster(flags);
}

absl::StatusOr<Material> ReadSource(Terminal& terminal, const std::string& name,
                                    const SourceOptions& options, KeyReading keys) {
  const pki::PassphraseReader passphrase = AskFor(terminal, options.passphrase, OriginOf(name));
  if (name != "-" && !Exists(name)) {
    CALICO_ASSIGN_OR_RETURN(const std::optional<Server> server, ServerOf(name));
    if (server.has_value()) return AskServer(name, *server, options);
    if (options.cluster != nullptr && IsClusterName(name)) {
      CALICO_ASSIGN_OR_RETURN(const std::string bytes, options.cluster(name, terminal));
      return ParseMaterial(bytes, name, passphrase, keys);
    }
  }
  CALICO_ASSIGN_OR_RETURN(const base::SecretString bytes, ReadSecretInput(terminal, name));
  return ParseMaterial(bytes.view(), OriginOf(name), passphrase, keys);
}

absl::StatusOr<std::vector<pki::Certificate>> ReadCertificates(Terminal& terminal,
                                                               const std::string& name,
                                                               const SourceOptions& options) {
  CALICO_ASSIGN_OR_RETURN(Material material,
                          ReadSource(terminal, name, options, KeyReading::kSkip));
  if (!material.certificates.empty()) return std::move(material.certificates);
  return absl::InvalidArgumentError(
      fmt::format("{}: no certificate in it, but {}", material.origin, ContentsText(material)));
}

absl::StatusOr<pki::ParsedKey> ReadKey(Terminal& terminal, const std::string& name,
                                       const PassphraseSource& passphrase) {
  CALICO_ASSIGN_OR_RETURN(
      Material material, ReadSource(terminal, name, {.passphrase = passphrase}, KeyReading::kRead));
  if (material.keys.size() == 1) return std::move(material.keys.front());
  return absl::InvalidArgumentError(
      material.keys.empty()
          ? fmt::format("{}: no private key in it, but {}", material.origin, ContentsText(material))
          : fmt::format("{}: {} private keys in it, one is wanted", material.origin,
                        material.keys.size()));
}

}  // namespace calico::calicert
