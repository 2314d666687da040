#include "operator/controllers/csr/cluster_facts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/core/node.h"
#include "pkg/api/core/pod.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::csr {
namespace {

// How far behind the cluster an approval may be. Older facts are asked for again.
constexpr absl::Duration kFresh = absl::Seconds(30);
constexpr size_t kMostNodes = 10'000;
constexpr absl::Duration kLongestSync = absl::Seconds(3);
// Pod, node, once more for a pod that was replaced meanwhile, and owners of addresses that have let
// go of them; and all that anew when it took too long.
constexpr int kMostRounds = 24;

absl::StatusOr<std::optional<csr_policy::PodFacts>> DecodePod(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(const api::Pod pod, api::Pod::Decode(object));
  return csr_policy::PodFactsOf(pod);
}

bool JudgesAddresses(const csr_policy::CsrPolicy& policy) {
  return std::any_of(
      policy.entries.begin(), policy.entries.end(),
      [](const csr_policy::CsrPolicyEntry& entry) { return !entry.drop_ip_addresses; });
}

AddressSelf SelfOf(const csr_policy::CsrFacts& facts) {
  return {.pod = api::ObjectKey{facts.requester.ns, facts.requester.pod_name}.ToString(),
          .host_node = facts.pod.host_network ? facts.pod.node_name : ""};
}

}  // namespace

// The watch of one namespace's pods.
struct ClusterFacts::Namespace {
  Namespace(ClusterFacts& owner, const std::string& ns)
      : pods(owner.client_, api::kPods, {.ns = ns}, DecodePod, owner.clock_, owner.logger_,
             owner.executor_),
        group(owner.executor_) {}

  kube::Informer<csr_policy::PodFacts> pods;
  aio::TaskGroup group;
};

ClusterFacts::ClusterFacts(aio::Executor executor, kube::Client& client, const base::Clock& clock,
                           const base::Logger& logger)
    : executor_(executor),
      client_(client),
      clock_(clock),
      logger_(logger),
      changed_(executor),
      addresses_(executor, client, clock, logger) {}

ClusterFacts::~ClusterFacts() = default;

void ClusterFacts::SetPolicy(const csr_policy::CsrPolicy& policy) {
  wanted_ = policy.Namespaces();
  wants_addresses_ = JudgesAddresses(policy);
  changed_.Notify();
}

void ClusterFacts::StartWanted() {
  if (wants_addresses_) addresses_.Start();
  for (const std::string& name : wanted_) {
    if (namespaces_.contains(name)) continue;
    auto ns = std::make_unique<Namespace>(*this, name);
    ns->pods.AddObserver([this](const api::ObjectKey& pod) {
      if (observer_) observer_(pod);
    });
    ns->group.Spawn(ns->pods.Run());
    namespaces_.emplace(name, std::move(ns));
  }
}

aio::Task<void> ClusterFacts::Run() {
  absl::Status status;
  while (status.ok()) {
    StartWanted();
    std::vector<std::unique_ptr<Namespace>> unwanted;
    for (auto entry = namespaces_.begin(); entry != namespaces_.end();) {
      if (std::find(wanted_.begin(), wanted_.end(), entry->first) == wanted_.end()) {
        unwanted.push_back(std::move(entry->second));
        entry = namespaces_.erase(entry);
      } else {
        ++entry;
      }
    }
    for (const std::unique_ptr<Namespace>& ns : unwanted) co_await ns->group.Stop();
    if (!wants_addresses_) co_await addresses_.Stop();
    status = co_await changed_.Wait();
  }
  for (const auto& [name, ns] : namespaces_) co_await ns->group.Stop();
  co_await addresses_.Stop();
}

aio::Task<absl::Status> ClusterFacts::WaitForSync(absl::Duration timeout) {
  StartWanted();  // Run may not have had its turn yet
  const absl::Time end = clock_.SteadyNow() + std::min(timeout, kLongestSync);
  // By name, for a namespace may come or go while we wait.
  for (const std::string& name : std::vector<std::string>(wanted_)) {
    const auto found = namespaces_.find(name);
    const absl::Duration left = end - clock_.SteadyNow();
    if (found == namespaces_.end() || left <= absl::ZeroDuration()) continue;
    const absl::Status status = co_await found->second->pods.WaitForSync(left);
    if (absl::IsCancelled(status)) co_return status;
    if (!status.ok()) logger_.Warning("pods not listed yet", {{"namespace", name}});
  }
  if (!wants_addresses_) co_return absl::OkStatus();
  const absl::Status status = co_await addresses_.WaitForSync(end - clock_.SteadyNow());
  if (absl::IsCancelled(status)) co_return status;
  if (!status.ok()) {
    logger_.Warning("requests with IP addresses have to wait", {{"error", AddressHealth()}});
  }
  co_return absl::OkStatus();
}

absl::Status ClusterFacts::AddressHealth() const {
  return wants_addresses_ ? addresses_.Health() : absl::OkStatus();
}

void ClusterFacts::FillAddressOwners(csr_policy::CsrFacts& facts,
                                     const std::vector<AskedOwner>& asked) {
  facts.address_lookup = csr_policy::Lookup::kNotDone;
  facts.address_owners.clear();
  if (!wants_addresses_) return;
  std::vector<base::IpAddress> addresses = facts.pod.ips;
  const auto add = [&addresses](const std::vector<base::IpAddress>& more) {
    for (const base::IpAddress& address : more) {
      if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
        addresses.push_back(address);
      }
    }
  };
  if (facts.pod.host_network) {
    add(facts.pod.host_ips);
    add(facts.node_addresses);
  }
  auto others = addresses_.Others(addresses, SelfOf(facts));
  if (!others.ok()) return;
  facts.address_lookup = csr_policy::Lookup::kCached;
  for (csr_policy::AddressOwner& owner : *others) {
    const auto known = std::find_if(asked.begin(), asked.end(), [&owner](const AskedOwner& one) {
      return one.owner.address == owner.address && one.owner.kind == owner.kind &&
             one.owner.name == owner.name;
    });
    if (!owner.left && known != asked.end()) {
      if (known->holding == AddressWatch::Holding::kNo) continue;
      owner.live = true;
      owner.terminating = known->holding == AddressWatch::Holding::kTerminating;
    }
    facts.address_owners.push_back(std::move(owner));
  }
}

absl::Time ClusterFacts::FillFromCache(csr_policy::CsrFacts& facts) const {
  facts.pod = {};
  facts.pod_lookup = csr_policy::Lookup::kNotDone;
  facts.node_addresses.clear();
  facts.node_lookup = csr_policy::Lookup::kNotDone;
  const absl::Time now = clock_.SteadyNow();
  const csr_policy::Requester& requester = facts.requester;
  const auto found = namespaces_.find(requester.ns);
  if (found == namespaces_.end()) return now;
  const absl::Time current_at = found->second->pods.current_at();
  if (now - current_at > kFresh) return now;
  const auto pod = found->second->pods.store().Get({requester.ns, requester.pod_name});
  // Another UID means that one side is behind: a live look-up tells which.
  if (pod == nullptr || pod->uid != requester.pod_uid) return now;
  facts.pod = *pod;
  facts.pod_lookup = csr_policy::Lookup::kCached;
  const auto node = nodes_.find(facts.pod.node_name);
  if (!facts.pod.host_network || node == nodes_.end() || now - node->second.asked_at > kFresh) {
    return current_at;
  }
  facts.node_addresses = node->second.addresses;
  facts.node_lookup = csr_policy::Lookup::kCached;
  return std::min(current_at, node->second.asked_at);
}

aio::Task<absl::StatusOr<ClusterFacts::AskedOwner>> ClusterFacts::LookUpOwner(
    const csr_policy::CsrFacts& facts) {
  const auto owner =
      std::find_if(facts.address_owners.begin(), facts.address_owners.end(),
                   [&facts](const csr_policy::AddressOwner& one) {
                     const std::vector<base::IpAddress>& asked = facts.request->ip_addresses();
                     return !one.live && !one.left &&
                            std::find(asked.begin(), asked.end(), one.address) != asked.end();
                   });
  if (owner == facts.address_owners.end()) co_return absl::InternalError("no owner to look up");
  CALICO_CO_ASSIGN_OR_RETURN(const AddressWatch::Holding holding,
                             co_await addresses_.LookUp(*owner, SelfOf(facts)));
  co_return AskedOwner{*owner, holding};
}

aio::Task<absl::Status> ClusterFacts::LookUpPod(csr_policy::CsrFacts& facts) {
  const api::ObjectKey key{facts.requester.ns, facts.requester.pod_name};
  const absl::StatusOr<json::object> object = co_await client_.Get(api::kPods, key);
  if (absl::IsNotFound(object.status())) {
    facts.pod = {};
    facts.pod_lookup = csr_policy::Lookup::kAbsent;
    co_return absl::OkStatus();
  }
  CALICO_CO_RETURN_IF_ERROR(object.status());
  CALICO_CO_ASSIGN_OR_RETURN(const api::Pod pod, api::Pod::Decode(*object));
  // The node's addresses stay if it is the same node.
  if (facts.pod.node_name != pod.node_name) {
    facts.node_addresses.clear();
    facts.node_lookup = csr_policy::Lookup::kNotDone;
  }
  facts.pod = csr_policy::PodFactsOf(pod);
  facts.pod_lookup = csr_policy::Lookup::kLive;
  co_return absl::OkStatus();
}

aio::Task<absl::Status> ClusterFacts::LookUpNode(csr_policy::CsrFacts& facts) {
  const api::ObjectKey key{"", facts.pod.node_name};
  const absl::Time asked_at = clock_.SteadyNow();
  const absl::StatusOr<json::object> object = co_await client_.Get(api::kNodes, key);
  if (absl::IsNotFound(object.status())) {
    nodes_.erase(key.name);
    facts.node_addresses.clear();
    facts.node_lookup = csr_policy::Lookup::kAbsent;
    co_return absl::OkStatus();
  }
  CALICO_CO_RETURN_IF_ERROR(object.status());
  CALICO_CO_ASSIGN_OR_RETURN(const api::Node node, api::Node::Decode(*object));
  facts.node_addresses = csr_policy::AddressesOf(node);
  facts.node_lookup = csr_policy::Lookup::kLive;
  if (nodes_.size() >= kMostNodes) nodes_.clear();
  nodes_[key.name] = {asked_at, facts.node_addresses};
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<csr_policy::Decision>> ClusterFacts::Judge(
    csr_policy::CsrFacts& facts, const csr_policy::CsrPolicy& policy) {
  absl::Time as_of = FillFromCache(facts);
  std::vector<AskedOwner> asked;
  for (int round = 0; round < kMostRounds; ++round) {
    // After every wait, for another owner may have come meanwhile.
    FillAddressOwners(facts, asked);
    csr_policy::Decision decision = csr_policy::Evaluate(facts, policy);
    switch (decision.need) {
      case csr_policy::Need::kPod:
        CALICO_CO_RETURN_IF_ERROR(co_await LookUpPod(facts));
        break;
      case csr_policy::Need::kNode:
        CALICO_CO_RETURN_IF_ERROR(co_await LookUpNode(facts));
        break;
      case csr_policy::Need::kAddressOwner: {
        CALICO_CO_ASSIGN_OR_RETURN(AskedOwner owner, co_await LookUpOwner(facts));
        asked.push_back(std::move(owner));
        break;
      }
      case csr_policy::Need::kAddresses:
        decision.message += fmt::format(": {}", std::string(AddressHealth().message()));
        co_return decision;
      case csr_policy::Need::kTime:
        co_return decision;
      case csr_policy::Need::kNothing:
        if (clock_.SteadyNow() - as_of <= kFresh) co_return decision;
        as_of = FillFromCache(facts);
        asked.clear();
        break;
    }
  }
  co_return absl::InternalError("judge request: look-ups without end");
}

}  // namespace calico::csr
