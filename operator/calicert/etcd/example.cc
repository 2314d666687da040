// What `calicert etcd init` writes.

#include <fmt/format.h>

#include "operator/calicert/etcd/description.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/net/address.h"
#include "pkg/net/url.h"

namespace calico::calicert::etcd {
namespace {

constexpr std::string_view kHead =
    R"(# The certificates of an etcd cluster, for `calicert etcd generate`, `verify` and `show`.
# Everything but members has a default; what is written here beside them are the defaults or examples.

# Where the files go, from this file's folder: ca.pem, server-NAME.pem, peer-NAME.pem, user-NAME.pem,
# each with its -key.pem.
directory: certs

# Of every key: ecdsa 256, 384, 521; rsa 2048 to 8192; ed25519.
key: {algorithm: ecdsa, size: 256}

# Of every certificate beside its common name. The user of a certificate is its common name alone.
# subject: {organization: Example, organizationalUnit: etcd cluster}

# How long certificates last, in hours. `generate` renews what ends soon.
expiry: 8760h
ca: {commonName: etcd CA, expiry: 87600h}

# A CA of its own for what members show each other, so that no client certificate opens the peer port.
# peerCA: {commonName: etcd peer CA, expiry: 87600h}

# The common name that members demand of each other (--peer-cert-allowed-cn).
# peerCertAllowedCN: etcd-peer

# Hosts of client URLs (--advertise-client-urls) go into the server certificate, hosts of peer URLs
# (--initial-advertise-peer-urls) into the peer certificate. etcd also compares the address that a
# connection between members comes from: name it under peerSources where it is another one.
members:
)";

constexpr std::string_view kTail = R"(
# An etcd user is a certificate whose common name is the user's name. Grants are what
# `calicert etcd users` prints as etcdctl commands; etcd needs a user root before `auth enable`.
users:
- name: root
- name: kube-apiserver
  grants:
  - {prefix: /registry/, permission: readwrite}
  - {key: compact_rev_key, permission: readwrite}
- name: calico
  grants:
  - {prefix: /calico/, permission: readwrite}

# Secrets with the keys etcd-ca, etcd-cert and etcd-key, as Calico's manifests mount them:
# `calicert etcd secrets | kubectl apply -f -`.
secrets:
- {name: calico-etcd-secrets, namespace: kube-system, user: calico}

# What a proxy shows to its clients.
# proxies:
# - name: proxy1
#   hosts: [localhost, 127.0.0.1]

# A client certificate without a common name, which is the only kind that `etcd grpc-proxy` takes.
# grpcProxy: true
)";

// As YAML reads it back: a name such as `1` or `yes` is one only in quotes.
std::string YamlText(const std::string& name) {
  const absl::StatusOr<json::value> plain = codec::ParseYaml(name);
  const bool is_itself = plain.ok() && plain->is_string() && plain->get_string() == name;
  return is_itself ? name : codec::Serialize(json::value(name));
}

}  // namespace

absl::StatusOr<std::string> ExampleDescription(const std::vector<std::string>& members) {
  std::string text(kHead);
  for (const std::string& member : members) {
    const size_t equals = member.find('=');
    const std::string name = member.substr(0, equals);
    const std::string host = equals == member.npos ? "" : member.substr(equals + 1);
    if (name.empty() || !net::IsServerName(host)) {
      return absl::InvalidArgumentError(
          fmt::format("member {:?}: expected NAME=HOST, such as etcd-1=10.0.0.11", member));
    }
    text +=
        fmt::format("- name: {}\n  clientURLs: [\"https://{}\"]\n  peerURLs: [\"https://{}\"]\n",
                    YamlText(name), net::JoinHostPort(host, 2379), net::JoinHostPort(host, 2380));
  }
  text += kTail;
  // What `generate` would refuse is refused here.
  CALICO_RETURN_IF_ERROR(ParseDescription(text).status());
  return text;
}

}  // namespace calico::calicert::etcd
