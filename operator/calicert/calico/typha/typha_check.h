// The verification that Typha and Felix make of each other, before they are started.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_CHECK_H_
#define CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_CHECK_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/calico/typha/typha_pairs.h"
#include "operator/calicert/etcd/chain_check.h"
#include "operator/calicert/etcd/decision.h"
#include "operator/calicert/etcd/verify.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::typha {

// One side as it is configured.
struct Side {
  std::string certificate_file;
  std::string key_file;
  etcd::Found found;
  PeerIdentity demanded_of_peer;  // *_CLIENTCN and *_CLIENTURISAN, or *_TYPHACN and *_TYPHAURISAN
};

struct Link {
  etcd::Trust typha_trusts;  // TYPHA_CAFILE
  etcd::Trust felix_trusts;  // FELIX_TYPHACAFILE
  Side typha;
  Side felix;
};

// Typha demands a client certificate: chain, client auth, then who it is. Felix looks at no host
// name: chain, server auth, then who it is. A side of which nothing is demanded does not start.
std::vector<etcd::Finding> CheckLink(const Link& link, absl::Time now);

// Why a peer that demands `identity` refuses this certificate; empty when it does not.
std::string IdentityProblem(const pki::Certificate& certificate, const PeerIdentity& identity);

}  // namespace calico::calicert::typha

#endif  // CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_CHECK_H_
