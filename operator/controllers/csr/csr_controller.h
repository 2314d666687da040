// CsrController: watches the CertificateSigningRequests of its signer names, judges each, and
// approves and signs or denies it.
//
//   pending -> judge -> sign -> PUT approval -> PUT status     (two writes, no reads)
//                    -> PUT approval with Denied
//
// Requests are judged as a whole each time they come up, so a restart in the middle, a lost answer
// or another writer change nothing: what is approved already is judged again and then signed, or
// marked Failed when the policy does not allow it. A certificate is stored only in an approved
// request. Events and log lines say what was decided and by which rule.
//
// Requesters (user name and pod) take turns: thousands of requests of one do not delay another's.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_CSR_CONTROLLER_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_CSR_CONTROLLER_H_

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/csr/ca_source.h"
#include "operator/controllers/csr/cluster_facts.h"
#include "operator/controllers/csr/metrics.h"
#include "operator/controllers/csr/pending_csr.h"
#include "operator/controllers/csr/policy_source.h"
#include "operator/controllers/csr/repeat_filter.h"
#include "pkg/aio/thread_pool.h"
#include "pkg/controller/controller.h"
#include "pkg/controller/work_queue.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"

namespace calico::csr {

struct CsrControllerOptions {
  std::vector<std::string> signer_names;
  absl::Duration longest_validity = absl::Hours(8760);
  // Never approve or deny; sign what somebody else has approved and the policy allows.
  bool sign_approved_only = false;
  // Requests in work at the same time; each holds one connection, of about 80 kB, while it waits
  // for an answer. Fewer than 48 leave the API server's disk waiting.
  int concurrency = 48;
  // Text of waiting requests kept in memory; the rest is read again when its turn comes.
  size_t pending_bytes = 4 << 20;
};

// Threading: event loop thread only. Lifetime: all references outlive it, it outlives its tasks.
class CsrController {
 public:
  struct Dependencies {
    kube::Client& client;
    PolicySource& policies;
    CaSource& ca;
    ClusterFacts& cluster;
    kube::EventRecorder& events;
    Metrics& metrics;
    const base::Clock& clock;
    const base::Logger& logger;
  };

  CsrController(aio::Executor executor, Dependencies dependencies, CsrControllerOptions options);
  ~CsrController();

  // The watches, one for each signer name; for Manager::AddCache.
  struct Cache {
    std::string name;
    std::function<aio::Task<void>()> run;
    std::function<aio::Task<absl::Status>(absl::Duration)> wait_for_sync;
  };
  std::vector<Cache> Caches();

  // Works until cancelled.
  aio::Task<void> Run();

  // Tries at once what waits, after something that it may wait for has come.
  void RetryWaiting();

  // Waiting requests, and those in work.
  size_t pending() const;

 private:
  using CsrInformer = kube::Informer<PendingCsr>;
  using Reconciled = absl::StatusOr<controller::Result>;

  // One request while it is handled.
  struct Work {
    json::object object;  // as it is now on the server
    csr_policy::CsrFacts facts;
    absl::Time began;
  };
  struct Waiting {
    std::string uid;
    api::ObjectKey pod;
    absl::Time since;  // steady clock
    int rounds = 0;
    std::string reason;  // that was logged last, then
    absl::Time logged_at = absl::InfinitePast();
    bool is_told = false;  // by an Event, of that reason
  };

  aio::Task<Reconciled> Reconcile(api::ObjectKey key);
  // Reads it where `pending` does not hold it, and handles it, again after each conflict.
  aio::Task<Reconciled> ReadAndHandle(api::ObjectKey key, const PendingCsr& pending);
  aio::Task<Reconciled> Handle(Work& work);
  aio::Task<Reconciled> Grant(Work& work, const csr_policy::CsrPolicyEntry& entry);
  aio::Task<Reconciled> Refuse(Work& work, const csr_policy::Decision& decision);
  // Since it was first judged; zero at that time.
  absl::Duration Waited(const api::CertificateSigningRequest& csr) const;
  Reconciled WaitForCa(const Work& work);
  // An Event tells on the request why, once that has lasted for `quiet`.
  Reconciled WaitForCluster(const Work& work, const csr_policy::Decision& decision,
                            absl::Duration quiet);
  void TellWait(const api::CertificateSigningRequest& csr, std::string reason, absl::Duration quiet,
                Waiting& waiting);
  aio::Task<absl::StatusOr<IssuedCertificate>> Sign(const Work& work,
                                                    const csr_policy::CsrPolicyEntry& entry);
  // PUT of the object with `add` and the certificate; work.object becomes the answer.
  aio::Task<absl::Status> Write(Work& work, std::string_view subresource,
                                std::optional<NewCondition> add,
                                std::string_view certificate_pem = {});

  kube::Store<PendingCsr>::Pointer Find(const api::ObjectKey& key) const;
  void OnPodChange(const api::ObjectKey& pod);
  void Finish(const Work& work, Outcome outcome);
  void Forget(const std::string& name);
  // Of what was signed: `message` and all that an auditor needs.
  void LogCertificate(std::string_view message, const Work& work,
                      const csr_policy::CsrPolicyEntry& entry,
                      const IssuedCertificate& certificate) const;
  // One line and one Event of refusals of one requester by one rule.
  void TellRefusal(const Work& work, const csr_policy::Decision& decision, bool approved);
  static kube::EventSubject SubjectOf(const api::CertificateSigningRequest& csr);

  const CsrControllerOptions options_;
  Dependencies on_;
  std::vector<std::unique_ptr<CsrInformer>> informers_;
  controller::WorkQueue queue_;  // its flows are of what the informers hold
  aio::ThreadPool pool_;
  // Name -> UID of requests that we have finished while the watch still shows them as they were.
  absl::flat_hash_map<std::string, std::string> finished_;
  absl::flat_hash_map<std::string, Waiting> waiting_;
  absl::flat_hash_map<api::ObjectKey, std::set<std::string>> waiting_for_pod_;
  RepeatFilter refusals_;
  bool large_in_work_ = false;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_CSR_CONTROLLER_H_
