// The rules by which a CertificateSigningRequest is approved or denied: pure functions of the facts
// and the policy, in a fixed order; the first violation is the verdict.
//
//   Decision decision = Evaluate(facts, policy);
//   if (decision.need == Need::kPod) { ...GET the pod, Evaluate again... }
//
// Rule names are stable: they stand in Denied conditions, logs and documentation.
//
//   rule                  what it demands
//   --------------------  ----------------------------------------------------------------------
//   signer-name           spec.signerName is one that this program serves
//   requester             spec.username is a service account that an entry expects
//   bound-token           the requester's token was bound to a pod: one pod-name, one pod-uid;
//                         the pod-name is one that a pod can have
//   request-format        spec.request is exactly one PEM block and a well-formed PKCS#10
//   proof-of-possession   the request is signed by its own key, with SHA-256 or better
//   key-strength          the key is of a kind that the entry takes, with sound parameters
//   no-ca                 neither the CA bit, a path length nor a signing usage for certificates or
//                         CRLs is asked
//   critical-extensions   no critical extension that we do not know
//   extensions            no other extension either that a certificate would not have
//   attributes            no attribute of PKCS#10 beside the extension request
//   other-names           no e-mail, URI or other alternative name
//   csr-name              metadata.name has a shape that the entry takes, for this very pod
//   subject               no attribute but CN and what the entry's dropSubjectAttributes names, in
//                         whatever RDN it is
//   common-name           exactly one CN, and it is in the entry's list
//   dns-names             every DNS name is in the entry's list (an empty one is dropped: the
//                         reference's init container sends it when it has no DNS name to ask for)
//   usages                spec.usages within the entry's, server or client auth among them, and
//                         not only what the key cannot do; key usages in spec.request within the
//                         entry's, extended ones within spec.usages
//   duration              spec.expirationSeconds is not below 600 or the entry's minimum
//   pod-exists            the pod that the token was bound to exists
//   pod-uid               ... and is the same one, not a successor of that name
//   pod-service-account   ... and runs under the requester's service account
//   pod-alive             ... and is neither terminating nor finished
//   ip-addresses          every IP address is that pod's; on the host network also the node's; and
//                         nothing else has it: no Service, other Node or other Pod (a stolen token
//                         of calico-node can write any address into its pod's or node's status);
//                         none is unspecified, loopback, link-local, multicast or broadcast
//                         (this is judged with the request alone, before pod-exists)
//
// spec.request is parsed after `bound-token`: a stranger costs no parsing. His denial names besides
// which usage no entry grants; when somebody has approved the request, its names too. With
// `dropIPAddresses` the entry judges no IP address, and the certificate has none.
//
// Rules after `duration` rest on look-ups, but for the kinds of address. Their violations count
// only when the API server was asked just now: with anything less the verdict is kRetry and says
// what to look up. So a failed look-up or a cache that is behind never denies a request. Nor does a
// pod's or node's status that is behind (after a reboot it shows the old addresses for a while): a
// foreign address denies only a request that is known for kAddressGrace, and one of a Pod that is
// being deleted for kTerminationGrace. An address that its owner has just lost is waited for.
#ifndef CALICO_OPERATOR_CSR_POLICY_RULES_H_
#define CALICO_OPERATOR_CSR_POLICY_RULES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/policy.h"
#include "pkg/pki/issue.h"

namespace calico::csr_policy {

inline constexpr absl::Duration kAddressGrace = absl::Seconds(10);
// Longer than most pods take to end; one that never does (a finalizer, a node that is gone) is
// told.
inline constexpr absl::Duration kTerminationGrace = absl::Minutes(2);

// What is missing for a verdict.
enum class Need {
  kNothing,
  kPod,   // a live look-up of the requester's pod
  kNode,  // a live look-up of the pod's node
  // Who else has the requested addresses: address_owners, and an address_lookup that is not
  // kNotDone.
  kAddresses,
  // A live look-up of the first of address_owners that is not `live` and has a requested address:
  // it becomes live, or goes from the list if the object does not hold the address (any more).
  kAddressOwner,
  // The cluster may not be that far: no address or another one, not on a node yet, or the address
  // is somebody's who is just losing it.
  kTime,
};

struct Violation {
  std::string_view rule;  // static
  std::string message;    // one line, never with PEM; names of the request are clipped and quoted
  Need need = Need::kNothing;  // not kNothing: no violation yet, the facts do not suffice
};

struct Decision {
  enum class Kind { kApprove, kDeny, kRetry };
  Kind kind = Kind::kDeny;
  std::string_view rule;  // that was violated, or that lacks facts
  std::string message;
  Need need = Need::kNothing;
  // kApprove: the entry that allows the request. Lifetime: the policy's.
  const CsrPolicyEntry* entry = nullptr;

  // "rule ip-addresses: 10.0.0.9 is not ...", as it stands in conditions.
  std::string Text() const;
};

// The verdict. Parses spec.request (ParseRequest) as soon as it is needed. An entry that allows
// everything approves; else an entry that lacks facts asks for a retry; else the violation of the
// entry that got furthest denies.
Decision Evaluate(CsrFacts& facts, const CsrPolicy& policy);

// Every rule's name in the order of evaluation, ip-addresses by its look-ups.
std::span<const std::string_view> RuleNames();

// What the certificate will hold: the CN, the DNS names and IP addresses of the request without
// repetition (no IP address if the entry drops them), the usages of spec.usages, and no other part
// of the request.
//
// Key usages fit the key: RSA gets no key agreement, EC no key encipherment, Ed25519 neither (RFC
// 5280 4.2.1.3, RFC 8813, RFC 8410), whether asked or not: what is asked comes from a fixed list,
// and strict verifiers refuse the certificate.
//
// Validity: spec.expirationSeconds, else `longest`; at most `longest` and the entry's maximum, at
// least 600 s. It begins five minutes ago, for clocks that are behind. From eight hours on, these
// five minutes count (kube-controller-manager's rule). The CA cuts it to its own end.
// Requires: `facts` were approved with `entry`.
pki::CertificateTemplate PlanCertificate(const CsrFacts& facts, const CsrPolicyEntry& entry,
                                         absl::Duration longest);

}  // namespace calico::csr_policy

#endif  // CALICO_OPERATOR_CSR_POLICY_RULES_H_
