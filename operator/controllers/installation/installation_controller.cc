#include "operator/controllers/installation/installation_controller.h"

#include <algorithm>
#include <set>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/render.h"
#include "pkg/aio/cancellation.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kSoon = absl::Milliseconds(100);
constexpr absl::Duration kLongestBackoff = absl::Seconds(30);
constexpr std::string_view kControllerName = "installation";
constexpr std::string_view kVariant = "Calico";
constexpr size_t kMostErrors = 3;

api::ObjectKey Key() { return {"", std::string(api::kInstallationName)}; }

std::string Describe(const std::vector<absl::Status>& errors) {
  std::set<std::string> messages;
  for (const absl::Status& error : errors) messages.insert(std::string(error.message()));
  std::vector<std::string> first(messages.begin(), messages.end());
  if (first.size() > kMostErrors) {
    const size_t more = first.size() - kMostErrors;
    first.resize(kMostErrors);
    first.push_back(fmt::format("and {} more", more));
  }
  return absl::StrJoin(first, "; ");
}

// The right to write copies of pull secrets is bound by operator.yaml in calico-system, and goes
// with that namespace when the Installation is deleted.
std::string NextStep(const kube::ApplyReport& report) {
  const bool is_forbidden =
      report.stopped_at == kube::Wave::kSecrets &&
      std::any_of(report.errors.begin(), report.errors.end(), absl::IsPermissionDenied);
  if (!is_forbidden) return "";
  return fmt::format(
      ": run `kubectl apply --server-side -f operator.yaml`, which binds the operator's right to "
      "the Secrets of namespace {} again",
      render::kCalicoNamespace);
}

std::string IgnoredNote(const std::vector<std::string>& fields) {
  return fmt::format("fields without effect in this version: {}", absl::StrJoin(fields, ", "));
}

}  // namespace

InstallationController::InstallationController(aio::Executor executor, kube::Client& client,
                                               ClusterView& view, kube::EventRecorder& events,
                                               metrics::Registry& registry,
                                               InstallationControllerOptions options,
                                               const base::Clock& clock, const base::Logger& logger)
    : client_(client),
      view_(view),
      options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      queue_(executor, clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kControllerName)),
      applier_(client, view.owned(),
               {.field_manager = std::string(render::kFieldManager),
                .hash_annotation = std::string(render::kAppliedAnnotation)},
               clock, logger, executor),
      writer_(client, events, clock) {
  view_.SetObserver([this](Urgency urgency) {
    urgency == Urgency::kNow ? queue_.Add(Key()) : queue_.AddAfter(Key(), kSoon);
  });
  for (const std::string_view type : {api::kAvailable, api::kProgressing, api::kDegraded}) {
    metrics::Gauge& gauge = registry.AddGauge(
        "tigera_operator_component_status", "Conditions of the components: 1 is True.",
        {{"component", "calico"}, {"condition", absl::AsciiStrToLower(std::string(type))}});
    condition_gauges_.emplace_back(type, &gauge);
  }
}

aio::Task<void> InstallationController::Run() {
  queue_.Add(Key());
  return controller::RunController(
      {.name = std::string(kControllerName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return Reconcile(); }, logger_);
}

aio::Task<absl::StatusOr<controller::Result>> InstallationController::Reconcile() {
  Pass pass{.record = view_.Installation()};
  if (pass.record == nullptr) {
    SetMetrics({});
    CALICO_CO_RETURN_IF_ERROR(co_await writer_.Remove(view_.Status()));
    co_return controller::Result{};
  }
  // Being deleted: the garbage collector is at work, and what it removes must not come back.
  if (pass.record->deleting) co_return controller::Result{};
  co_await Advance(pass);
  if (co_await aio::IsCancelled()) co_return absl::CancelledError();
  co_await Report(pass);
  LogOnce(pass);
  if (!pass.error.ok()) co_return pass.error;
  const absl::Duration wait = pass.again_at - clock_.Now();
  co_return controller::Result{.requeue_after = std::max(wait, absl::Milliseconds(1))};
}

// Everything up to the applied objects; stops where something is in the way.
aio::Task<void> InstallationController::Advance(Pass& pass) {
  if (!pass.record->installation.ok()) {
    pass.Stop(api::kReasonInvalidConfiguration,
              fmt::format("Invalid Installation provided: {}",
                          std::string(pass.record->installation.status().message())));
    co_return;
  }
  const api::Installation& installation = *pass.record->installation;
  validation::InstallationVerdict verdict =
      validation::ValidateInstallation(installation, clock_.Now(), NodeAddresses());
  pass.Again(verdict.recheck_at);
  pass.notes = std::move(verdict.warnings);
  if (!installation.ignored_fields.empty()) {
    pass.notes.push_back(IgnoredNote(installation.ignored_fields));
  }
  if (!verdict.ok()) {
    pass.Stop(
        api::kReasonInvalidConfiguration,
        fmt::format("Invalid Installation provided: {}", validation::ToString(verdict.problems)));
    co_return;
  }
  pass.roots = verdict.ca_certificates;
  absl::StatusOr<render::Inputs> inputs = co_await Gather(installation, pass);
  if (!inputs.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(inputs.status().message()));
    pass.error = inputs.status();
    co_return;
  }
  if (pass.obstacle.has_value()) co_return;
  inputs->ca_certificates = std::move(verdict.ca_certificates);
  co_await Apply(installation, *std::move(inputs), pass);
}

aio::Task<absl::StatusOr<render::Inputs>> InstallationController::Gather(
    const api::Installation& installation, Pass& pass) {
  render::Inputs inputs;
  inputs.owner_uid = pass.record->uid;
  inputs.operator_namespace = options_.operator_namespace;
  inputs.api_endpoint = view_.Endpoint();
  if (!inputs.api_endpoint.has_value()) inputs.api_endpoint = options_.process_endpoint;
  inputs.typha_replicas = validation::TyphaReplicas(CountNodes());
  inputs.has_admission_policies = view_.owned().IsServed(api::kValidatingAdmissionPolicies) &&
                                  view_.owned().IsServed(api::kValidatingAdmissionPolicyBindings);
  CALICO_CO_ASSIGN_OR_RETURN(inputs.node_dns, co_await OperatorDns());
  CALICO_CO_RETURN_IF_ERROR(co_await GatherPullSecrets(installation, inputs, pass));
  co_return inputs;
}

// Read once: a change of the Deployment starts another operator. It must not be guessed at, or the
// guess would be a first rendering and the truth a second one.
aio::Task<absl::StatusOr<render::DnsSettings>> InstallationController::OperatorDns() {
  if (operator_dns_.has_value()) co_return *operator_dns_;
  absl::StatusOr<json::object> deployment = co_await client_.Get(
      api::kDeployments, {options_.operator_namespace, options_.operator_name});
  render::DnsSettings dns;
  if (deployment.ok()) {
    json::object& spec = render::EnsureObject(*deployment, {"spec", "template", "spec"});
    const std::string_view policy = render::TextAt(spec, "dnsPolicy");
    if (!policy.empty()) dns.policy = policy;
    if (spec.contains("dnsConfig")) dns.config = render::EnsureObject(spec, {"dnsConfig"});
  } else if (!absl::IsNotFound(deployment.status()) &&
             !absl::IsPermissionDenied(deployment.status())) {
    co_return deployment.status();
  }
  operator_dns_ = dns;
  co_return dns;
}

aio::Task<absl::Status> InstallationController::GatherPullSecrets(
    const api::Installation& installation, render::Inputs& inputs, Pass& pass) {
  if (installation.image_pull_secrets.empty()) co_return absl::OkStatus();
  CALICO_CO_RETURN_IF_ERROR(
      base::Annotate(co_await view_.WatchPullSecrets(),
                     fmt::format("read the Secrets of namespace {}", options_.operator_namespace)));
  std::vector<std::string> problems;
  for (const std::string& name : installation.image_pull_secrets) {
    const std::shared_ptr<const PullSecretRecord> secret = view_.PullSecret(name);
    if (secret == nullptr) {
      problems.push_back(fmt::format(
          "spec.imagePullSecrets: Secret \"{}\" not found in namespace {}: create it there, or "
          "remove it from the list",
          name, options_.operator_namespace));
    } else if (!secret->is_for_images()) {
      problems.push_back(fmt::format(
          "spec.imagePullSecrets: Secret \"{}\" is of type {}, which is not for images: make it "
          "with `kubectl create secret docker-registry`",
          name, secret->type));
    } else {
      inputs.pull_secrets.push_back({name, secret->type, secret->data});
    }
  }
  if (!problems.empty()) pass.Stop(api::kReasonResourceNotFound, absl::StrJoin(problems, "; "));
  co_return absl::OkStatus();
}

aio::Task<void> InstallationController::Apply(const api::Installation& installation,
                                              render::Inputs inputs, Pass& pass) {
  if (!inputs.pull_secrets.empty() && view_.NodeDaemonSet() != nullptr) {
    // The role for them exists already, so the copies can be compared with what is there.
    view_.owned().StartLater();
    const absl::Status ignored =
        co_await view_.owned().WaitForKind(api::kSecrets, absl::Seconds(2));
  }
  absl::StatusOr<std::vector<json::object>> objects =
      render::Render(*options_.release, installation, inputs);
  if (!objects.ok()) {
    pass.error = objects.status();
    pass.Stop(api::kReasonResourceRenderingError,
              fmt::format("release {}: {}", options_.release->version(),
                          std::string(objects.status().message())));
    co_return;
  }
  const kube::ApplyReport report = co_await applier_.Apply(*std::move(objects), inputs.owner_uid);
  if (report.recheck_after != absl::InfiniteDuration()) {
    pass.Again(clock_.Now() + report.recheck_after);
  }
  if (!report.ok()) {
    pass.error = report.errors.front();
    pass.Stop(api::kReasonResourceUpdateError, Describe(report.errors) + NextStep(report));
    co_return;
  }
  pass.applied = true;
  view_.owned().StartLater();
  if (std::optional<std::string> problem = validation::TyphaScalingProblem(CountNodes())) {
    pass.Stop(api::kReasonResourceScalingError, *std::move(problem));
  }
}

// A workload as the cache has it, but never as finished with what it has not seen yet.
template <class T>
std::shared_ptr<const T> InstallationController::UpToDate(const api::Resource& resource,
                                                          std::shared_ptr<const T> cached) const {
  if (cached == nullptr) return nullptr;
  const auto unseen = applier_.UnseenGeneration(resource, cached->meta.Key());
  if (!unseen.has_value()) return cached;
  if (cached->meta.uid != unseen->uid) return nullptr;  // was made anew
  auto copy = std::make_shared<T>(*cached);
  copy->meta.generation = unseen->generation;
  return copy;
}

// Of the hosts that will have a calico-node.
std::vector<base::IpAddress> InstallationController::NodeAddresses() const {
  std::vector<base::IpAddress> addresses;
  for (const auto& node : view_.Nodes()) {
    if (!node->needs_agent()) continue;
    addresses.insert(addresses.end(), node->internal_ips.begin(), node->internal_ips.end());
  }
  return addresses;
}

validation::NodeCount InstallationController::CountNodes() const {
  validation::NodeCount count;
  for (const auto& node : view_.Nodes()) {
    if (!node->takes_pods()) continue;
    ++count.all;
    if (node->is_linux) ++count.linux;
  }
  return count;
}

status::Facts InstallationController::FactsOf(const Pass& pass) const {
  status::Facts facts;
  facts.generation = pass.record->generation;
  facts.obstacle = pass.obstacle;
  facts.notes = pass.notes;
  facts.nodes = view_.Nodes();
  facts.node = UpToDate(api::kDaemonSets, view_.NodeDaemonSet());
  facts.typha = UpToDate(api::kDeployments, view_.TyphaDeployment());
  facts.has_workloads = pass.applied || (facts.node != nullptr && facts.typha != nullptr);
  facts.node_pods = view_.NodePods();
  facts.typha_pods = view_.TyphaPods();
  facts.typha_replicas = validation::TyphaReplicas(CountNodes());
  facts.waiting_pods = view_.WaitingPods();
  facts.roots = pass.roots;
  facts.now = clock_.Now();
  return facts;
}

aio::Task<void> InstallationController::Report(Pass& pass) {
  // Requests are judged by what a valid Installation says; a bad one may not even name a signer.
  const bool is_valid = !pass.roots.empty();
  if (is_valid) {
    const absl::Status known = co_await view_.WatchRequests(
        pass.record->installation->certificate_management->signer_name);
    if (absl::IsDeadlineExceeded(known) || absl::IsCancelled(known)) {
      // Whether a request was denied is not known: what has been told before stays.
      pass.Again(clock_.Now() + kSoon);
      co_return;
    }
    if (!known.ok()) pass.Stop(api::kReasonResourceReadError, std::string(known.message()));
  }
  status::Facts facts = FactsOf(pass);
  if (!is_valid) facts.waiting_pods.clear();
  const std::shared_ptr<const api::TigeraStatus> told = view_.Status();
  memory_.Recall(told == nullptr ? std::vector<api::Condition>() : told->conditions,
                 clock_.SteadyNow(), facts);
  status::Decision decision = status::Decide(facts);
  SetMetrics(decision);
  pass.Again(decision.recheck_at);
  const std::shared_ptr<const InstallationRecord> record = view_.Installation();
  if (record == nullptr || record->uid != pass.record->uid) co_return;  // gone meanwhile
  const absl::StatusOr<absl::Time> again_at =
      co_await writer_.Write({.tigera_status = view_.Status(),
                              .installation_uid = record->uid,
                              .installation_version = record->resource_version,
                              .installation_status = record->status,
                              .variant = std::string(kVariant),
                              .calico_version = options_.release->calico_version()},
                             std::move(decision));
  if (again_at.ok()) {
    pass.Again(*again_at);
  } else if (pass.error.ok()) {
    pass.error = again_at.status();
  }
}

void InstallationController::LogOnce(const Pass& pass) {
  const std::string what = fmt::format("{}\n{}\n{}", pass.record->generation,
                                       pass.obstacle.has_value() ? pass.obstacle->message : "",
                                       absl::StrJoin(pass.notes, "\n"));
  if (what == logged_) return;
  logged_ = what;
  if (pass.obstacle.has_value()) {
    logger_.Warning("installation cannot be carried out", {{"generation", pass.record->generation},
                                                           {"reason", pass.obstacle->reason},
                                                           {"problem", pass.obstacle->message}});
  }
  for (const std::string& note : pass.notes) {
    logger_.Info("note on the installation",
                 {{"generation", pass.record->generation}, {"note", note}});
  }
}

void InstallationController::SetMetrics(const status::Decision& decision) {
  for (auto& [type, gauge] : condition_gauges_) {
    const api::Condition* const condition = api::FindCondition(decision.conditions, type);
    gauge->Set(condition != nullptr && condition->IsTrue() ? 1 : 0);
  }
}

}  // namespace calico::installation
