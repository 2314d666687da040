#include "operator/calicert/inventory/verdict.h"

#include <utility>
#include <vector>

#include <absl/time/time.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/command/output.h"
#include "operator/calicert/requests/csr_text.h"
#include "operator/controllers/csr/address_index.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::inventory {
namespace {

using csr_policy::CsrFacts;
using csr_policy::Decision;
using csr_policy::Lookup;
using csr_policy::Need;

// Pod, node, addresses, and each of these once more.
constexpr int kMostLookups = 6;

struct Advice {
  std::string_view rule;
  std::string_view text;
};
constexpr Advice kAdvice[] = {
    {"signer-name",
     "This policy does not serve the request's signer name: change signerName of the "
     "request, or --signer-name of the signer."},
    {"requester",
     "Only service accounts that a policy entry names may ask. Add the account to an "
     "entry, or ask with the right one."},
    {"bound-token",
     "The token has to be a pod's own, as the kubelet gives it: one made by hand, or "
     "of a Secret, belongs to no pod."},
    {"request-format",
     "spec.request has to be one PEM block CERTIFICATE REQUEST and nothing else."},
    {"proof-of-possession",
     "The request is not signed by the key in it, or with an old hash: make "
     "it anew."},
    {"key-strength", "Choose a key that the policy entry takes (keys)."},
    {"no-ca", "The signer makes no CAs: ask for a certificate without the CA bit."},
    {"critical-extensions", "Leave the extension out of the request."},
    {"extensions", "Leave the extension out of the request."},
    {"attributes", "Leave the attribute out of the request, a challenge password for instance."},
    {"other-names", "E-mail addresses, URIs and other names are never certified here."},
    {"csr-name",
     "The object's name has to say whose it is (csrNames of the entry); otherwise "
     "anybody could take another pod's name."},
    {"subject",
     "Only the common name is taken; dropSubjectAttributes of the entry lets others be "
     "left out."},
    {"common-name", "Add the name to commonNames of the entry, or ask for one that is there."},
    {"dns-names", "Add the name to dnsNames of the entry, or ask for one that is there."},
    {"usages",
     "Ask for usages within the entry's; server auth or client auth has to be among them."},
    {"duration", "Ask for more time, or leave spec.expirationSeconds out."},
    {"pod-exists", "The pod is gone: nothing to do, its successor asks for itself."},
    {"pod-uid", "The pod was replaced by another of its name, which asks for itself."},
    {"pod-service-account",
     "The pod runs under another account than the one that asked: somebody "
     "uses a token that is not the pod's."},
    {"pod-alive", "The pod ends: its successor asks for itself."},
    {"ip-addresses",
     "Each address has to be the pod's own (on the host network also its node's) and "
     "nobody else's; dropIPAddresses of the entry leaves addresses out."},
};

aio::Task<absl::Status> LookUpPod(Cluster& cluster, CsrFacts& facts) {
  const absl::StatusOr<json::object> object = co_await cluster.client.Get(
      api::kPods, {facts.requester.ns, facts.requester.pod_name}, cluster.timeout);
  if (absl::IsNotFound(object.status())) {
    facts.pod_lookup = Lookup::kAbsent;
    co_return absl::OkStatus();
  }
  if (!object.ok()) co_return object.status();
  CALICO_CO_ASSIGN_OR_RETURN(const api::Pod pod, api::Pod::Decode(*object));
  facts.pod = csr_policy::PodFactsOf(pod);
  facts.pod_lookup = Lookup::kLive;
  co_return absl::OkStatus();
}

aio::Task<absl::Status> LookUpNode(Cluster& cluster, CsrFacts& facts) {
  const absl::StatusOr<json::object> object =
      co_await cluster.client.Get(api::kNodes, {"", facts.pod.node_name}, cluster.timeout);
  if (absl::IsNotFound(object.status())) {
    facts.node_lookup = Lookup::kAbsent;
    co_return absl::OkStatus();
  }
  if (!object.ok()) co_return object.status();
  CALICO_CO_ASSIGN_OR_RETURN(const api::Node node, api::Node::Decode(*object));
  facts.node_addresses = csr_policy::AddressesOf(node);
  facts.node_lookup = Lookup::kLive;
  co_return absl::OkStatus();
}

struct HolderKindToList {
  csr::HolderKind kind;
  const api::Resource* resource;
};
constexpr HolderKindToList kHolders[] = {{csr::HolderKind::kService, &api::kServices},
                                         {csr::HolderKind::kNode, &api::kNodes},
                                         {csr::HolderKind::kPod, &api::kPods}};

// Who else has the requested addresses, from lists of this moment.
aio::Task<absl::Status> LookUpAddresses(Cluster& cluster, CsrFacts& facts) {
  csr::AddressIndex index;
  for (const HolderKindToList& holder : kHolders) {
    index.StartList(holder.kind);
    const absl::StatusOr<std::string> version = co_await cluster.client.List(
        *holder.resource, {.timeout = cluster.timeout}, [&](const json::object& object) {
          index.Set(holder.kind, api::ObjectMetaOf(object).Key(),
                    csr::HolderOf(holder.kind, object), absl::UnixEpoch());
          return absl::OkStatus();
        });
    if (!version.ok()) co_return version.status();
    index.FinishList(holder.kind);
  }
  const csr::AddressSelf self{
      .pod = facts.requester.ns + "/" + facts.requester.pod_name,
      .host_node = facts.pod.host_network ? facts.pod.node_name : std::string()};
  facts.address_owners.clear();
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
    for (csr_policy::AddressOwner& owner : index.OthersWith(address, self, absl::UnixEpoch())) {
      owner.live = true;
      facts.address_owners.push_back(std::move(owner));
    }
  }
  facts.address_lookup = Lookup::kLive;
  co_return absl::OkStatus();
}

// Whoever asks chooses much of the text; it must not look like another line of it.
std::string Line(std::string_view title, std::string_view text) {
  return fmt::format("{:<12}{}\n", title, Printable(text));
}

std::string WhoAsks(const CsrFacts& facts) {
  std::string text = facts.csr.username.empty() ? "nobody known" : facts.csr.username;
  if (facts.requester.is_bound()) {
    text += fmt::format(", pod {}/{}", facts.requester.ns, facts.requester.pod_name);
  } else if (facts.requester.is_service_account()) {
    text += ", with a token that is bound to no pod";
  }
  return text;
}

std::string WhatIsAsked(const CsrFacts& facts) {
  if (!facts.request.ok()) {
    return fmt::format("unreadable: {}", std::string(facts.request.status().message()));
  }
  const pki::CertificateRequest& request = *facts.request;
  std::vector<std::string> names = request.dns_names();
  for (const base::IpAddress& address : request.ip_addresses()) {
    names.push_back(address.ToString());
  }
  return fmt::format("{} for {}; {}; {} key",
                     request.subject_text().empty() ? "no subject" : request.subject_text(),
                     names.empty() ? "no names" : fmt::format("{}", fmt::join(names, ", ")),
                     fmt::join(facts.csr.usages, ", "), request.public_key().Description());
}

std::string AnswerText(const CsrFacts& facts, const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::kApprove:
      return fmt::format("approve, by policy entry {}", decision.entry->name);
    case Decision::Kind::kDeny:
      return facts.csr.IsApproved() ? "fail: somebody has approved it, and it must not be signed"
                                    : "deny";
    case Decision::Kind::kRetry:
      break;
  }
  return "wait";
}

// What has happened to it already, which a verdict of now does not change.
std::string StateText(const api::CertificateSigningRequest& csr) {
  std::string text = requests::ConditionText(csr);
  for (const api::Condition& condition : csr.conditions) {
    text += fmt::format("; {}: {}: {}", condition.type, condition.reason, condition.message);
  }
  return text;
}

}  // namespace

std::string_view AdviceOn(std::string_view rule) {
  for (const Advice& advice : kAdvice) {
    if (advice.rule == rule) return advice.text;
  }
  return {};
}

aio::Task<absl::StatusOr<Decision>> JudgeNow(Cluster& cluster, CsrFacts& facts,
                                             const csr_policy::CsrPolicy& policy) {
  for (int lookup = 0;; ++lookup) {
    const Decision decision = csr_policy::Evaluate(facts, policy);
    if (lookup == kMostLookups) co_return decision;
    switch (decision.need) {
      case Need::kPod:
        CALICO_CO_RETURN_IF_ERROR(co_await LookUpPod(cluster, facts));
        break;
      case Need::kNode:
        CALICO_CO_RETURN_IF_ERROR(co_await LookUpNode(cluster, facts));
        break;
      case Need::kAddresses:
        CALICO_CO_RETURN_IF_ERROR(co_await LookUpAddresses(cluster, facts));
        break;
      case Need::kAddressOwner:
      case Need::kTime:
      case Need::kNothing:
        co_return decision;
    }
  }
}

std::string Explanation(const CsrFacts& facts, const Decision& decision,
                        std::string_view policy_name) {
  std::string text = Line("request", facts.csr.meta.name);
  text += Line("signer", facts.csr.signer_name);
  text += Line("asked by", WhoAsks(facts));
  if (facts.request_parsed) text += Line("asks for", WhatIsAsked(facts));
  text += Line("state", StateText(facts.csr));
  text += Line("policy", policy_name);
  text += Line("answer", AnswerText(facts, decision));
  if (decision.kind == Decision::Kind::kApprove) return text;
  text += Line("because", decision.Text());
  const std::string_view advice = AdviceOn(decision.rule);
  if (!advice.empty()) text += Line("what to do", advice);
  return text;
}

}  // namespace calico::calicert::inventory
