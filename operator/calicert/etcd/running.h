// Members that run: what they present and what they demand, for Verify and beside it.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_RUNNING_H_
#define CALICO_OPERATOR_CALICERT_ETCD_RUNNING_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/etcd/assemble.h"
#include "operator/calicert/etcd/layout.h"

namespace calico::calicert::etcd {

struct Endpoint {
  std::string member;
  std::string url;  // https://HOST:PORT
  bool is_peer = false;
  std::string file;  // what it should present; empty: not known
};

// A client's pair, to be shown to client ports.
struct ClientPair {
  std::string certificate_file;
  std::string key_file;
  std::string role;  // "user alice"
};

// Endpoints and client pairs of a layout.
std::vector<Endpoint> EndpointsOf(const Layout& layout);
std::vector<ClientPair> ClientPairsOf(const Layout& layout);

// Dials each endpoint. What it presents takes the place of the member's certificate in
// `assembled.cluster`; what it does not demand, whose CA it does not take, which pair it refuses,
// goes to `assembled.problems`. Peer ports see no pair: they compare it with the address that it
// comes from, which is not this machine's. Blocking, up to `timeout` for each connection.
void ExamineRunning(const std::vector<Endpoint>& endpoints, const std::vector<ClientPair>& clients,
                    absl::Duration timeout, Assembled& assembled);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_RUNNING_H_
