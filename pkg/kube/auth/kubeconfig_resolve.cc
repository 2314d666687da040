// Validation: every problem of the chosen context, its cluster and its user, in one error.

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/api/meta/names.h"
#include "pkg/kube/auth/kubeconfig.h"
#include "pkg/net/address.h"
#include "pkg/net/url.h"

namespace calico::kube {
namespace {

constexpr size_t kMaxNamesInMessage = 8;

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

class Problems {
 public:
  void Add(std::string problem) { problems_.push_back(std::move(problem)); }
  // Notes a NUL in what the operating system would take for a shorter text.
  void CheckText(std::string_view text, const std::string& what) {
    if (text.find('\0') != std::string_view::npos) Add(what + ": it holds a NUL character");
  }
  // Notes that `path` cannot be read.
  void CheckFile(const std::string& path, const std::string& what,
                 const base::FileReader& read_file) {
    if (path.empty()) return;
    if (path.find('\0') != std::string::npos) return CheckText(path, what);
    const absl::Status status = read_file(path).status();
    if (!status.ok()) {
      Add(fmt::format("{}: {}", what, std::string(status.message())));
    }
  }
  absl::Status status() const {
    if (problems_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("invalid configuration: " + absl::StrJoin(problems_, "; "));
  }

 private:
  std::vector<std::string> problems_;
};

// Notes what is wrong with `text` as a URL of one of `schemes`. Its password never shows.
void CheckUrl(const std::string& what, const std::string& text,
              std::initializer_list<std::string_view> schemes, Problems& problems) {
  const absl::StatusOr<net::Url> url = net::ParseUrl(text);
  if (!url.ok()) {
    problems.Add(fmt::format("{}: {}", what, std::string(url.status().message())));
  } else if (std::find(schemes.begin(), schemes.end(), url->scheme) == schemes.end()) {
    problems.Add(fmt::format("{}: the scheme must be one of {}", what, fmt::join(schemes, ", ")));
  }
}

// The lengths that SOCKS5 has room for (RFC 1929).
bool FitsLogin(const std::string& text) {
  constexpr size_t kMost = 255;
  const absl::StatusOr<net::Url> url = net::ParseUrl(text);
  return !url.ok() || !url->scheme.starts_with("socks5") ||
         (url->user.size() <= kMost && url->password.size() <= kMost);
}

// The origin shows in logs, and basic authentication has fields of its own.
bool HasUser(const std::string& text) {
  const absl::StatusOr<net::Url> url = net::ParseUrl(text);
  return url.ok() && !url->user.empty();
}

template <class Map>
std::string NamesOf(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : map) {
    if (names.size() == kMaxNamesInMessage) {
      names.push_back("...");
      break;
    }
    names.push_back(name);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

void CheckCluster(const std::string& name, const KubeconfigCluster& cluster,
                  const base::FileReader& read_file, Problems& problems) {
  const std::string what = fmt::format("cluster {:?} in {}", name, cluster.file);
  if (cluster.server.empty()) {
    problems.Add(what + ": no server");
  } else {
    CheckUrl(what + ": server", cluster.server, {"https", "http"}, problems);
    if (HasUser(cluster.server)) problems.Add(what + ": server with a user name in it");
  }
  if (!cluster.ca_file.empty() && !cluster.ca_data.empty()) {
    problems.Add(what + ": certificate-authority and certificate-authority-data are both set");
  } else {
    problems.CheckFile(cluster.ca_file, what + ": certificate-authority", read_file);
  }
  if (cluster.insecure_skip_tls_verify && (!cluster.ca_file.empty() || !cluster.ca_data.empty())) {
    problems.Add(what + ": insecure-skip-tls-verify together with a certificate authority");
  }
  if (!cluster.proxy_url.empty()) {
    CheckUrl(what + ": proxy-url", cluster.proxy_url, {"http", "https", "socks5"}, problems);
    if (!FitsLogin(cluster.proxy_url)) {
      problems.Add(what + ": proxy-url: user or password is longer than 255 bytes");
    }
  }
  if (!cluster.tls_server_name.empty() && !net::IsServerName(cluster.tls_server_name)) {
    problems.Add(what + ": tls-server-name: expected a DNS name or an IP address");
  }
}

void CheckClientCertificate(const std::string& what, const KubeconfigUser& user,
                            const base::FileReader& read_file, Problems& problems) {
  const bool has_certificate =
      !user.client_certificate_file.empty() || !user.client_certificate_data.empty();
  if (!user.client_certificate_file.empty() && !user.client_certificate_data.empty()) {
    problems.Add(what + ": client-certificate and client-certificate-data are both set");
  }
  if (!user.client_key_file.empty() && !user.client_key_data.empty()) {
    problems.Add(what + ": client-key and client-key-data are both set");
  }
  if (!has_certificate) return;
  if (user.client_key_file.empty() && user.client_key_data.empty()) {
    problems.Add(what + ": a client certificate without client-key or client-key-data");
  }
  problems.CheckFile(user.client_certificate_file, what + ": client-certificate", read_file);
  problems.CheckFile(user.client_key_file, what + ": client-key", read_file);
}

void CheckExec(const std::string& what, const KubeconfigExec& exec, Problems& problems) {
  if (exec.command.empty()) problems.Add(what + ": exec without command");
  problems.CheckText(exec.command, what + ": exec command");
  for (const std::string& argument : exec.args) problems.CheckText(argument, what + ": exec args");
  if (exec.api_version.empty()) {
    problems.Add(what + ": exec without apiVersion");
  } else if (exec.api_version != "client.authentication.k8s.io/v1" &&
             exec.api_version != "client.authentication.k8s.io/v1beta1") {
    problems.Add(what + ": exec apiVersion must be client.authentication.k8s.io/v1 or /v1beta1");
  } else if (exec.api_version == "client.authentication.k8s.io/v1" &&
             exec.interactive == KubeconfigExec::Interactive::kUnset) {
    problems.Add(what + ": exec without interactiveMode, which apiVersion v1 demands");
  }
  for (const auto& [name, value] : exec.env) {
    if (name.empty() || name.find('=') != std::string::npos) {
      problems.Add(what + ": exec env entry without a proper name");
    }
    problems.CheckText(name, what + ": exec env");
    problems.CheckText(value, what + ": exec env");
  }
}

void CheckImpersonation(const std::string& what, const KubeconfigUser& user, Problems& problems) {
  if (user.as.empty() &&
      (!user.as_uid.empty() || !user.as_groups.empty() || !user.as_user_extra.empty())) {
    problems.Add(what + ": as-uid, as-groups or as-user-extra without as");
  }
  bool printable = IsPrintable(user.as) && IsPrintable(user.as_uid);
  for (const std::string& group : user.as_groups) printable &= IsPrintable(group);
  for (const auto& [key, values] : user.as_user_extra) {
    for (const std::string& value : values) printable &= IsPrintable(value);
  }
  // They travel as HTTP headers.
  if (!printable) problems.Add(what + ": as fields may hold printable ASCII only");
}

void CheckUser(const std::string& name, const KubeconfigUser& user,
               const base::FileReader& read_file, Problems& problems) {
  const std::string what = fmt::format("user {:?} in {}", name, user.file);
  const bool has_token = !user.token.empty() || !user.token_file.empty();
  const bool has_basic = !user.username.empty() || !user.password.empty();
  if (has_token && has_basic) problems.Add(what + ": token together with username and password");
  CheckClientCertificate(what, user, read_file, problems);
  problems.CheckFile(user.token_file, what + ": tokenFile", read_file);
  if (!user.auth_provider.empty()) {
    problems.Add(user.exec ? what + ": exec together with auth-provider"
                           : fmt::format("{}: auth-provider {:?} is not supported, use exec", what,
                                         user.auth_provider));
  }
  if (user.exec) CheckExec(what, *user.exec, problems);
  CheckImpersonation(what, user, problems);
}

// The context by name, or nullptr with the problem noted.
const KubeconfigContext* FindContext(const Kubeconfig& config, const std::string& name,
                                     Problems& problems) {
  if (name.empty()) {
    problems.Add("current-context is not set (contexts: " + NamesOf(config.contexts) + ")");
    return nullptr;
  }
  const auto found = config.contexts.find(name);
  if (found != config.contexts.end()) return &found->second;
  problems.Add(fmt::format("context was not found for specified context: {} (contexts: {})", name,
                           NamesOf(config.contexts)));
  return nullptr;
}

// The entry that context `what` names as its cluster or user, or nullptr with the problem noted.
template <class Entry>
const Entry* FindEntry(const std::map<std::string, Entry>& entries, const std::string& name,
                       std::string_view role, const std::string& what, Problems& problems) {
  if (name.empty()) {
    problems.Add(fmt::format("{}: {} was not specified", what, role));
    return nullptr;
  }
  const auto found = entries.find(name);
  if (found != entries.end()) return &found->second;
  problems.Add(
      fmt::format("{}: {} {:?} was not found ({}s: {})", what, role, name, role, NamesOf(entries)));
  return nullptr;
}

}  // namespace

absl::StatusOr<ResolvedKubeconfig> ResolveKubeconfig(const Kubeconfig& config,
                                                     const std::string& context,
                                                     const base::FileReader& read_file) {
  Problems problems;
  ResolvedKubeconfig resolved{.context = context.empty() ? config.current_context : context};
  const KubeconfigContext* chosen = FindContext(config, resolved.context, problems);
  if (chosen == nullptr) return problems.status();
  const std::string what = fmt::format("context {:?} in {}", resolved.context, chosen->file);
  if (!chosen->ns.empty() && !api::IsDnsLabel(chosen->ns)) {
    problems.Add(what + ": namespace is no DNS label");
  }
  resolved.ns = chosen->ns.empty() ? "default" : chosen->ns;
  if (const auto* cluster =
          FindEntry(config.clusters, chosen->cluster, "cluster", what, problems)) {
    CheckCluster(chosen->cluster, *cluster, read_file, problems);
    resolved.cluster = *cluster;
  }
  if (const auto* user = FindEntry(config.users, chosen->user, "user", what, problems)) {
    CheckUser(chosen->user, *user, read_file, problems);
    resolved.user = *user;
  }
  if (absl::Status status = problems.status(); !status.ok()) return status;
  return resolved;
}

}  // namespace calico::kube
