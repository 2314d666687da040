// What is known about one CertificateSigningRequest when it is judged: plain values, gathered by a
// controller, so that the judgement itself needs no I/O and no clock.
#ifndef CALICO_OPERATOR_CSR_POLICY_FACTS_H_
#define CALICO_OPERATOR_CSR_POLICY_FACTS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/core/node.h"
#include "pkg/api/core/pod.h"
#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate_request.h"

namespace calico::csr_policy {

// Who made the request, from what the API server wrote into its spec. The requester cannot forge
// these fields.
struct Requester {
  // Of `system:serviceaccount:NAMESPACE:NAME`; both empty for any other user name.
  std::string ns;
  std::string service_account;
  // The pod that the token was bound to; empty unless `extra` holds exactly one value of each.
  std::string pod_name;
  std::string pod_uid;

  bool is_service_account() const { return !service_account.empty(); }
  bool is_bound() const { return !pod_name.empty() && !pod_uid.empty(); }
};

Requester RequesterOf(const api::CertificateSigningRequest& csr);

// What the rules need of a pod. Small, because one is kept for every pod of a watched namespace.
struct PodFacts {
  std::string uid;
  std::string service_account;
  std::string node_name;
  bool host_network = false;
  bool terminating = false;
  bool finished = false;                  // phase Succeeded or Failed
  std::vector<base::IpAddress> ips;       // status.podIPs
  std::vector<base::IpAddress> host_ips;  // status.hostIPs

  friend bool operator==(const PodFacts&, const PodFacts&) = default;
};

// Addresses that are not IP addresses are left out.
PodFacts PodFactsOf(const api::Pod& pod);

// Every IP address of the node. The kubelet, or a cloud controller, writes them.
std::vector<base::IpAddress> AddressesOf(const api::Node& node);

// How far a look-up has come.
enum class Lookup {
  kNotDone,  // not tried, or failed
  kCached,   // found in a cache, which may be behind
  kLive,     // found by asking the API server now
  kAbsent,   // the API server says that there is none
};

// Something else in the cluster that holds an address which the request asks for.
struct AddressOwner {
  base::IpAddress address;
  std::string kind;   // "Service" (clusterIPs, externalIPs, load balancer ingress), "Node", "Pod"
  std::string name;   // namespace/name, or name
  bool live = false;  // that object was read just now
  // It is a Pod that is being deleted, when it was read: its containers may run for a while yet.
  bool terminating = false;
  // It is there, but no longer has the address, since a moment ago. Whoever takes an address away
  // from its owner and asks for it is not faster than the owner's kubelet, which writes it again.
  bool left = false;
};

struct CsrFacts {
  api::CertificateSigningRequest csr;
  // spec.request, or why it cannot be read. Set by ParseRequest.
  absl::StatusOr<pki::CertificateRequest> request = absl::UnknownError("not parsed");
  bool request_parsed = false;
  Requester requester;

  Lookup pod_lookup = Lookup::kNotDone;
  PodFacts pod;  // of the requester's namespace and pod_name; empty unless found

  Lookup node_lookup = Lookup::kNotDone;
  std::vector<base::IpAddress> node_addresses;  // of pod.node_name

  // Who else holds one of the requested addresses: kNotDone until all Services, Nodes and Pods are
  // known. Left out: the requester's own pod; for one on the host network its node and the pods on
  // that node's host network; pods that have finished (they keep their addresses, nobody answers
  // there). Owners of addresses that are not asked for may be among them.
  Lookup address_lookup = Lookup::kNotDone;
  std::vector<AddressOwner> address_owners;

  absl::Time now;
  // How long the request is known here. Not by its creationTimestamp, which is another clock's.
  absl::Duration waited = absl::InfiniteDuration();
};

// Reads the requester. spec.request is not parsed, look-ups are not done.
CsrFacts FactsOf(api::CertificateSigningRequest csr, absl::Time now);

// Parses spec.request, unless that is done. Evaluate calls it once it is known that somebody asks
// whom the policy expects: what a stranger writes costs nothing, unless somebody has approved it.
void ParseRequest(CsrFacts& facts);

}  // namespace calico::csr_policy

#endif  // CALICO_OPERATOR_CSR_POLICY_FACTS_H_
