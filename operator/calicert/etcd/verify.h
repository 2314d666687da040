// Which peer of an etcd cluster would refuse which certificate, and why: decided from certificates,
// addresses and the time, before anything is started.
//
//   for (const Finding& finding : Verify(cluster, lookups, now)) Print(finding);
//
// It knows what etcd 3.4 to 3.6 check (docs/CALICERT.md, section etcd): mutual TLS between members
// with names and source addresses, clients by usage and chain, users by common name.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_VERIFY_H_
#define CALICO_OPERATOR_CALICERT_ETCD_VERIFY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/etcd/chain_check.h"
#include "operator/calicert/etcd/peer_names.h"
#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::etcd {

enum class Severity {
  kNote,
  kWarning,  // works, or works as long as something outside holds
  kError,    // somebody refuses it
};
std::string_view ToString(Severity severity);

struct Finding {
  Severity severity = Severity::kError;
  std::string file;     // of the certificate
  std::string role;     // "server of etcd-1", "peer of etcd-1", "user alice", ...
  std::string check;    // "usage", "host", "source", "chain", "clock", "user", "form": closed
  std::string refuser;  // who refuses it: "etcd-2, etcd-3"; empty: nobody does yet
  std::string reason;
  std::string advice;
};

// One certificate in the place that it has.
struct Shown {
  std::string file;
  std::vector<pki::Certificate> chain;  // not empty; the leaf first
};

struct MemberCertificates {
  std::string name;
  std::optional<Shown> server;
  std::optional<Shown> peer;
  std::vector<std::string> client_hosts;  // of its client URLs
  std::vector<std::string> peer_hosts;    // of its peer URLs
  // Where its connections to other members come from. Empty: from its peer hosts.
  std::vector<base::IpAddress> sources;
};

struct ClientCertificate {
  Shown shown;
  std::string user;  // its etcd user, where that is known
};

struct ProxyCertificate {
  Shown shown;
  std::string name;
  std::vector<std::string> hosts;
};

struct ClusterCertificates {
  Trust client_ca;  // --trusted-ca-file, and what clients trust
  Trust peer_ca;    // --peer-trusted-ca-file
  std::vector<MemberCertificates> members;
  std::vector<ClientCertificate> users;
  std::vector<ProxyCertificate> proxies;                // what they show to their clients
  std::vector<Shown> grpc_proxies;                      // what `etcd grpc-proxy` shows to etcd
  bool client_cert_auth = true;                         // --client-cert-auth
  std::string allowed_cn;                               // --peer-cert-allowed-cn
  std::optional<std::vector<std::string>> known_users;  // that etcd has
};

// What ends within this time is worth a warning.
inline constexpr absl::Duration kEndsSoon = absl::Hours(30 * 24);

// Errors first, then warnings, each kind in the order that they have.
std::vector<Finding> SortFindings(std::vector<Finding> findings);

// Errors first, each kind in the order of the cluster. What several members refuse for the same
// reason is one finding.
std::vector<Finding> Verify(const ClusterCertificates& cluster, const Lookups& lookups,
                            absl::Time now);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_VERIFY_H_
