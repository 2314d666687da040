#include "pkg/kube/auth/kubeconfig.h"

#include <absl/status/status.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/auth/wiping_memory.h"

namespace calico::kube {
namespace {

using codec::ObjectReader;

constexpr std::string_view kExecExtension = "client.authentication.k8s.io/exec";
// A path of this many entries is a mistake or an attack, not a configuration.
constexpr codec::YamlLimits kLimits{
    .max_bytes = base::kMaxFileBytes, .max_depth = 32, .max_nodes = 50'000};

// `path`, put after `folder` when it is relative.
std::string ResolvePath(std::string_view folder, std::string_view path) {
  if (path.empty() || path.starts_with('/')) return std::string(path);
  return fmt::format("{}/{}", folder, path);
}

// The part before the last slash; `.` when there is none.
std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

KubeconfigCluster ReadCluster(const ObjectReader& reader, const std::string& file) {
  KubeconfigCluster cluster{.file = file,
                            .server = reader.String("server"),
                            .tls_server_name = reader.String("tls-server-name"),
                            .ca_data = reader.Bytes("certificate-authority-data"),
                            .proxy_url = reader.String("proxy-url"),
                            .insecure_skip_tls_verify = reader.Bool("insecure-skip-tls-verify")};
  cluster.ca_file = ResolvePath(FolderOf(file), reader.String("certificate-authority"));
  reader.ForEach("extensions", [&](const ObjectReader& extension) {
    if (extension.StringView("name") != kExecExtension) return;
    if (const json::value* value = extension.Find("extension")) cluster.exec_config = *value;
  });
  return cluster;
}

KubeconfigExec::Interactive ReadInteractive(const ObjectReader& reader) {
  constexpr std::string_view kModes[] = {"Never", "IfAvailable", "Always"};
  const std::string_view mode = reader.Enum("interactiveMode", kModes);
  if (mode == kModes[0]) return KubeconfigExec::Interactive::kNever;
  if (mode == kModes[1]) return KubeconfigExec::Interactive::kIfAvailable;
  if (mode == kModes[2]) return KubeconfigExec::Interactive::kAlways;
  return KubeconfigExec::Interactive::kUnset;
}

KubeconfigExec ReadExec(const ObjectReader& reader, const std::string& file) {
  KubeconfigExec exec{.command = reader.String("command"),
                      .args = reader.StringList("args"),
                      .api_version = reader.String("apiVersion"),
                      .install_hint = reader.String("installHint"),
                      .provide_cluster_info = reader.Bool("provideClusterInfo"),
                      .interactive = ReadInteractive(reader)};
  // A bare name is looked up in PATH, as a shell would.
  if (exec.command.find('/') != std::string::npos) {
    exec.command = ResolvePath(FolderOf(file), exec.command);
  }
  reader.ForEach("env", [&exec](const ObjectReader& entry) {
    exec.env.emplace_back(entry.String("name"), entry.String("value"));
  });
  return exec;
}

KubeconfigUser ReadUser(const ObjectReader& reader, const std::string& file) {
  const std::string folder = FolderOf(file);
  KubeconfigUser user{
      .file = file,
      .client_certificate_file = ResolvePath(folder, reader.String("client-certificate")),
      .client_certificate_data = reader.Bytes("client-certificate-data"),
      .client_key_file = ResolvePath(folder, reader.String("client-key")),
      .client_key_data = base::SharedSecret::Take(reader.Bytes("client-key-data")),
      .token = base::SharedSecret(reader.StringView("token")),
      .token_file = ResolvePath(folder, reader.String("tokenFile")),
      .username = reader.String("username"),
      .password = base::SharedSecret(reader.StringView("password")),
      .as = reader.String("as"),
      .as_uid = reader.String("as-uid"),
      .as_groups = reader.StringList("as-groups")};
  const ObjectReader extra = reader.Object("as-user-extra");
  if (extra.exists()) {
    for (const auto& [key, value] : extra.object()) {
      const std::string_view name(key.data(), key.size());
      user.as_user_extra.emplace(name, extra.StringList(name));
    }
  }
  const ObjectReader provider = reader.Object("auth-provider");
  if (provider.exists()) user.auth_provider = provider.String("name");
  const ObjectReader exec = reader.Object("exec");
  if (exec.exists()) user.exec = ReadExec(exec, file);
  return user;
}

// Reads the list `field` of {name, <entry>: {...}} into `out`.
template <class Entry, class ReadEntry>
void ReadNamed(const ObjectReader& root, std::string_view field, std::string_view entry,
               std::map<std::string, Entry>& out, ReadEntry read) {
  root.ForEach(field, [&](const ObjectReader& item) {
    std::string name = item.RequiredString("name");
    if (name.empty()) return;
    const auto [position, is_new] = out.try_emplace(name, read(item.Object(entry)));
    if (!is_new) item.Fail("name", fmt::format("{:?} is given twice", name));
  });
}

absl::StatusOr<Kubeconfig> Decode(const json::object& object, const std::string& file) {
  codec::Decoder decoder("kubeconfig");
  const ObjectReader root = decoder.Read(object);
  Kubeconfig config{.current_context = root.String("current-context")};
  constexpr std::string_view kKinds[] = {"Config"};
  constexpr std::string_view kVersions[] = {"v1"};
  root.Enum("kind", kKinds);
  root.Enum("apiVersion", kVersions);
  ReadNamed(root, "clusters", "cluster", config.clusters,
            [&file](const ObjectReader& reader) { return ReadCluster(reader, file); });
  ReadNamed(root, "users", "user", config.users,
            [&file](const ObjectReader& reader) { return ReadUser(reader, file); });
  ReadNamed(root, "contexts", "context", config.contexts, [&file](const ObjectReader& reader) {
    return KubeconfigContext{.file = file,
                             .cluster = reader.String("cluster"),
                             .user = reader.String("user"),
                             .ns = reader.String("namespace")};
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return config;
}

}  // namespace

absl::StatusOr<Kubeconfig> ParseKubeconfig(std::string_view text, const std::string& file) {
  const std::string what = "read kubeconfig " + file;
  absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(text, kLimits);
  if (!documents.ok()) {
    // The caller's file is at fault, whichever bound it broke.
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", what, std::string(documents.status().message())));
  }
  if (documents->empty()) return Kubeconfig();
  if (documents->size() > 1) {
    return absl::InvalidArgumentError(what + ": it holds several documents");
  }
  if (!documents->front().is_object()) {
    return absl::InvalidArgumentError(what + ": expected an object");
  }
  absl::StatusOr<Kubeconfig> config = Decode(documents->front().get_object(), file);
  WipeStrings(documents->front());
  if (!config.ok()) return base::Annotate(config.status(), what);
  return config;
}

void MergeKubeconfig(Kubeconfig& into, Kubeconfig from) {
  into.clusters.merge(from.clusters);
  into.users.merge(from.users);
  into.contexts.merge(from.contexts);
  if (into.current_context.empty()) into.current_context = std::move(from.current_context);
}

}  // namespace calico::kube
