// What certificates an etcd cluster shall have, and in which files: made from calicert's own file
// (description.h) or from a folder of etcd's hack/tls-setup (tls_setup.h).
#ifndef CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_H_
#define CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

#include "operator/calicert/cfssl/request_json.h"
#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/base/ip_address.h"

namespace calico::calicert::etcd {

struct WantedCa {
  std::string title;  // "CA", "CA of peers", for messages
  std::string base;   // "ca": ca.pem, ca-key.pem, ca.csr
  cfssl::Request request;
};

enum class Role {
  kServer,     // shown to clients
  kPeer,       // shown between members, on both sides
  kMember,     // one pair for both, as hack/tls-setup's classic generation has it
  kUser,       // a client; its common name is the etcd user
  kProxy,      // shown by a proxy to its clients
  kGrpcProxy,  // shown by `etcd grpc-proxy` to etcd; has no common name
};
// "server", "peer", "member", "user", "proxy", "grpc-proxy".
std::string_view ToString(Role role);

struct WantedPair {
  Role role = Role::kServer;
  std::string owner;  // name of the member, user or proxy
  std::string base;   // files BASE.pem, BASE-key.pem, BASE.csr
  size_t ca = 0;      // index of Layout::cas
  cfssl::Request request;
  cfssl::Profile profile;

  // "server of etcd-1", "user alice".
  std::string Title() const;
  // Puts an address or name to the others, once.
  void AddHost(std::string_view host);
};

struct Member {
  std::string name;
  std::vector<std::string> client_urls;
  std::vector<std::string> peer_urls;
  std::vector<base::IpAddress> sources;  // where it dials other members from, when known
};

// What an etcd role allows: `etcdctl role grant-permission ROLE [--prefix] PERMISSION KEY`.
struct Grant {
  std::string permission;  // read, write, readwrite
  std::string key;
  bool prefix = true;
};

struct User {
  std::string name;
  std::vector<Grant> grants;
};

// A Secret with the keys etcd-ca, etcd-cert and etcd-key, as Calico's manifests mount it.
struct SecretWish {
  std::string name;
  std::string name_space;
  std::string user;
};

struct Layout {
  std::string folder;  // where the files are
  std::string certificate_end = ".pem";
  std::string key_end = "-key.pem";
  std::vector<WantedCa> cas;  // the first one is for clients; a second one for peers
  std::vector<WantedPair> pairs;
  std::vector<Member> members;
  std::vector<User> users;
  std::vector<SecretWish> secrets;
  std::string allowed_cn;          // --peer-cert-allowed-cn
  bool writes_requests = false;    // BASE.csr too
  std::vector<std::string> notes;  // what is worth telling before anything is made

  const WantedCa& peer_ca() const { return cas.back(); }
  std::string CertificateFile(std::string_view base) const;
  std::string KeyFile(std::string_view base) const;
  std::string RequestFile(std::string_view base) const;
};

// "RSA-2048", "ECDSA-P256", "Ed25519", as PublicKey::Description says it.
std::string KeyText(const cfssl::KeyRequest& key);

// Host of an etcd URL, without brackets. Errors: InvalidArgument for anything but https with a host
// and without a path, user or query.
absl::Status ParseEtcdUrl(std::string_view url, std::string* host);
// The hosts of URLs that have been checked.
std::vector<std::string> HostsOf(const std::vector<std::string>& urls);

// Two pairs that would be in the same files, or a file name that leaves the folder.
// Errors: InvalidArgument naming both.
absl::Status CheckFiles(const Layout& layout);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_H_
