// ClusterView: everything that the installation controller looks at, kept current by watches.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_H_

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/certificates/secret_view.h"
#include "operator/controllers/installation/cache_health.h"
#include "operator/controllers/installation/records.h"
#include "operator/controllers/status/certificate_health.h"
#include "operator/controllers/status/node_facts.h"
#include "operator/controllers/status/pod_record.h"
#include "operator/controllers/status/request_facts.h"
#include "operator/controllers/status/workload_health.h"
#include "operator/render/inputs.h"
#include "operator/render/names.h"
#include "pkg/aio/task.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/apps/workloads.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/pod.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::installation {

// How soon a change is worth a look: what the user did at once, what pods do a little later,
// because they come in crowds.
enum class Urgency { kNow, kSoon };

// Threading: event loop thread only. Lifetime: outlives its Run task.
class ClusterView {
 public:
  // All references outlive this.
  // `release`: as certificates::SecretView takes it.
  ClusterView(kube::Client& client, std::string operator_namespace, std::string_view release,
              const base::Clock& clock, const base::Logger& logger, aio::Executor executor);
  ~ClusterView();

  // Requires: before Run.
  void SetObserver(std::function<void(Urgency)> observer) { observer_ = std::move(observer); }

  aio::Task<void> Run();
  // OK once everything is known, or known to be out of reach: see Health. What can be looked at is
  // enough to begin with. Errors: kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);
  // Further caches, which somebody else runs: WaitForSync waits for them, and Health tells of them.
  // Requires: before Run.
  void AddCaches(std::function<std::vector<CacheState>()> states) {
    other_caches_.push_back(std::move(states));
  }
  // Their states have changed.
  void CachesChanged() { HealthChanged(); }
  // What cannot be looked at for the moment, with that of `more`. The attempts go on; the observer
  // is called when they succeed.
  CacheHealth Health(std::vector<CacheState> more = {}) const;
  // Why the definitions of our own kinds cannot be applied; OK: they can. Told by Health.
  void SetDefinitionsRefusal(absl::Status refusal);
  // OK once the API server does not serve our own kinds, although it did. Errors: kCancelled.
  aio::Task<absl::Status> WaitForLostKind();
  // Whether these have been read at all: while they have not, nothing is known about them.
  bool KnowsInstallation() const { return installations_.HasSynced(); }
  // False while the API server does not serve the kind: what is cached is gone, and what is made
  // for it would be collected at once.
  bool ServesInstallations() const;
  bool KnowsEndpoint() const { return endpoint_.HasSynced(); }
  bool KnowsBgpLayout() const { return bgp_layout_.HasSynced(); }
  bool KnowsBirdTemplates() const { return bird_templates_.HasSynced(); }
  bool KnowsStatus() const { return statuses_.HasSynced(); }
  bool KnowsNodes() const { return nodes_.HasSynced(); }
  bool KnowsWorkloads() const {
    return owned_.HasSynced(api::kDaemonSets) && owned_.HasSynced(api::kDeployments);
  }

  // Those that nobody acts on, and `overlay`.
  std::vector<std::shared_ptr<const OtherInstallation>> OtherInstallations() const {
    return others_.store().List();
  }
  bool KnowsOverlay() const { return others_.HasSynced(); }
  // What is merged into the Installation; null if there is none.
  std::shared_ptr<const OtherInstallation> Overlay() const;
  // Null if there is none.
  std::shared_ptr<const InstallationRecord> Installation() const;
  std::shared_ptr<const api::TigeraStatus> Status() const;
  status::NodeList Nodes() const { return nodes_.store().List(); }
  // Of the ConfigMap kubernetes-services-endpoint; nullopt without one, or when it has neither
  // value. Requires: KnowsEndpoint. Errors: InvalidArgument naming the ConfigMap, the key and what
  // to write.
  absl::StatusOr<std::optional<render::ApiEndpoint>> Endpoint() const;
  // The same for pods of the pods' network.
  absl::StatusOr<std::optional<render::ApiEndpoint>> PodEndpoint() const;
  // The data of ConfigMap bgp-layout; absent without one. Requires: KnowsBgpLayout.
  std::optional<api::StringMap> BgpLayout() const;
  // The data of ConfigMap bird-templates; empty without one. Requires: KnowsBirdTemplates.
  api::StringMap BirdTemplates() const;
  // Null: not there, or not readable.
  std::shared_ptr<const api::DaemonSet> FindDaemonSet(std::string_view name) const;
  std::shared_ptr<const api::Deployment> FindDeployment(
      std::string_view name, std::string_view ns = render::kCalicoNamespace) const;
  status::WorkloadPods PodsOfDaemonSet(std::string_view name) const;
  status::WorkloadPods PodsOfDeployment(std::string_view name,
                                        std::string_view ns = render::kCalicoNamespace) const;
  // Live pods of these workloads that wait for a certificate, with the requests under their own
  // names.
  std::vector<status::WaitingPod> WaitingPods(std::initializer_list<std::string_view> workloads,
                                              std::string_view ns = render::kCalicoNamespace) const;
  // Watches what is made and runs in this namespace, too, from now on, and waits a moment for it;
  // calico-system is watched anyway. Requires: calico-system or calico-apiserver, and Run is
  // running. Errors: as WaitForSync. Cancellation: total.
  aio::Task<absl::Status> WatchNamespace(std::string_view ns);
  kube::LiveObjects& owned() { return owned_; }

  // Watches the requests for that signer from now on, and no others; waits a moment for them, so
  // that a restarted operator does not forget a denial. OK also when Health tells why they are not
  // known. Errors: kDeadlineExceeded: not known yet; kUnavailable: not known for so long that
  // somebody has to look; kCancelled. Cancellation: total.
  aio::Task<absl::Status> WatchRequests(std::string signer_name);
  // Watches the copies of pull secrets from now on if they `are_used`, or if some are left, which
  // is asked once. Without the right to look there are none. Cancellation: total.
  aio::Task<void> WatchCopies(bool are_used);
  // What certificates are made from, and pull secrets. LiveObjects does not see the Secrets of
  // certificates.
  certificates::SecretView& secrets() { return secrets_; }

 private:
  struct Requests;

  // Of the ConfigMap's keys with this ending.
  absl::StatusOr<std::optional<render::ApiEndpoint>> ReadEndpoint(std::string_view suffix) const;

  template <class T>
  kube::Informer<T> MakeInformer(const api::Resource& resource, kube::ReflectorOptions options,
                                 typename kube::Informer<T>::Decoder decoder);
  kube::Informer<status::PodRecord> MakePodInformer(std::string ns);
  void Changed(Urgency urgency) {
    if (observer_) observer_(urgency);
  }
  // Calls `visit` for each informer there is, and with whether it is vital (CacheState).
  template <class Visit>
  void VisitInformers(Visit visit) const;
  bool UsesPullSecrets() const;
  bool UsesImageSet() const;
  bool IsMissed(const api::Resource& owned) const;
  std::vector<CacheState> CacheStates() const;
  void HealthChanged();
  bool HasLostKind() const;
  // Of the requests that are watched: told of by Health, so that waiting for them is of no use.
  bool RequestsAreOutOfReach() const;
  void InstallationChanged();
  template <class T>
  std::shared_ptr<const T> DecodeOwned(const api::Resource& resource, std::string_view name,
                                       std::string_view ns) const;
  status::WorkloadPods PodsOf(std::string_view app, std::string_view ns,
                              absl::FunctionRef<bool(const status::PodOrigin&)> is_ours) const;
  std::string NewestRevisionOfDaemonSet(std::string_view name) const;
  std::string NewestRevisionOfDeployment(std::string_view name, std::string_view ns) const;

  kube::Client& client_;
  const std::string operator_namespace_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const aio::Executor executor_;
  std::function<void(Urgency)> observer_;
  std::vector<std::function<std::vector<CacheState>()>> other_caches_;

  kube::Informer<InstallationRecord> installations_;
  kube::Informer<OtherInstallation> others_;
  kube::Informer<api::TigeraStatus> statuses_;
  kube::Informer<status::NodeFacts> nodes_;
  kube::Informer<api::ConfigMap> endpoint_;
  kube::Informer<api::ConfigMap> bgp_layout_;
  kube::Informer<api::ConfigMap> bird_templates_;
  kube::Informer<status::PodRecord> pods_;
  kube::Informer<api::ReplicaSet> replica_sets_;
  kube::Informer<api::ControllerRevision> revisions_;
  // Of calico-apiserver; they run only once something is wanted there.
  kube::Informer<status::PodRecord> api_server_pods_;
  kube::Informer<api::ReplicaSet> api_server_replica_sets_;
  bool watches_api_server_namespace_ = false;
  kube::LiveObjects owned_;
  certificates::SecretView secrets_;

  aio::TaskGroup group_;
  aio::Notifier health_changed_;
  aio::Notifier kind_lost_;
  absl::Time started_ = absl::InfiniteFuture();  // steady clock
  aio::Notifier forever_;                        // never set: Run waits on it until it is cancelled
  std::unique_ptr<Requests> requests_;
  bool has_asked_for_copies_ = false;
  absl::Status definitions_refusal_;
  std::pair<std::string, std::int64_t> seen_installation_;
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_H_
