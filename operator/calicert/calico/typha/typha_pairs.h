// TLS between Calico's Typha and Felix as it is set up by hand: one CA, a pair for Typha, a pair
// for calico-node, and who each has to be.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_PAIRS_H_
#define CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_PAIRS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/etcd/layout.h"
#include "pkg/codec/json.h"

namespace calico::calicert::typha {

// How files, objects and common names are called.
enum class Naming {
  kHardWay,   // "Calico the hard way": typhaca.crt, typha.crt, calico-node.crt; kube-system
  kOperator,  // typha-ca, typha-certs and node-certs in the operator's namespace
};

// Whom a side takes: exactly this common name, or a certificate with this URI. One of them may be
// empty; where both are set, either will do.
struct PeerIdentity {
  std::string common_name;
  std::string uri;

  bool IsEmpty() const { return common_name.empty() && uri.empty(); }
};

struct TyphaOptions {
  Naming naming = Naming::kHardWay;
  std::string folder;
  PeerIdentity typha;  // both empty: the naming's own common name
  PeerIdentity node;
  absl::Duration expiry = absl::Hours(8760);
  absl::Duration ca_expiry = absl::Hours(87600);
};

// `options` with the naming's common names where no identity is set.
TyphaOptions Complete(TyphaOptions options);

// CA and the two pairs, for etcd::Generate. Requires: complete options.
// Errors: InvalidArgument for a URI that is none or a common name that is too long.
absl::StatusOr<etcd::Layout> TyphaLayout(const TyphaOptions& options);

// The ConfigMap with the CA and the two Secrets. Errors: FailedPrecondition when a pair is not
// there. Blocking: reads the layout's files.
absl::StatusOr<std::vector<json::value>> ReadManifests(const TyphaOptions& options,
                                                       const etcd::Layout& layout);

// Environment of both containers as YAML, with the mounts that the manifests need. Of the
// operator's naming a sentence: the operator sets it.
std::string EnvironmentText(const TyphaOptions& options);

}  // namespace calico::calicert::typha

#endif  // CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_PAIRS_H_
