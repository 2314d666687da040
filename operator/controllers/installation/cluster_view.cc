#include "operator/controllers/installation/cluster_view.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/controllers/installation/cluster_view_requests.h"
#include "operator/render/names.h"
#include "operator/validation/api_endpoint.h"
#include "pkg/api/meta/label_selector.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/client/errors.h"
#include "pkg/pki/verify.h"

namespace calico::installation {
namespace {

constexpr std::string_view kEndpointConfigMap = "kubernetes-services-endpoint";
constexpr absl::Duration kRequestsTimeout = absl::Seconds(2);
constexpr absl::Duration kRequestsPatience = absl::Seconds(30);
constexpr absl::Duration kNamespaceTimeout = absl::Seconds(2);
constexpr std::string_view kNotOpaque = "type!=Opaque";

std::string CalicoNamespace() { return std::string(render::kCalicoNamespace); }
std::string ApiServerNamespace() { return std::string(render::kApiServerNamespace); }

std::string NameSelector(std::string_view name) { return fmt::format("metadata.name={}", name); }

// A decoder that keeps every object that T::Decode can read.
template <class T>
absl::StatusOr<std::optional<T>> KeepAll(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(T decoded, T::Decode(object));
  return std::optional<T>(std::move(decoded));
}

// The workloads whose pods ask for a certificate, and for which side of a connection it is:
// calico-node is a client of typha, and typha its server, as Calico's API server is one.
struct CertificateUser {
  std::string_view workload;
  bool is_daemon_set = false;
  std::string_view provisioner;  // the init container
  std::string_view common_name;
  pki::ExtendedKeyUsage usage;
};
constexpr CertificateUser kCertificateUsers[] = {
    {render::kNode, true, render::kNodeProvisioner, render::kNodeCommonName,
     pki::ExtendedKeyUsage::kClientAuth},
    {render::kTypha, false, render::kTyphaProvisioner, render::kTyphaCommonName,
     pki::ExtendedKeyUsage::kServerAuth},
    {render::kApiServer, false, render::kApiServerProvisioner, render::kApiServerCommonName,
     pki::ExtendedKeyUsage::kServerAuth},
};

const CertificateUser* FindCertificateUser(std::string_view workload) {
  const auto* const found =
      std::find_if(std::begin(kCertificateUsers), std::end(kCertificateUsers),
                   [&](const CertificateUser& user) { return user.workload == workload; });
  return found == std::end(kCertificateUsers) ? nullptr : found;
}

std::vector<kube::LiveKind> OwnedKinds() {
  using When = kube::LiveKind::When;
  const std::string ns = CalicoNamespace();
  return {{&api::kNamespaces, ""},
          {&api::kServiceAccounts, ns},
          {&api::kConfigMaps, ns},
          {&api::kServices, ns},
          {&api::kResourceQuotas, ns},
          {&api::kPodDisruptionBudgets, ns},
          {&api::kClusterRoles, ""},
          {&api::kClusterRoleBindings, ""},
          {&api::kRoles, ns},
          {&api::kRoleBindings, ""},
          {&api::kCsiDrivers, ""},
          {&api::kApiServices, ""},
          {&api::kDaemonSets, ns},
          {&api::kDeployments, ns},
          {&api::kValidatingAdmissionPolicies, "", When::kIfServed},
          {&api::kValidatingAdmissionPolicyBindings, "", When::kIfServed},
          {&api::kServiceAccounts, ApiServerNamespace(), When::kInNamespace},
          {&api::kServices, ApiServerNamespace(), When::kInNamespace},
          {&api::kNetworkPolicies, ApiServerNamespace(), When::kInNamespace},
          {&api::kDeployments, ApiServerNamespace(), When::kInNamespace},
          // Copies of pull secrets; the Secrets of certificates are Opaque.
          {&api::kSecrets, ns, When::kLater, std::string(kNotOpaque)},
          {&api::kSecrets, ApiServerNamespace(), When::kLaterInNamespace, std::string(kNotOpaque)}};
}

std::string OwnedSelector() {
  return api::LabelSelector()
      .Equals(render::kManagedByLabel, render::kManagedBy)
      .Equals(render::kInstanceLabel, api::kInstallationName)
      .ToString();
}

}  // namespace

template <class T>
kube::Informer<T> ClusterView::MakeInformer(const api::Resource& resource,
                                            kube::ReflectorOptions options,
                                            typename kube::Informer<T>::Decoder decoder) {
  return kube::Informer<T>(client_, resource, std::move(options), std::move(decoder), clock_,
                           logger_, executor_);
}

kube::Informer<status::PodRecord> ClusterView::MakePodInformer(std::string ns) {
  return MakeInformer<status::PodRecord>(
      api::kPods, {.ns = std::move(ns)},
      [decoder = std::make_shared<status::PodRecordDecoder>(clock_)](const json::object& object) {
        return decoder->Decode(object);
      });
}

ClusterView::ClusterView(kube::Client& client, std::string operator_namespace,
                         std::string_view release, const base::Clock& clock,
                         const base::Logger& logger, aio::Executor executor)
    : client_(client),
      operator_namespace_(std::move(operator_namespace)),
      clock_(clock),
      logger_(logger),
      executor_(executor),
      installations_(MakeInformer<InstallationRecord>(
          api::kInstallations, {.field_selector = NameSelector(api::kInstallationName)},
          &InstallationRecord::Decode)),
      others_(MakeInformer<OtherInstallation>(
          api::kInstallations,
          {.field_selector = fmt::format("metadata.name!={}", api::kInstallationName)},
          &OtherInstallation::Decode)),
      statuses_(MakeInformer<api::TigeraStatus>(
          api::kTigeraStatuses, {.field_selector = NameSelector(api::kTigeraStatusCalico)},
          &KeepAll<api::TigeraStatus>)),
      nodes_(MakeInformer<status::NodeFacts>(
          api::kNodes, {},
          [decoder = std::make_shared<status::NodeFactsDecoder>()](const json::object& object) {
            return decoder->Decode(object);
          })),
      endpoint_(MakeInformer<api::ConfigMap>(
          api::kConfigMaps,
          {.ns = operator_namespace_, .field_selector = NameSelector(kEndpointConfigMap)},
          &KeepAll<api::ConfigMap>)),
      bgp_layout_(MakeInformer<api::ConfigMap>(
          api::kConfigMaps,
          {.ns = operator_namespace_, .field_selector = NameSelector(render::kBgpLayout)},
          &KeepAll<api::ConfigMap>)),
      bird_templates_(MakeInformer<api::ConfigMap>(
          api::kConfigMaps,
          {.ns = operator_namespace_, .field_selector = NameSelector(render::kBirdTemplates)},
          &KeepAll<api::ConfigMap>)),
      pods_(MakePodInformer(CalicoNamespace())),
      replica_sets_(MakeInformer<api::ReplicaSet>(api::kReplicaSets, {.ns = CalicoNamespace()},
                                                  &KeepAll<api::ReplicaSet>)),
      revisions_(MakeInformer<api::ControllerRevision>(
          api::kControllerRevisions, {.ns = CalicoNamespace()}, &KeepAll<api::ControllerRevision>)),
      api_server_pods_(MakePodInformer(ApiServerNamespace())),
      api_server_replica_sets_(MakeInformer<api::ReplicaSet>(
          api::kReplicaSets, {.ns = ApiServerNamespace()}, &KeepAll<api::ReplicaSet>)),
      owned_(client, OwnedKinds(), OwnedSelector(), std::string(render::kFieldManager), clock,
             logger, executor),
      secrets_(client, operator_namespace_, release, std::string(render::kFieldManager), clock,
               logger, executor),
      group_(executor),
      health_changed_(executor),
      kind_lost_(executor),
      forever_(executor) {
  const auto soon = [this](const api::ObjectKey&) { Changed(Urgency::kSoon); };
  installations_.AddObserver([this](const api::ObjectKey&) { InstallationChanged(); });
  nodes_.AddObserver(soon);  // not of heartbeats: they change nothing that is kept
  endpoint_.AddObserver([this](const api::ObjectKey&) { Changed(Urgency::kNow); });
  bgp_layout_.AddObserver(soon);
  bird_templates_.AddObserver(soon);
  others_.AddObserver([this](const api::ObjectKey&) { Changed(Urgency::kNow); });
  statuses_.AddObserver(soon);
  pods_.AddObserver(soon);
  api_server_pods_.AddObserver(soon);
  api_server_replica_sets_.AddObserver(soon);
  replica_sets_.AddObserver(soon);
  revisions_.AddObserver(soon);
  owned_.AddObserver(
      [this](const api::Resource&, const api::ObjectKey&) { Changed(Urgency::kSoon); });
  owned_.SetCovered(&secrets_);
  secrets_.SetObserver([this](const api::Resource& resource, const api::ObjectKey& key) {
    if (secrets_.Covers(resource, key)) owned_.CoveredChanged(resource, key);
    Changed(Urgency::kSoon);
  });
  const auto health = [this] { HealthChanged(); };
  installations_.AddHealthObserver(health);
  others_.AddHealthObserver(health);
  statuses_.AddHealthObserver(health);
  nodes_.AddHealthObserver(health);
  endpoint_.AddHealthObserver(health);
  bgp_layout_.AddHealthObserver(health);
  bird_templates_.AddHealthObserver(health);
  pods_.AddHealthObserver(health);
  api_server_pods_.AddHealthObserver(health);
  api_server_replica_sets_.AddHealthObserver(health);
  replica_sets_.AddHealthObserver(health);
  revisions_.AddHealthObserver(health);
  owned_.SetHealthObserver(health);
  secrets_.SetHealthObserver(health);
}

ClusterView::~ClusterView() = default;

// Status updates, our own among them, can wait.
void ClusterView::InstallationChanged() {
  const std::shared_ptr<const InstallationRecord> record = Installation();
  std::pair<std::string, std::int64_t> now;
  if (record != nullptr) now = {record->uid + (record->deleting ? "-" : ""), record->generation};
  const bool is_new = now != seen_installation_;
  seen_installation_ = std::move(now);
  Changed(is_new ? Urgency::kNow : Urgency::kSoon);
}

aio::Task<void> ClusterView::Run() {
  started_ = clock_.SteadyNow();
  group_.Spawn(installations_.Run());
  group_.Spawn(others_.Run());
  group_.Spawn(statuses_.Run());
  group_.Spawn(nodes_.Run());
  group_.Spawn(endpoint_.Run());
  group_.Spawn(bgp_layout_.Run());
  group_.Spawn(bird_templates_.Run());
  group_.Spawn(pods_.Run());
  group_.Spawn(replica_sets_.Run());
  group_.Spawn(revisions_.Run());
  group_.Spawn(owned_.Run());
  group_.Spawn(secrets_.Run());
  const absl::Status ignored = co_await forever_.Wait();
  if (requests_ != nullptr) co_await requests_->group.Stop();
  co_await group_.Stop();
}

std::shared_ptr<const InstallationRecord> ClusterView::Installation() const {
  return installations_.store().Get({"", std::string(api::kInstallationName)});
}

std::shared_ptr<const OtherInstallation> ClusterView::Overlay() const {
  return others_.store().Get({"", std::string(api::kOverlayName)});
}

std::shared_ptr<const api::TigeraStatus> ClusterView::Status() const {
  return statuses_.store().Get({"", std::string(api::kTigeraStatusCalico)});
}

absl::StatusOr<std::optional<render::ApiEndpoint>> ClusterView::Endpoint() const {
  return ReadEndpoint("");
}

absl::StatusOr<std::optional<render::ApiEndpoint>> ClusterView::PodEndpoint() const {
  return ReadEndpoint(validation::kPodNetworkSuffix);
}

std::optional<api::StringMap> ClusterView::BgpLayout() const {
  const auto config =
      bgp_layout_.store().Get({operator_namespace_, std::string(render::kBgpLayout)});
  if (config == nullptr) return std::nullopt;
  return config->data;
}

api::StringMap ClusterView::BirdTemplates() const {
  const auto config =
      bird_templates_.store().Get({operator_namespace_, std::string(render::kBirdTemplates)});
  return config == nullptr ? api::StringMap() : config->data;
}

absl::StatusOr<std::optional<render::ApiEndpoint>> ClusterView::ReadEndpoint(
    std::string_view suffix) const {
  const auto config = endpoint_.store().Get({operator_namespace_, std::string(kEndpointConfigMap)});
  if (config == nullptr) return std::nullopt;
  const validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      config->Get(fmt::format("{}{}", validation::kServiceHostKey, suffix)),
      config->Get(fmt::format("{}{}", validation::kServicePortKey, suffix)), suffix);
  if (!verdict.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("ConfigMap {}/{}: {}; what runs keeps the address that it has",
                    operator_namespace_, kEndpointConfigMap, fmt::join(verdict.problems, "; ")));
  }
  if (verdict.empty()) return std::nullopt;
  return render::ApiEndpoint{verdict.host, verdict.port};
}

template <class T>
std::shared_ptr<const T> ClusterView::DecodeOwned(const api::Resource& resource,
                                                  std::string_view name,
                                                  std::string_view ns) const {
  const auto live = owned_.Get(resource, {std::string(ns), std::string(name)});
  if (live == nullptr) return nullptr;
  absl::StatusOr<T> decoded = T::Decode(live->Parse());
  return decoded.ok() ? std::make_shared<const T>(*std::move(decoded)) : nullptr;
}

std::shared_ptr<const api::DaemonSet> ClusterView::FindDaemonSet(std::string_view name) const {
  return DecodeOwned<api::DaemonSet>(api::kDaemonSets, name, render::kCalicoNamespace);
}

std::shared_ptr<const api::Deployment> ClusterView::FindDeployment(std::string_view name,
                                                                   std::string_view ns) const {
  return DecodeOwned<api::Deployment>(api::kDeployments, name, ns);
}

// Pods with the label that `is_ours`: a label alone proves nothing.
status::WorkloadPods ClusterView::PodsOf(
    std::string_view app, std::string_view ns,
    absl::FunctionRef<bool(const status::PodOrigin&)> is_ours) const {
  status::WorkloadPods found;
  const auto& pods = ns == render::kCalicoNamespace ? pods_ : api_server_pods_;
  for (auto& record : pods.store().List()) {
    if (record->origin->app != app || !is_ours(*record->origin)) continue;
    if (record->is_quiet()) {
      found.quiet.push_back(std::move(record));
    } else {
      found.pods.push_back(record->pod);
    }
  }
  if (const CertificateUser* const user = FindCertificateUser(app)) {
    found.provisioner = user->provisioner;
  }
  return found;
}

std::string ClusterView::NewestRevisionOfDaemonSet(std::string_view name) const {
  std::shared_ptr<const api::ControllerRevision> newest;
  for (const auto& revision : revisions_.store().List()) {
    const api::OwnerReference* const owner = revision->meta.Controller();
    if (owner == nullptr || owner->name != name) continue;
    if (newest == nullptr || newest->revision < revision->revision) newest = revision;
  }
  return newest == nullptr ? "" : newest->controller_revision_hash;
}

std::string ClusterView::NewestRevisionOfDeployment(std::string_view name,
                                                    std::string_view ns) const {
  std::shared_ptr<const api::ReplicaSet> newest;
  const auto& sets = ns == render::kCalicoNamespace ? replica_sets_ : api_server_replica_sets_;
  for (const auto& set : sets.store().List()) {
    const api::OwnerReference* const owner = set->meta.Controller();
    if (owner == nullptr || owner->name != name) continue;
    if (newest == nullptr || newest->revision < set->revision) newest = set;
  }
  return newest == nullptr ? "" : newest->pod_template_hash;
}

status::WorkloadPods ClusterView::PodsOfDaemonSet(std::string_view name) const {
  const auto set = owned_.Get(api::kDaemonSets, {CalicoNamespace(), std::string(name)});
  status::WorkloadPods pods =
      PodsOf(name, render::kCalicoNamespace, [&](const status::PodOrigin& origin) {
        return set != nullptr && origin.owner_kind == api::kDaemonSets.kind &&
               origin.owner_uid == set->uid;
      });
  pods.newest_revision = NewestRevisionOfDaemonSet(name);
  return pods;
}

status::WorkloadPods ClusterView::PodsOfDeployment(std::string_view name,
                                                   std::string_view ns) const {
  // The Deployment controller names a ReplicaSet after the Deployment and the hash of its template.
  status::WorkloadPods pods = PodsOf(name, ns, [&](const status::PodOrigin& origin) {
    const std::string& hash = origin.pod_template_hash;
    return origin.owner_kind == api::kReplicaSets.kind && !hash.empty() &&
           origin.owner_name == fmt::format("{}-{}", name, hash);
  });
  pods.newest_revision = NewestRevisionOfDeployment(name, ns);
  return pods;
}

std::vector<status::WaitingPod> ClusterView::WaitingPods(
    std::initializer_list<std::string_view> workloads, std::string_view ns) const {
  std::vector<status::WaitingPod> waiting;
  if (requests_ == nullptr) return waiting;
  for (const CertificateUser& user : kCertificateUsers) {
    if (std::find(workloads.begin(), workloads.end(), user.workload) == workloads.end()) continue;
    const status::WorkloadPods pods =
        user.is_daemon_set ? PodsOfDaemonSet(user.workload) : PodsOfDeployment(user.workload, ns);
    for (const auto& pod : pods.pods) {
      if (!status::WaitsForCertificate(*pod, pods.provisioner)) continue;
      waiting.push_back(
          {.pod = pod,
           .provisioner = pods.provisioner,
           .common_name = user.common_name,
           .usage = user.usage,
           .request = requests_->informer.store().Get({"", status::RequestName(*pod)})});
    }
  }
  return waiting;
}

aio::Task<absl::Status> ClusterView::WatchNamespace(std::string_view ns) {
  if (ns == render::kCalicoNamespace) co_return absl::OkStatus();
  if (!std::exchange(watches_api_server_namespace_, true)) {
    group_.Spawn(api_server_pods_.Run());
    group_.Spawn(api_server_replica_sets_.Run());
  }
  co_return co_await owned_.StartNamespace(std::string(ns), kNamespaceTimeout);
}

aio::Task<absl::Status> ClusterView::WatchRequests(std::string signer_name) {
  if (requests_ == nullptr || requests_->signer_name != signer_name) {
    if (requests_ != nullptr) co_await requests_->group.Stop();
    requests_ =
        std::make_unique<Requests>(std::move(signer_name), client_, clock_, logger_, executor_);
    requests_->informer.AddObserver([this](const api::ObjectKey&) { Changed(Urgency::kSoon); });
    requests_->informer.AddHealthObserver([this] { HealthChanged(); });
    requests_->group.Spawn(requests_->informer.Run());
  }
  if (RequestsAreOutOfReach()) co_return absl::OkStatus();
  const absl::Status synced = co_await requests_->informer.WaitForSync(kRequestsTimeout);
  const absl::Duration waited = clock_.SteadyNow() - requests_->since;
  if (!absl::IsDeadlineExceeded(synced) || waited < kRequestsPatience) co_return synced;
  co_return absl::UnavailableError(fmt::format(
      "list CertificateSigningRequests for signer {}: not possible for {} s; may the operator list "
      "and watch them?",
      requests_->signer_name, absl::ToInt64Seconds(kRequestsPatience)));
}

aio::Task<void> ClusterView::WatchCopies(bool are_used) {
  if (are_used) owned_.StartLater();
  if (are_used || std::exchange(has_asked_for_copies_, true)) co_return;
  bool is_any = false;
  const absl::Status listed = (co_await client_.List(api::kSecrets,
                                                     {.ns = CalicoNamespace(),
                                                      .label_selector = OwnedSelector(),
                                                      .field_selector = std::string(kNotOpaque)},
                                                     [&is_any](const json::object&) {
                                                       is_any = true;
                                                       return absl::OkStatus();
                                                     }))
                                  .status();
  if (is_any) owned_.StartLater();
  has_asked_for_copies_ = listed.ok() || kube::IsRefusal(listed);
}

}  // namespace calico::installation
