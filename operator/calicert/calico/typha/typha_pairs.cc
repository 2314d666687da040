#include "operator/calicert/calico/typha/typha_pairs.h"

#include <fmt/format.h>

#include "operator/calicert/etcd/store.h"
#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::typha {
namespace {

// What a naming calls everything; the rest is the same.
struct Names {
  std::string_view name_space;
  std::string_view ca_base;
  std::string_view ca_object;
  std::string_view ca_key;  // in the ConfigMap
  std::string_view typha_base;
  std::string_view typha_secret;
  std::string_view typha_cn;
  std::string_view node_base;
  std::string_view node_secret;
  std::string_view node_cn;
};

constexpr Names kHardWay = {.name_space = "kube-system",
                            .ca_base = "typhaca",
                            .ca_object = "calico-typha-ca",
                            .ca_key = "typhaca.crt",
                            .typha_base = "typha",
                            .typha_secret = "calico-typha-certs",
                            .typha_cn = "calico-typha",
                            .node_base = "calico-node",
                            .node_secret = "calico-node-certs",
                            .node_cn = "calico-node"};
constexpr Names kOperator = {.name_space = "tigera-operator",
                             .ca_base = "typha-ca",
                             .ca_object = "typha-ca",
                             .ca_key = "caBundle",
                             .typha_base = "typha-certs",
                             .typha_secret = "typha-certs",
                             .typha_cn = "typha-server",
                             .node_base = "node-certs",
                             .node_secret = "node-certs",
                             .node_cn = "typha-client"};

const Names& NamesOf(Naming naming) { return naming == Naming::kHardWay ? kHardWay : kOperator; }

absl::Status CheckIdentity(const PeerIdentity& identity, std::string_view whose) {
  if (identity.common_name.size() > 64) {
    return absl::InvalidArgumentError(
        fmt::format("the common name of {} is longer than 64 characters", whose));
  }
  const size_t colon = identity.uri.find("://");
  if (!identity.uri.empty() && (colon == 0 || colon == identity.uri.npos)) {
    return absl::InvalidArgumentError(
        fmt::format("the URI of {} is {:?}: expected one with a scheme, such as "
                    "spiffe://k8s.example.com/typha-server",
                    whose, identity.uri.substr(0, 80)));
  }
  return absl::OkStatus();
}

etcd::WantedPair PairOf(etcd::Role role, std::string_view owner, std::string_view base,
                        const PeerIdentity& identity, std::string_view usage,
                        absl::Duration expiry) {
  etcd::WantedPair pair = {.role = role, .owner = std::string(owner), .base = std::string(base)};
  pair.request.subject.common_name = identity.common_name;
  if (!identity.uri.empty()) pair.request.names.uris.push_back(identity.uri);
  pair.profile.name = "default";
  pair.profile.path = "signing.default";
  pair.profile.expiry = expiry;
  for (const std::string_view each : {std::string_view("signing"), usage}) {
    pair.profile.usages.emplace_back(each);
    cfssl::AddUsage(each, pair.profile.key_usages, pair.profile.extended_key_usages);
  }
  return pair;
}

json::object Metadata(std::string_view name, std::string_view name_space) {
  return {{"name", std::string(name)}, {"namespace", std::string(name_space)}};
}

json::string Encoded(std::string_view text) { return json::string(base::Base64Encode(text)); }

absl::StatusOr<json::value> ReadSecret(const TyphaOptions& options, const etcd::Layout& layout,
                                       std::string_view base, std::string_view secret,
                                       const PeerIdentity& identity) {
  const std::string certificate_file = layout.CertificateFile(base);
  const std::string key_file = layout.KeyFile(base);
  if (!etcd::ReadFound(certificate_file, key_file).IsPair()) {
    return absl::FailedPreconditionError(
        fmt::format("Secret {}: {} and {} are no pair", secret, certificate_file, key_file));
  }
  CALICO_ASSIGN_OR_RETURN(const std::string certificate, base::ReadFile(certificate_file));
  CALICO_ASSIGN_OR_RETURN(const base::SecretString key, base::ReadSecretFile(key_file));
  const bool is_operator = options.naming == Naming::kOperator;
  json::object data;
  data[is_operator ? "tls.crt" : fmt::format("{}.crt", base)] = Encoded(certificate);
  data[is_operator ? "tls.key" : fmt::format("{}.key", base)] = Encoded(key.view());
  if (is_operator && !identity.common_name.empty()) {
    data["common-name"] = Encoded(identity.common_name);
  }
  if (is_operator && !identity.uri.empty()) data["uri-san"] = Encoded(identity.uri);
  return json::value(
      json::object{{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", Metadata(secret, NamesOf(options.naming).name_space)},
                   {"type", "Opaque"},
                   {"data", std::move(data)}});
}

void AddVariable(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) text += fmt::format("- name: {}\n  value: \"{}\"\n", name, value);
}

}  // namespace

TyphaOptions Complete(TyphaOptions options) {
  const Names& names = NamesOf(options.naming);
  if (options.typha.IsEmpty()) options.typha.common_name = std::string(names.typha_cn);
  if (options.node.IsEmpty()) options.node.common_name = std::string(names.node_cn);
  return options;
}

absl::StatusOr<etcd::Layout> TyphaLayout(const TyphaOptions& options) {
  CALICO_RETURN_IF_ERROR(CheckIdentity(options.typha, "Typha"));
  CALICO_RETURN_IF_ERROR(CheckIdentity(options.node, "calico-node"));
  const Names& names = NamesOf(options.naming);
  etcd::Layout layout;
  layout.folder = options.folder;
  layout.certificate_end = ".crt";
  layout.key_end = ".key";
  etcd::WantedCa ca = {.title = "CA", .base = std::string(names.ca_base), .request = {}};
  ca.request.subject.common_name = "Calico Typha CA";
  ca.request.ca.emplace().expiry = options.ca_expiry;
  layout.cas.push_back(std::move(ca));
  layout.pairs.push_back(PairOf(etcd::Role::kServer, "typha", names.typha_base, options.typha,
                                "server auth", options.expiry));
  layout.pairs.push_back(PairOf(etcd::Role::kUser, "calico-node", names.node_base, options.node,
                                "client auth", options.expiry));
  CALICO_RETURN_IF_ERROR(etcd::CheckFiles(layout));
  return layout;
}

absl::StatusOr<std::vector<json::value>> ReadManifests(const TyphaOptions& options,
                                                       const etcd::Layout& layout) {
  const Names& names = NamesOf(options.naming);
  CALICO_ASSIGN_OR_RETURN(const std::string ca,
                          base::ReadFile(layout.CertificateFile(names.ca_base)));
  CALICO_ASSIGN_OR_RETURN(json::value typha, ReadSecret(options, layout, names.typha_base,
                                                        names.typha_secret, options.typha));
  CALICO_ASSIGN_OR_RETURN(json::value node, ReadSecret(options, layout, names.node_base,
                                                       names.node_secret, options.node));
  json::object data;
  data[names.ca_key] = ca;
  json::object config_map = {{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", Metadata(names.ca_object, names.name_space)},
                             {"data", std::move(data)}};
  return std::vector<json::value>{std::move(config_map), std::move(typha), std::move(node)};
}

std::string EnvironmentText(const TyphaOptions& options) {
  if (options.naming == Naming::kOperator) {
    return "# The operator sets the environment from typha-ca, typha-certs and node-certs.\n";
  }
  std::string text =
      "# calico-typha: mount ConfigMap calico-typha-ca at /calico-typha-ca and Secret "
      "calico-typha-certs at /calico-typha-certs\n";
  AddVariable(text, "TYPHA_CAFILE", "/calico-typha-ca/typhaca.crt");
  AddVariable(text, "TYPHA_SERVERCERTFILE", "/calico-typha-certs/typha.crt");
  AddVariable(text, "TYPHA_SERVERKEYFILE", "/calico-typha-certs/typha.key");
  AddVariable(text, "TYPHA_CLIENTCN", options.node.common_name);
  AddVariable(text, "TYPHA_CLIENTURISAN", options.node.uri);
  text +=
      "# calico-node: mount ConfigMap calico-typha-ca at /calico-typha-ca and Secret "
      "calico-node-certs at /calico-node-certs\n";
  AddVariable(text, "FELIX_TYPHACAFILE", "/calico-typha-ca/typhaca.crt");
  AddVariable(text, "FELIX_TYPHACERTFILE", "/calico-node-certs/calico-node.crt");
  AddVariable(text, "FELIX_TYPHAKEYFILE", "/calico-node-certs/calico-node.key");
  AddVariable(text, "FELIX_TYPHACN", options.typha.common_name);
  AddVariable(text, "FELIX_TYPHAURISAN", options.typha.uri);
  return text;
}

}  // namespace calico::calicert::typha
