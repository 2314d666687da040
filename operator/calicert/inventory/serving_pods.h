// The TLS servers of pods, as far as their ports tell.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_SERVING_PODS_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_SERVING_PODS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/inventory/found_certificates.h"
#include "pkg/aio/task.h"
#include "pkg/codec/json.h"

namespace calico::calicert::inventory {

struct ServingPort {
  std::string pod;  // namespace/name
  std::string address;
  uint16_t port = 0;
};

// Ports of a running pod that are likely to speak TLS: by their name (https, tls, webhook) or a
// number that is used for nothing else (443, 5443, 5473, 6443, 8443, 9443, 10250).
std::vector<ServingPort> ServingPortsOf(const json::object& pod);

// Asks each for its certificates, several at once, and adds them. Those that do not answer within
// two seconds are counted: pods are rarely reachable from outside of the cluster.
// Lifetime: `certificates` outlives the task.
aio::Task<int> AskPorts(std::vector<ServingPort> ports, FoundCertificates& certificates);

}  // namespace calico::calicert::inventory

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_SERVING_PODS_H_
