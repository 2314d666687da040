#include "pkg/kube/auth/overrides.h"

namespace calico::kube {
namespace {

// Of entries that no file has.
constexpr char kCommandLine[] = "command line";

bool ChangesCluster(const KubeconfigOverrides& overrides) {
  return !overrides.server.empty() || !overrides.tls_server_name.empty() ||
         !overrides.ca_file.empty() || overrides.insecure_skip_tls_verify;
}

bool ChangesUser(const KubeconfigOverrides& overrides) {
  return !overrides.client_certificate_file.empty() || !overrides.client_key_file.empty() ||
         !overrides.token.empty() || !overrides.as.empty() || !overrides.as_uid.empty() ||
         !overrides.as_groups.empty();
}

void ChangeCluster(const KubeconfigOverrides& overrides, KubeconfigCluster& cluster) {
  if (!overrides.server.empty()) {
    cluster.server = overrides.server;
    cluster.tls_server_name.clear();
  }
  if (!overrides.tls_server_name.empty()) cluster.tls_server_name = overrides.tls_server_name;
  if (overrides.ca_file.empty() && !overrides.insecure_skip_tls_verify) return;
  cluster.ca_data.clear();
  cluster.ca_file = overrides.ca_file;
  cluster.insecure_skip_tls_verify = overrides.insecure_skip_tls_verify;
}

void ChangeUser(const KubeconfigOverrides& overrides, KubeconfigUser& user) {
  if (!overrides.client_certificate_file.empty()) {
    user.client_certificate_data.clear();
    user.client_certificate_file = overrides.client_certificate_file;
  }
  if (!overrides.client_key_file.empty()) {
    user.client_key_data = {};
    user.client_key_file = overrides.client_key_file;
  }
  if (!overrides.token.empty()) {
    user.token = overrides.token;
    user.token_file.clear();
    user.username.clear();
    user.password = {};
    user.exec.reset();
    user.auth_provider.clear();
  }
  if (!overrides.as.empty()) {
    // Another person than the file's: nothing of that one is kept.
    user.as_uid.clear();
    user.as_groups.clear();
    user.as_user_extra.clear();
    user.as = overrides.as;
  }
  if (!overrides.as_uid.empty()) user.as_uid = overrides.as_uid;
  if (!overrides.as_groups.empty()) user.as_groups = overrides.as_groups;
}

}  // namespace

bool KubeconfigOverrides::empty() const {
  return cluster.empty() && user.empty() && ns.empty() && !ChangesCluster(*this) &&
         !ChangesUser(*this);
}

void ApplyOverrides(const KubeconfigOverrides& overrides, const std::string& context,
                    Kubeconfig& config) {
  if (overrides.empty()) return;
  std::string name = context.empty() ? config.current_context : context;
  if (name.empty() && (!overrides.server.empty() || !overrides.cluster.empty())) {
    name = kCommandLine;
    config.current_context = name;
    config.contexts[name] = {.file = kCommandLine};
  }
  const auto chosen = config.contexts.find(name);
  if (chosen == config.contexts.end()) return;
  KubeconfigContext& entry = chosen->second;
  if (!overrides.ns.empty()) entry.ns = overrides.ns;
  if (!overrides.cluster.empty()) entry.cluster = overrides.cluster;
  if (!overrides.user.empty()) entry.user = overrides.user;
  if (entry.cluster.empty() && !overrides.server.empty()) {
    entry.cluster = kCommandLine;
    config.clusters[entry.cluster] = {.file = kCommandLine};
  }
  // Nobody in particular: the server says whether that will do.
  if (entry.user.empty() && (ChangesUser(overrides) || name == kCommandLine)) {
    entry.user = kCommandLine;
    config.users[entry.user] = {.file = kCommandLine};
  }
  if (const auto found = config.clusters.find(entry.cluster); found != config.clusters.end()) {
    if (ChangesCluster(overrides)) ChangeCluster(overrides, found->second);
  }
  if (const auto found = config.users.find(entry.user); found != config.users.end()) {
    if (ChangesUser(overrides)) ChangeUser(overrides, found->second);
  }
}

}  // namespace calico::kube
