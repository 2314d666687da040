// The names under which pods reach a Service.
#ifndef CALICO_OPERATOR_CALICERT_TLS_SERVICE_NAMES_H_
#define CALICO_OPERATOR_CALICERT_TLS_SERVICE_NAMES_H_

#include <string>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::calicert::tls {

// "a.ns.svc.cluster.local", "a.ns.svc", "a.ns", "a".
std::vector<std::string> DnsNamesOf(const std::string& service, const std::string& ns,
                                    const std::string& cluster_domain);

// The common name: the shortest of these that is whole, "a.ns.svc"; empty if it is too long for
// one, since the alternative names are what clients look at.
std::string CommonNameOf(const std::string& service, const std::string& ns);

// spec.clusterIPs of a Service object; empty for a headless one.
std::vector<std::string> ClusterIpsOf(const json::object& service);

}  // namespace calico::calicert::tls

#endif  // CALICO_OPERATOR_CALICERT_TLS_SERVICE_NAMES_H_
