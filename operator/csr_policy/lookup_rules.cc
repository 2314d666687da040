// Rules that rest on look-ups: of the pod, its node, and who else has an address.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

constexpr std::string_view kIpAddresses = "ip-addresses";

// A violation if the pod was asked for just now, else the need to do so.
Violation OfPod(const CsrFacts& facts, std::string_view rule, std::string message) {
  const bool live = facts.pod_lookup == Lookup::kLive || facts.pod_lookup == Lookup::kAbsent;
  return {rule, std::move(message), live ? Need::kNothing : Need::kPod};
}

MaybeViolation PodExists(const CsrFacts& facts, const CsrPolicyEntry&) {
  switch (facts.pod_lookup) {
    case Lookup::kNotDone:
      return OfPod(facts, "pod-exists", fmt::format("pod {} was not looked up", PodName(facts)));
    case Lookup::kAbsent:
      return OfPod(facts, "pod-exists", fmt::format("there is no pod {}", PodName(facts)));
    case Lookup::kCached:
    case Lookup::kLive:
      break;
  }
  return std::nullopt;
}

MaybeViolation PodUid(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (facts.pod.uid == facts.requester.pod_uid) return std::nullopt;
  return OfPod(facts, "pod-uid",
               fmt::format("pod {} has UID {}, the token was bound to {}", PodName(facts),
                           facts.pod.uid, Quote(facts.requester.pod_uid)));
}

MaybeViolation PodServiceAccount(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (facts.pod.service_account == facts.requester.service_account) return std::nullopt;
  return OfPod(facts, "pod-service-account",
               fmt::format("pod {} runs under {}, not {}", PodName(facts),
                           Quote(facts.pod.service_account), facts.requester.service_account));
}

MaybeViolation PodAlive(const CsrFacts& facts, const CsrPolicyEntry&) {
  if (!facts.pod.terminating && !facts.pod.finished) return std::nullopt;
  return OfPod(
      facts, "pod-alive",
      fmt::format("pod {} is {}", PodName(facts), facts.pod.finished ? "finished" : "terminating"));
}

// The first requested address that is not in `allowed`, or null.
const base::IpAddress* FindForeign(const CsrFacts& facts,
                                   const std::vector<base::IpAddress>& allowed) {
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
    if (!Holds(allowed, address)) return &address;
  }
  return nullptr;
}

// Every requested address is the pod's own, says its status or its node's.
MaybeViolation OwnAddresses(const CsrFacts& facts) {
  const PodFacts& pod = facts.pod;
  std::vector<base::IpAddress> allowed = pod.ips;
  if (pod.host_network) {
    allowed.insert(allowed.end(), pod.host_ips.begin(), pod.host_ips.end());
    allowed.insert(allowed.end(), facts.node_addresses.begin(), facts.node_addresses.end());
  }
  const base::IpAddress* foreign = FindForeign(facts, allowed);
  if (foreign == nullptr) return std::nullopt;
  Violation violation =
      OfPod(facts, kIpAddresses,
            fmt::format("{} is not an address of pod {}", foreign->ToString(), PodName(facts)));
  if (violation.need != Need::kNothing) return violation;
  if (pod.host_network && pod.node_name.empty()) {
    return Violation{kIpAddresses, fmt::format("pod {} is not on a node yet", PodName(facts)),
                     Need::kTime};
  }
  if (pod.host_network) {
    violation.message += fmt::format(" or of its node {}", Quote(pod.node_name));
    const bool asked = facts.node_lookup == Lookup::kLive || facts.node_lookup == Lookup::kAbsent;
    if (!asked) {
      violation.need = Need::kNode;
      return violation;
    }
  }
  // The kubelet tells the API server a moment after it has told the container.
  if (pod.ips.empty()) {
    return Violation{kIpAddresses, fmt::format("pod {} has no address yet", PodName(facts)),
                     Need::kTime};
  }
  if (facts.waited < kAddressGrace) violation.need = Need::kTime;
  return violation;
}

std::string SharedAddress(const AddressOwner& owner) {
  return fmt::format("{} {} an address of {} {}{}", owner.address.ToString(),
                     owner.left ? "was" : "is also", owner.kind, Quote(owner.name),
                     owner.left          ? " until a moment ago"
                     : owner.terminating ? ", which is being deleted"
                                         : "");
}

// Whether the owner may be none in a moment.
bool IsLeaving(const CsrFacts& facts, const AddressOwner& owner) {
  return owner.left || (owner.live && owner.terminating && facts.waited < kTerminationGrace);
}

// Something that stays has the address: such as the load balancers of k3s, which take the nodes'
// own, or whatever was made in order to keep the pod from its certificate.
Violation Shared(const CsrFacts& facts, const CsrPolicyEntry& entry, const AddressOwner& owner) {
  return {kIpAddresses,
          fmt::format("{}; if nothing of yours checks addresses in certificates, set "
                      "dropIPAddresses: true in policy entry {}",
                      SharedAddress(owner), entry.name),
          // A pod's address may have belonged to another one a moment ago.
          facts.waited < kAddressGrace ? Need::kTime : Need::kNothing};
}

// Nothing else has a requested address. Status is no proof: whoever holds the token of calico-node
// can write addresses into it, those of Services included.
MaybeViolation UnsharedAddresses(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  if (facts.address_lookup == Lookup::kNotDone) {
    return Violation{kIpAddresses,
                     "it is not known yet whether something else has a requested address",
                     Need::kAddresses};
  }
  const AddressOwner* cached = nullptr;
  const AddressOwner* leaving = nullptr;
  for (const AddressOwner& owner : facts.address_owners) {
    if (!Holds(facts.request->ip_addresses(), owner.address)) continue;
    const bool is_leaving = IsLeaving(facts, owner);
    if (owner.live && !is_leaving) return Shared(facts, entry, owner);
    const AddressOwner*& first = is_leaving ? leaving : cached;
    if (first == nullptr) first = &owner;
  }
  // All are asked before anything is waited for: one that stays denies.
  if (cached != nullptr) {
    return Violation{kIpAddresses, SharedAddress(*cached), Need::kAddressOwner};
  }
  if (leaving == nullptr) return std::nullopt;
  return Violation{kIpAddresses, SharedAddress(*leaving), Need::kTime};
}

MaybeViolation IpAddresses(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  if (entry.drop_ip_addresses || facts.request->ip_addresses().empty()) return std::nullopt;
  MaybeViolation violation = OwnAddresses(facts);
  return violation.has_value() ? violation : UnsharedAddresses(facts, entry);
}

constexpr std::array<EntryRule, 5> kLookupRules = {
    PodExists, PodUid, PodServiceAccount, PodAlive, IpAddresses,
};

}  // namespace

std::span<const EntryRule> LookupRules() { return kLookupRules; }

}  // namespace calico::csr_policy
