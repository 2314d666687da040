#include "operator/calicert/cluster/cluster_flags.h"

#include <utility>

#include <absl/strings/numbers.h>
#include <fmt/format.h>

namespace calico::calicert {
namespace {

struct Unsupported {
  const char* name;
  const char* instead;
};
constexpr Unsupported kUnsupported[] = {
    {"username", "write username and password into a kubeconfig, where nobody sees them go by"},
    {"password", "write username and password into a kubeconfig, where nobody sees them go by"},
    {"match-server-version", "every version of certificates.k8s.io/v1 is the same here"},
    {"cache-dir", "nothing is cached"},
    {"disable-compression", "answers are never compressed"},
};

void AddWho(config::Flags& flags, ClusterFlags* target) {
  kube::KubeconfigOverrides& overrides = target->overrides;
  flags.Text(
      {.name = "token",
       .value = "TOKEN",
       .help = "bearer token; others see it in the list of processes, a kubeconfig is better"},
      &target->token);
  flags.Text({.name = "client-certificate", .value = "FILE", .help = "client certificate for TLS"},
             &overrides.client_certificate_file);
  flags.Text({.name = "client-key", .value = "FILE", .help = "its key"},
             &overrides.client_key_file);
  flags.Text({.name = "as", .value = "USER", .help = "user to impersonate"}, &overrides.as);
  flags.Text({.name = "as-uid", .value = "UID", .help = "UID to impersonate"}, &overrides.as_uid);
  flags.List({.name = "as-group", .value = "GROUP", .help = "group to impersonate; repeatable"},
             &overrides.as_groups);
}

void AddWhere(config::Flags& flags, ClusterFlags* target) {
  kube::KubeconfigOverrides& overrides = target->overrides;
  flags.Text({.name = "kubeconfig",
              .value = "FILE",
              .help = "absent: KUBECONFIG, ~/.kube/config, or the pod's service account"},
             &target->load.kubeconfig);
  flags.Text({.name = "context", .value = "NAME", .help = "the kubeconfig context to use"},
             &target->load.context);
  flags.Text({.name = "cluster", .value = "NAME", .help = "the kubeconfig cluster to use"},
             &overrides.cluster);
  flags.Text({.name = "server", .value = "URL", .help = "address of the API server", .letter = 's'},
             &overrides.server);
  flags.Text({.name = "certificate-authority",
              .value = "FILE",
              .help = "CA of the API server's certificate"},
             &overrides.ca_file);
  flags.Text({.name = "tls-server-name",
              .value = "NAME",
              .help = "name that the API server's certificate must have"},
             &overrides.tls_server_name);
  flags.Switch(
      {.name = "insecure-skip-tls-verify", .help = "do not verify the API server's certificate"},
      &overrides.insecure_skip_tls_verify);
  flags.Text({.name = "request-timeout",
              .value = "PERIOD",
              .help = "of one request, such as 30s or 2m; 0: without end"},
             &target->timeout_text);
}

void ReadTyped(ClusterFlags& target, std::vector<std::string>& problems) {
  for (const Unsupported& flag : kUnsupported) {
    if (!target.unsupported[flag.name].empty()) {
      problems.push_back(fmt::format("--{} is not supported: {}", flag.name, flag.instead));
    }
  }
  target.overrides.token = base::SharedSecret::Take(std::exchange(target.token, ""));
  if (target.timeout_text.empty()) return;
  const absl::StatusOr<absl::Duration> timeout = ParseRequestTimeout(target.timeout_text);
  if (timeout.ok()) {
    target.request_timeout = *timeout;
  } else {
    problems.push_back(
        fmt::format("--request-timeout: {}", std::string(timeout.status().message())));
  }
}

}  // namespace

absl::StatusOr<absl::Duration> ParseRequestTimeout(std::string_view text) {
  int seconds = 0;
  absl::Duration period;
  const absl::string_view view(text.data(), text.size());
  if (absl::SimpleAtoi(view, &seconds)) {
    period = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(view, &period)) {
    return absl::InvalidArgumentError(
        fmt::format("{:?} is no period: write one such as 30s, 2m or 0", text));
  }
  if (period < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(fmt::format("{:?} is negative", text));
  }
  return period == absl::ZeroDuration() ? absl::Hours(24) : period;
}

void AddClusterFlags(config::Flags& flags, ClusterFlags* target, UserFlag user) {
  flags.Text({.name = "namespace",
              .value = "NAME",
              .help = "namespace; absent: the context's",
              .letter = 'n'},
             &target->overrides.ns);
  AddWhere(flags, target);
  if (user == UserFlag::kAdd) {
    flags.Text({.name = "user", .value = "NAME", .help = "the kubeconfig user to use"},
               &target->overrides.user);
  }
  AddWho(flags, target);
  for (const Unsupported& flag : kUnsupported) {
    flags.Text({.name = flag.name, .value = "VALUE", .help = "not supported"},
               &target->unsupported[flag.name]);
  }
  flags.Check([target](std::vector<std::string>& problems) { ReadTyped(*target, problems); });
}

}  // namespace calico::calicert
