#include "pkg/kube/auth/rest_config.h"

#include <cstdlib>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "pkg/api/meta/names.h"
#include "pkg/base/file.h"
#include "pkg/base/ip_address.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/auth/credentials.h"
#include "pkg/kube/auth/kubeconfig.h"
#include "pkg/kube/auth/overrides.h"
#include "pkg/net/proxy.h"
#include "pkg/net/url.h"

namespace calico::kube {
namespace {

constexpr std::string_view kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

// Reads `path` into `config`. Errors: as ReadSecretFile and ParseKubeconfig.
absl::Status ReadInto(const std::string& path, Kubeconfig& config) {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString text, base::ReadSecretFile(path));
  CALICO_ASSIGN_OR_RETURN(Kubeconfig parsed, ParseKubeconfig(text.view(), path));
  MergeKubeconfig(config, std::move(parsed));
  return absl::OkStatus();
}

// The files of KUBECONFIG in order, without empty and repeated entries.
std::vector<std::string> SplitList(const std::string& list) {
  std::vector<std::string> paths;
  std::set<std::string> seen;
  for (absl::string_view part : absl::StrSplit(list, ':', absl::SkipEmpty())) {
    std::string path(part);
    if (seen.insert(path).second) paths.push_back(std::move(path));
  }
  return paths;
}

absl::StatusOr<Kubeconfig> ReadKubeconfigList(const std::string& list, const base::Logger& logger) {
  Kubeconfig config;
  int found = 0;
  for (const std::string& path : SplitList(list)) {
    const absl::Status status = ReadInto(path, config);
    if (absl::IsNotFound(status)) continue;
    CALICO_RETURN_IF_ERROR(status);
    ++found;
  }
  if (found == 0) logger.Warning("no file of KUBECONFIG exists", {{"KUBECONFIG", list}});
  return config;
}

// The configuration that the rules of LoadOptions lead to; empty when there is none.
absl::StatusOr<Kubeconfig> ReadKubeconfig(const LoadOptions& options,
                                          const Environment& environment,
                                          const base::Logger& logger) {
  Kubeconfig config;
  if (!options.kubeconfig.empty()) {
    CALICO_RETURN_IF_ERROR(ReadInto(options.kubeconfig, config));
    if (config.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("invalid configuration: {} is empty", options.kubeconfig));
    }
    return config;
  }
  if (const std::string list = environment("KUBECONFIG"); !list.empty()) {
    return ReadKubeconfigList(list, logger);
  }
  const std::string home = environment("HOME");
  if (home.empty()) return config;
  const absl::Status status = ReadInto(home + "/.kube/config", config);
  if (!absl::IsNotFound(status)) CALICO_RETURN_IF_ERROR(status);
  return config;
}

http::Headers ImpersonationHeaders(const KubeconfigUser& user) {
  http::Headers headers;
  if (user.as.empty()) return headers;
  headers.emplace_back("Impersonate-User", user.as);
  if (!user.as_uid.empty()) headers.emplace_back("Impersonate-Uid", user.as_uid);
  for (const std::string& group : user.as_groups) headers.emplace_back("Impersonate-Group", group);
  for (const auto& [key, values] : user.as_user_extra) {
    const std::string name = "Impersonate-Extra-" + http::PercentEncode(key);
    for (const std::string& value : values) headers.emplace_back(name, value);
  }
  return headers;
}

CredentialSources SourcesOf(const ResolvedKubeconfig& resolved, const Environment& environment) {
  const KubeconfigCluster& cluster = resolved.cluster;
  const KubeconfigUser& user = resolved.user;
  CredentialSources sources{.ca_file = cluster.ca_file,
                            .ca_data = cluster.ca_data,
                            .client_certificate_file = user.client_certificate_file,
                            .client_certificate_data = user.client_certificate_data,
                            .client_key_file = user.client_key_file,
                            .client_key_data = user.client_key_data,
                            .tls_server_name = cluster.tls_server_name,
                            .insecure_skip_tls_verify = cluster.insecure_skip_tls_verify,
                            .token = user.token,
                            .token_file = user.token_file,
                            .username = user.username,
                            .password = user.password};
  if (user.exec) {
    sources.exec = MakeExecRunner(*user.exec, cluster, environment("PATH"), base::ReadSecretFile);
  }
  return sources;
}

std::string TrimSlashes(std::string_view origin) {
  while (origin.ends_with('/')) origin.remove_suffix(1);
  return std::string(origin);
}

// The proxy that the environment names for `origin`; empty: none. Its password never shows.
absl::StatusOr<std::string> EnvironmentProxy(const std::string& origin,
                                             const Environment& environment) {
  std::string proxy = net::ProxyForUrl(origin, environment);
  if (proxy.empty()) return proxy;
  const absl::Status parsed = net::ParseUrl(proxy).status();
  if (parsed.ok()) return proxy;
  return absl::InvalidArgumentError(
      fmt::format("proxy of the environment (HTTPS_PROXY): {}", std::string(parsed.message())));
}

absl::StatusOr<RestConfig> FromKubeconfig(const ResolvedKubeconfig& resolved,
                                          const Environment& environment, const base::Clock& clock,
                                          const base::Logger& logger) {
  RestConfig config{.origin = TrimSlashes(resolved.cluster.server),
                    .proxy = resolved.cluster.proxy_url,
                    .ns = resolved.ns,
                    .headers = ImpersonationHeaders(resolved.user)};
  if (config.proxy.empty()) {
    CALICO_ASSIGN_OR_RETURN(config.proxy, EnvironmentProxy(config.origin, environment));
  }
  CredentialSources sources = SourcesOf(resolved, environment);
  if (!absl::StartsWithIgnoreCase(config.origin, "https:")) {
    logger.Warning("the API server is reached without TLS, so no credentials are sent to it",
                   {{"server", config.origin}});
    sources = {};
  } else if (sources.insecure_skip_tls_verify) {
    logger.Warning("the API server's certificate is not verified, as the kubeconfig says",
                   {{"server", config.origin}, {"context", resolved.context}});
  }
  config.credentials = MakeCredentials(std::move(sources), base::ReadSecretFile, clock, logger);
  return config;
}

std::string InClusterNamespace(const Environment& environment, const std::string& folder) {
  if (std::string ns = environment("POD_NAMESPACE"); !ns.empty()) return ns;
  const absl::StatusOr<std::string> content = base::ReadFile(folder + "/namespace");
  if (!content.ok()) return "default";
  std::string ns(absl::StripAsciiWhitespace(*content));
  return ns.empty() ? "default" : ns;
}

// People write URLs and `host:port` into what is a host and a port.
absl::StatusOr<std::string> InClusterOrigin(const Environment& environment) {
  std::vector<std::string> problems;
  std::string host(absl::StripAsciiWhitespace(environment("KUBERNETES_SERVICE_HOST")));
  std::string_view bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(bare);
  if (address.ok()) {
    host = bare.find(':') == std::string_view::npos ? std::string(bare) : fmt::format("[{}]", bare);
  } else if (!api::IsDnsSubdomain(absl::AsciiStrToLower(host))) {
    problems.push_back(
        fmt::format("KUBERNETES_SERVICE_HOST {:?} is no host: write an IP address or a DNS name, "
                    "without scheme "
                    "and port",
                    host));
  }
  const std::string text(absl::StripAsciiWhitespace(environment("KUBERNETES_SERVICE_PORT")));
  int port = 0;
  if (!absl::SimpleAtoi(text, &port) || port < 1 || port > 65535) {
    problems.push_back(fmt::format(
        "KUBERNETES_SERVICE_PORT {:?} is no port: write a number from 1 to 65535", text));
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return fmt::format("https://{}:{}", host, port);
}

void OverrideInCluster(const KubeconfigOverrides& overrides, RestConfig& config) {
  if (!overrides.ns.empty()) config.ns = overrides.ns;
  KubeconfigUser user;
  user.as = overrides.as;
  user.as_uid = overrides.as_uid;
  user.as_groups = overrides.as_groups;
  config.headers = ImpersonationHeaders(user);
}

bool HasInClusterEnvironment(const Environment& environment) {
  return !environment("KUBERNETES_SERVICE_HOST").empty() &&
         !environment("KUBERNETES_SERVICE_PORT").empty();
}

}  // namespace

aio::Task<absl::Status> Credentials::Prepare(absl::Duration) { co_return absl::OkStatus(); }

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::string {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? "" : value;
  };
}

absl::StatusOr<RestConfig> LoadRestConfig(const LoadOptions& options,
                                          const Environment& environment, const base::Clock& clock,
                                          const base::Logger& logger) {
  return LoadRestConfig(options, {}, environment, clock, logger);
}

absl::StatusOr<RestConfig> LoadRestConfig(const LoadOptions& options,
                                          const KubeconfigOverrides& overrides,
                                          const Environment& environment, const base::Clock& clock,
                                          const base::Logger& logger) {
  absl::StatusOr<Kubeconfig> kubeconfig = ReadKubeconfig(options, environment, logger);
  if (absl::IsNotFound(kubeconfig.status())) {
    // An explicit file that is missing is the caller's mistake, not an absent configuration.
    return absl::InvalidArgumentError(std::string(kubeconfig.status().message()));
  }
  if (!kubeconfig.ok()) return kubeconfig.status();
  if (overrides.as.empty() && (!overrides.as_uid.empty() || !overrides.as_groups.empty())) {
    return absl::InvalidArgumentError("a user ID or groups to act as, without a user to act as");
  }
  if (kubeconfig->empty() && overrides.server.empty()) {
    if (HasInClusterEnvironment(environment)) {
      absl::StatusOr<RestConfig> config = InClusterConfig(environment, clock, logger);
      if (config.ok()) OverrideInCluster(overrides, *config);
      return config;
    }
    return absl::NotFoundError(
        "no configuration: set --kubeconfig or KUBECONFIG, write ~/.kube/config, or run in a pod");
  }
  ApplyOverrides(overrides, options.context, *kubeconfig);
  CALICO_ASSIGN_OR_RETURN(const ResolvedKubeconfig resolved,
                          ResolveKubeconfig(*kubeconfig, options.context, base::ReadSecretFile));
  return FromKubeconfig(resolved, environment, clock, logger);
}

absl::StatusOr<RestConfig> InClusterConfig(const Environment& environment, const base::Clock& clock,
                                           const base::Logger& logger, const std::string& root) {
  if (!HasInClusterEnvironment(environment)) {
    return absl::NotFoundError(
        "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
        "KUBERNETES_SERVICE_PORT must be defined");
  }
  CALICO_ASSIGN_OR_RETURN(std::string origin, InClusterOrigin(environment));
  const std::string folder = fmt::format("{}{}", root, kServiceAccountFolder);
  CredentialSources sources{.ca_file = folder + "/ca.crt", .token_file = folder + "/token"};
  const absl::Status token = base::ReadSecretFile(sources.token_file).status();
  if (!token.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("load in-cluster configuration: {}", std::string(token.message())));
  }
  RestConfig config{.origin = std::move(origin), .ns = InClusterNamespace(environment, folder)};
  CALICO_ASSIGN_OR_RETURN(config.proxy, EnvironmentProxy(config.origin, environment));
  config.credentials = MakeCredentials(std::move(sources), base::ReadSecretFile, clock, logger);
  return config;
}

}  // namespace calico::kube
