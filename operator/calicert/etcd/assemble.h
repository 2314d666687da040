// Certificates from files into the places that they have in a cluster, for Verify.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_ASSEMBLE_H_
#define CALICO_OPERATOR_CALICERT_ETCD_ASSEMBLE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/calicert/etcd/layout.h"
#include "operator/calicert/etcd/verify.h"

namespace calico::calicert::etcd {

struct Assembled {
  ClusterCertificates cluster;
  // What is wrong with files: missing, unreadable, a key of another certificate, a key that others
  // may read.
  std::vector<Finding> problems;
};

// Every pair of a layout that has files. Blocking.
Assembled AssembleLayout(const Layout& layout);

// Files that somebody names one by one, each with its role, for one member.
struct LooseFiles {
  std::string ca;
  std::string peer_ca;  // empty: as `ca`
  std::string member = "member";
  std::vector<std::string> client_urls;
  std::vector<std::string> peer_urls;
  std::vector<std::string> sources;
  std::vector<std::string> servers;
  std::vector<std::string> peers;
  std::vector<std::string> users;
  std::vector<std::string> proxies;
  std::vector<std::string> grpc_proxies;
};

// Each with the key beside it (KeyBeside), if there is one.
// Errors: InvalidArgument for a URL or address that is none; as ReadTrust. Blocking.
absl::StatusOr<Assembled> AssembleFiles(const LooseFiles& files);

// The file in which the key of a certificate is by custom: X-key.pem of X.pem, X.key of X.crt.
std::string KeyBeside(const std::string& certificate);

// What has to be asked of name servers, asked of those of this machine: addresses of names that
// members are dialled by and that peer certificates have, names of the addresses they come from.
// Blocking, a few seconds for each that does not answer.
Lookups LookUp(const ClusterCertificates& cluster);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_ASSEMBLE_H_
