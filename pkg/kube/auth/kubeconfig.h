// The kubeconfig file format: text to values, and the merge of several files. Pure functions; the
// files, credentials and the choice of a context are LoadRestConfig's (rest_config.h).
//
// Secrets are wiped here when they go, but the YAML library keeps copies of its own while it reads
// and does not wipe those. A pod's credentials (a token file) never pass through it.
#ifndef CALICO_PKG_KUBE_AUTH_KUBECONFIG_H_
#define CALICO_PKG_KUBE_AUTH_KUBECONFIG_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/base/file.h"
#include "pkg/base/secret_string.h"
#include "pkg/codec/json.h"

namespace calico::kube {

// Paths of all entries are resolved against the folder of the file they come from.
struct KubeconfigCluster {
  std::string file;  // where the entry stands
  std::string server;
  std::string tls_server_name;
  std::string ca_file;
  std::string ca_data;  // PEM
  std::string proxy_url;
  bool insecure_skip_tls_verify = false;
  json::value exec_config;  // extension client.authentication.k8s.io/exec, for plug-ins
};

// `exec`: a program that prints credentials.
struct KubeconfigExec {
  enum class Interactive { kUnset, kNever, kIfAvailable, kAlways };
  std::string command;
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string api_version;
  std::string install_hint;
  bool provide_cluster_info = false;
  Interactive interactive = Interactive::kUnset;
};

struct KubeconfigUser {
  std::string file;
  std::string client_certificate_file;
  std::string client_certificate_data;  // PEM
  std::string client_key_file;
  base::SharedSecret client_key_data;  // PEM
  base::SharedSecret token;
  std::string token_file;
  std::string username;
  base::SharedSecret password;
  std::string as;
  std::string as_uid;
  std::vector<std::string> as_groups;
  std::map<std::string, std::vector<std::string>> as_user_extra;
  std::string auth_provider;  // its name; not supported, kept for the message
  std::optional<KubeconfigExec> exec;
};

struct KubeconfigContext {
  std::string file;
  std::string cluster;
  std::string user;
  std::string ns;
};

struct Kubeconfig {
  std::map<std::string, KubeconfigCluster> clusters;
  std::map<std::string, KubeconfigUser> users;
  std::map<std::string, KubeconfigContext> contexts;
  std::string current_context;

  bool empty() const {
    return clusters.empty() && users.empty() && contexts.empty() && current_context.empty();
  }
};

// Reads YAML or JSON. `file` is the path that messages name and that relative paths start from. An
// empty text is an empty configuration; unknown fields are skipped.
// Errors: kInvalidArgument with every wrong field. Values never show in messages.
absl::StatusOr<Kubeconfig> ParseKubeconfig(std::string_view text, const std::string& file);

// Adds what `from` defines to `into`. An entry that `into` has already stays as it is, whole.
void MergeKubeconfig(Kubeconfig& into, Kubeconfig from);

// One context with its cluster and user.
struct ResolvedKubeconfig {
  std::string context;
  std::string ns;
  KubeconfigCluster cluster;
  KubeconfigUser user;
};

// Picks `context` (empty: current-context) and checks everything it leads to. `read_file` is asked
// for every file named, whether it can be read. Errors: kInvalidArgument with all problems.
absl::StatusOr<ResolvedKubeconfig> ResolveKubeconfig(const Kubeconfig& config,
                                                     const std::string& context,
                                                     const base::FileReader& read_file);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_KUBECONFIG_H_
