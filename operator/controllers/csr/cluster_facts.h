// ClusterFacts: pods, node addresses and other holders of addresses for verdicts, from caches
// first, from the API server when a verdict would otherwise rest on something old.
//
// The pods of the policy's namespaces are watched. That saves a GET per request; it is not needed
// for correctness, so a namespace that cannot be listed only costs speed. No verdict rests on a pod
// or a node's addresses as they were more than 30 seconds ago: a watch that has told nothing new
// for so long, or that replays after a reconnect, does not count, and the API server is asked.
//
// While the policy has an entry that judges IP addresses, all Services, Nodes and Pods are watched
// for theirs (AddressWatch says how current that is). A request with addresses waits while that is
// not known; one without them does not.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_CLUSTER_FACTS_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_CLUSTER_FACTS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/csr/address_watch.h"
#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/policy.h"
#include "operator/csr_policy/rules.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::csr {

// Threading: event loop thread only. Lifetime: outlives its tasks; all references outlive it.
class ClusterFacts {
 public:
  using PodObserver = std::function<void(const api::ObjectKey& pod)>;

  ClusterFacts(aio::Executor executor, kube::Client& client, const base::Clock& clock,
               const base::Logger& logger);
  ~ClusterFacts();

  // Told of each change of a watched pod. Requires: before Run.
  void SetPodObserver(PodObserver observer) { observer_ = std::move(observer); }
  // Told when requests that waited to know who else has their addresses can go on. Requires: before
  // Run.
  void SetAddressObserver(std::function<void()> observer) {
    addresses_.SetObserver(std::move(observer));
  }
  // What the policy needs is watched from now on.
  void SetPolicy(const csr_policy::CsrPolicy& policy);
  // Watches until cancelled.
  aio::Task<void> Run();
  // Waits for the first lists, but no longer than a few seconds: a cache is a help, not a need.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);

  // OK unless the policy judges addresses and it is not known who has them; then why.
  absl::Status AddressHealth() const;

  // Looks up what is missing and evaluates, until the verdict needs nothing that can be looked up:
  // approve, deny, or retry later (Need::kTime). Look-ups that take long are begun anew: at the
  // verdict nothing is older than 30 seconds, and the index of addresses is asked last. `facts` is
  // left as judged.
  // Errors: of a look-up; never for a pod or node that does not exist. Lifetime: the arguments
  // outlive the task. Cancellation: total.
  aio::Task<absl::StatusOr<csr_policy::Decision>> Judge(csr_policy::CsrFacts& facts,
                                                        const csr_policy::CsrPolicy& policy);

 private:
  struct Namespace;
  struct NodeEntry {
    absl::Time asked_at;  // steady clock
    std::vector<base::IpAddress> addresses;
  };

  // What the API server has said of an owner of an address while a request was judged.
  struct AskedOwner {
    csr_policy::AddressOwner owner;
    AddressWatch::Holding holding;
  };

  // Returns how old the oldest fact is that it has found: a time of the steady clock, now if none.
  absl::Time FillFromCache(csr_policy::CsrFacts& facts) const;
  // Who else holds what the pod and its node hold, which is all that may be asked for.
  void FillAddressOwners(csr_policy::CsrFacts& facts, const std::vector<AskedOwner>& asked);
  aio::Task<absl::Status> LookUpPod(csr_policy::CsrFacts& facts);
  aio::Task<absl::Status> LookUpNode(csr_policy::CsrFacts& facts);
  // The first owner of a requested address that was not asked for.
  aio::Task<absl::StatusOr<AskedOwner>> LookUpOwner(const csr_policy::CsrFacts& facts);
  void StartWanted();

  aio::Executor executor_;
  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  PodObserver observer_;
  std::vector<std::string> wanted_;
  bool wants_addresses_ = false;
  aio::Notifier changed_;
  std::map<std::string, std::unique_ptr<Namespace>> namespaces_;
  AddressWatch addresses_;
  absl::flat_hash_map<std::string, NodeEntry> nodes_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_CLUSTER_FACTS_H_
