#include "operator/controllers/installation/installation_controller.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/certificates/secret_objects.h"
#include "operator/controllers/kinds/rendering.h"
#include "operator/controllers/status/apply_outcome.h"
#include "operator/controllers/upgrade/release_change.h"
#include "operator/defaults/complete_spec.h"
#include "operator/defaults/conflicts.h"
#include "operator/defaults/overlay.h"
#include "operator/render/names.h"
#include "operator/validation/installation.h"
#include "operator/validation/typha_scale.h"
#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kSoon = absl::Milliseconds(100);
constexpr absl::Duration kLongestBackoff = absl::Seconds(30);
// Passes in a row that tell nothing, because somebody was faster.
constexpr int kMostSuperseded = 3;
constexpr std::string_view kControllerName = "installation";
constexpr std::string_view kVariant = "Calico";

api::ObjectKey Key() { return {"", std::string(api::kInstallationName)}; }

std::string IgnoredNote(const std::vector<std::string>& fields) {
  return fmt::format("fields without effect in this version: {}", absl::StrJoin(fields, ", "));
}

void TakeOutcome(status::ApplyOutcome outcome, Pass& pass) {
  if (outcome.obstacle.has_value()) pass.Stop(outcome.obstacle->reason, outcome.obstacle->message);
  std::move(outcome.waits.begin(), outcome.waits.end(), std::back_inserter(pass.waits));
  std::move(outcome.notes.begin(), outcome.notes.end(), std::back_inserter(pass.notes));
  pass.Again(outcome.again_at);
  pass.applied = outcome.is_applied;
  pass.is_superseded = outcome.is_superseded;
  if (!outcome.error.ok()) pass.error = outcome.error;
}

}  // namespace

InstallationController::InstallationController(
    aio::Executor executor, kube::Client& client, ClusterView& view, kinds::KindsView& kinds,
    ConfigurationParts configuration, kube::EventRecorder& events, metrics::Registry& registry,
    InstallationControllerOptions options, const base::Clock& clock, const base::Logger& logger)
    : executor_(executor),
      client_(client),
      view_(view),
      options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      queue_(executor, clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kControllerName)),
      applier_(client, view.owned(),
               {.field_manager = std::string(render::kFieldManager),
                .hash_annotation = std::string(render::kAppliedAnnotation),
                .removes_ownerless = true},
               clock, logger, executor),
      wanted_workloads_(view, applier_,
                        {{.kind = status::kDaemonSet, .name = std::string(render::kNode)},
                         {.kind = status::kDeployment, .name = std::string(render::kTypha)}}),
      definition_check_(client, view, options_, clock),
      configuration_(configuration, view, wanted_workloads_, options_, clock),
      certificates_(client, view.secrets(), registry,
                    {.field_manager = std::string(render::kFieldManager),
                     .hash_annotation = std::string(render::kAppliedAnnotation)},
                    clock, logger),
      gathering_(executor, client, view, configuration_, certificates_, kinds, options_, clock),
      api_server_(executor, client, view, kinds, events, registry,
                  std::string(certificates::ApiServerNamespace(options_.release->version())), clock,
                  logger),
      teardown_(client, view.owned(), logger),
      events_(events),
      writer_({.name = std::string(api::kTigeraStatusCalico),
               .owner = &api::kInstallations,
               .owner_name = std::string(api::kInstallationName)},
              client, events, clock),
      asked_(executor),
      passed_(executor),
      component_metrics_(registry, api::kTigeraStatusCalico) {
  view_.SetObserver([this](Urgency urgency) {
    urgency == Urgency::kNow ? queue_.Add(Key()) : queue_.AddAfter(Key(), kSoon);
  });
  configuration_.SetObserver([this] { queue_.Add(Key()); });
  kinds.AddObserver([this](kinds::KindsView::Change change) {
    change == kinds::KindsView::Change::kUser ? queue_.Add(Key()) : queue_.AddAfter(Key(), kSoon);
  });
  component_metrics_.Set({});
}

aio::Task<void> InstallationController::Run() {
  queue_.Add(Key());
  return controller::RunController(
      {.name = std::string(kControllerName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return ReconcileAndTell(); }, logger_);
}

aio::Task<absl::StatusOr<controller::Result>> InstallationController::ReconcileAndTell() {
  absl::StatusOr<controller::Result> result = co_await Reconcile();
  has_passed_ = true;
  passed_.Notify();
  co_return result;
}

aio::Task<absl::Status> InstallationController::WaitForFirstPass() {
  while (!has_passed_) CALICO_CO_RETURN_IF_ERROR(co_await passed_.Wait());
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<controller::Result>> InstallationController::Reconcile() {
  TellOtherInstallations();
  api_server_.Begin();
  Pass pass{.record = view_.Installation(), .has_api_server = api_server_.Wanted() != nullptr};
  if (pass.record == nullptr && !view_.KnowsInstallation()) {
    co_return co_await ReportBlind(std::move(pass));
  }
  if (pass.record == nullptr) {
    component_metrics_.Set({});
    configuration_.Clear();
    CALICO_CO_RETURN_IF_ERROR(co_await writer_.Remove(view_.Status()));
    co_await ReportApiServer(pass);
    const absl::StatusOr<controller::Result> left = co_await teardown_.Run();
    if (!left.ok()) co_return left;
    if (left->requeue_after > absl::ZeroDuration()) pass.Again(clock_.Now() + left->requeue_after);
    co_return Finish(pass);
  }
  if (!view_.ServesInstallations()) {
    // A status that is there must not go on saying what was so before; one that went with its
    // Installation does not come back.
    if (view_.Status() == nullptr) co_return controller::Result{};
    pass.may_write_installation = false;
    co_return co_await ReportBlind(std::move(pass));
  }
  if (pass.record->deleting) {
    // The garbage collector is at work, and what it removes must not come back.
    configuration_.Clear();
    co_return controller::Result{};
  }
  co_await Advance(pass);
  if (co_await aio::IsCancelled()) co_return absl::CancelledError();
  // What was found out is void.
  superseded_ = pass.is_superseded ? superseded_ + 1 : 0;
  if (pass.is_superseded && superseded_ <= kMostSuperseded) co_return Finish(pass);
  if (pass.has_asked) configuration_.Tell(pass);
  if (co_await Report(pass)) co_await ReportApiServer(pass);
  LogOnce(pass);
  co_return Finish(pass);
}

absl::StatusOr<controller::Result> InstallationController::Finish(const Pass& pass) const {
  if (!pass.error.ok()) return pass.error;
  return controller::Result{.requeue_after = pass.WaitFrom(clock_.Now())};
}

aio::Task<void> InstallationController::AskAhead() {
  asks_ahead_ = true;
  aio::TaskGroup questions(executor_);
  questions.Spawn(gathering_.AskOperatorDns());
  questions.Spawn(gathering_.AskCluster());
  co_await questions.Join();
  co_await questions.Stop();
  asks_ahead_ = false;
  asked_.Notify();
}

// What is known already is not asked for.
aio::Task<void> InstallationController::AskOnce() {
  if (asks_ahead_ && !(co_await asked_.Wait()).ok()) co_return;
  co_await AskAhead();
}

// Everything up to the applied objects; stops where something is in the way.
aio::Task<void> InstallationController::Advance(Pass& pass) {
  {
    aio::TaskGroup questions(executor_);
    questions.Spawn(AskOnce());
    co_await definition_check_.Check(pass);
    co_await questions.Join();
    co_await questions.Stop();
  }
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  gathering_.TellSigns(pass);
  // On a new cluster it can come later; pods that run would be replaced for nothing.
  if (!view_.KnowsOverlay() && view_.FindDaemonSet(render::kNode) != nullptr) {
    pass.Stop(
        api::kReasonResourceReadError,
        fmt::format("nothing is changed before it is known whether there is an Installation {}",
                    api::kOverlayName));
  }
  configuration_.TellUnknown(pass);
  CheckRelease(pass);
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  const absl::StatusOr<api::Installation> completed = Validate(pass);
  if (!completed.ok()) {
    pass.Stop(api::kReasonInvalidConfiguration,
              fmt::format("Invalid Installation provided: {}",
                          std::string(completed.status().message())));
    co_return;
  }
  // What may lack fields asks for nothing yet.
  if (!pass.may_have_lost) configuration_.Ask(*completed, pass);
  absl::StatusOr<render::Inputs> inputs = co_await gathering_.Gather(*completed, api_server_, pass);
  if (!inputs.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(inputs.status().message()));
    pass.error = inputs.status();
    co_return;
  }
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  inputs->ca_certificates = pass.roots;
  co_await Apply(*completed, *std::move(inputs), pass);
}

void InstallationController::SetCalicoDefinitions(absl::Status status) {
  const bool is_news = calico_definitions_ != status;
  calico_definitions_ = std::move(status);
  if (is_news) queue_.Add(Key());
}

// Before the Installation is judged by the rules of a release that will not be installed.
void InstallationController::CheckRelease(Pass& pass) const {
  const auto find = [&](const api::Resource& resource, std::string_view name) {
    const auto live =
        view_.owned().Get(resource, {std::string(render::kCalicoNamespace), std::string(name)});
    return live == nullptr ? std::nullopt : std::optional<json::object>(live->Parse());
  };
  const std::optional<json::object> node = find(api::kDaemonSets, render::kNode);
  const std::optional<json::object> typha = find(api::kDeployments, render::kTypha);
  upgrade::ReleaseChange change = upgrade::JudgeReleaseChange(
      {.installed = upgrade::FindInstalledRelease(pass.record->status, node ? &*node : nullptr,
                                                  typha ? &*typha : nullptr),
       .wanted = options_.release->calico_version(),
       .allows_downgrade = options_.allows_downgrade,
       .definitions = options_.manages_crds ? calico_definitions_ : absl::OkStatus()});
  pass.release_change = std::move(change.under_way);
  if (!change.refusal.empty()) pass.Stop(api::kReasonInvalidConfiguration, change.refusal);
  if (!change.obstacle.empty()) pass.Stop(api::kReasonResourceUpdateError, change.obstacle);
  if (!change.wait.empty()) pass.waits.push_back(std::move(change.wait));
}

// Completed and with its overlay, with what it says told to the pass. Errors: every problem at
// once.
absl::StatusOr<api::Installation> InstallationController::Validate(Pass& pass) const {
  CALICO_RETURN_IF_ERROR(pass.record->installation.status());
  const json::object& given = pass.record->installation->spec;
  const defaults::ClusterFacts cluster = gathering_.ClusterFacts();
  json::object completed = defaults::CompleteSpec(given, cluster);
  const std::shared_ptr<const OtherInstallation> overlay = view_.Overlay();
  if (overlay == nullptr) return Check(given, std::move(completed), pass);
  // What is wrong without the overlay is not told as if it came from there.
  Pass without{.record = pass.record};
  CALICO_RETURN_IF_ERROR(Check(given, completed, without));
  absl::StatusOr<api::Installation> merged = Check(
      defaults::MergeOverlay(given, overlay->spec),
      defaults::CompleteSpec(defaults::MergeOverlay(std::move(completed), overlay->spec), cluster),
      pass);
  if (!merged.ok()) return base::Annotate(merged.status(), "with Installation overlay");
  return merged;
}

// `given`: what users have written; `completed`: that with the defaults.
absl::StatusOr<api::Installation> InstallationController::Check(const json::object& given,
                                                                json::object completed,
                                                                Pass& pass) const {
  const std::string& release = options_.release->version();
  CALICO_ASSIGN_OR_RETURN(
      api::Installation installation,
      api::Installation::Decode(
          {{"metadata", {{"name", api::kInstallationName}}}, {"spec", std::move(completed)}}));
  installation.meta = pass.record->installation->meta;
  const auto endpoint = view_.Endpoint();
  const std::vector<base::IpAddress> node_addresses = gathering_.NodeAddresses();
  validation::InstallationVerdict verdict = validation::ValidateCompleted(
      installation,
      {.spec = {.release = release, .has_api_endpoint = endpoint.ok() && endpoint->has_value()},
       .now = clock_.Now(),
       .node_addresses = node_addresses});
  pass.Again(verdict.recheck_at);
  pass.notes = std::move(verdict.warnings);
  const std::vector<std::string> ignored = api::IgnoredFields(given, release);
  if (!ignored.empty()) pass.notes.push_back(IgnoredNote(ignored));
  for (defaults::Conflict& conflict :
       defaults::ConflictsWithCluster(given, gathering_.ClusterFacts())) {
    verdict.problems.push_back({std::move(conflict.path), std::move(conflict.text)});
  }
  if (!verdict.ok()) return absl::InvalidArgumentError(validation::ToString(verdict.problems));
  pass.is_valid = true;
  pass.roots = std::move(verdict.ca_certificates);
  if (installation.certificate_management.has_value()) {
    pass.signer_name = installation.certificate_management->signer_name;
  }
  pass.installation_status.variant = kVariant;
  pass.installation_status.calico_version = options_.release->calico_version();
  pass.installation_status.computed = installation.spec;
  pass.installation_status.mtu = MtuOf(installation);
  return installation;
}

aio::Task<void> InstallationController::Apply(const api::Installation& installation,
                                              render::Inputs inputs, Pass& pass) {
  if (!inputs.pull_secrets.empty() && view_.FindDaemonSet(render::kNode) != nullptr) {
    // The role for them exists already, so the copies can be compared with what is there.
    view_.owned().StartLater();
    const absl::Status ignored =
        co_await view_.owned().WaitForKind(api::kSecrets, absl::Seconds(2));
  }
  if (pass.may_have_lost) co_await definition_check_.CheckLost(installation, inputs, pass);
  if (pass.obstacle.has_value()) co_return;
  co_await WriteKeys(inputs, pass);
  if (pass.obstacle.has_value()) co_return;
  co_await CheckApiServerDefinition(inputs, pass);
  CheckApiServerPair(inputs);
  // Asked at the moment of the plan, with nothing to wait for in between: objects of a kind that
  // comes meanwhile would be there and not wanted.
  inputs.has_admission_policies = view_.owned().IsServed(api::kValidatingAdmissionPolicies) &&
                                  view_.owned().IsServed(api::kValidatingAdmissionPolicyBindings);
  kinds::Rendering rendering = kinds::RenderApart(*options_.release, installation, inputs);
  if (rendering.obstacle.has_value()) {
    pass.error = rendering.error;
    pass.Stop(rendering.obstacle->reason, rendering.obstacle->message);
    co_return;
  }
  if (rendering.api_server_obstacle.has_value()) api_server_.Stop(*rendering.api_server_obstacle);
  wanted_workloads_.Remember(rendering.objects);
  kinds::TakeApart(certificates::MakeObjects(*inputs.certificates, OwnersOf(inputs)), rendering);
  const kube::ApplyReport report =
      co_await applier_.Apply(std::move(rendering.objects), inputs.owner_uid);
  pass.namespace_ending = report.namespace_ending;
  TakeOutcome(status::OutcomeOf(report, clock_.Now(), !inputs.pull_secrets.empty()), pass);
  // It needs the namespace and roles of the Installation, and nothing else of it.
  if (pass.is_superseded) co_return;
  if (!report.namespace_ending && report.stopped_at != kube::Wave::kNamespacesAndRoles) {
    pass.api_server_had_its_turn = true;
    if (inputs.api_server.has_value() && api_server_.Input().has_value()) {
      co_await api_server_.Apply(std::move(rendering.api_server), !inputs.pull_secrets.empty());
      TellApiServerPair(*inputs.certificates);
    }
  }
  if (!pass.applied) co_return;
  configuration_.Applied(installation, inputs, pass);
  co_await FinishCertificates(inputs, pass);
  co_await view_.WatchCopies(!installation.image_pull_secrets.empty());
  if (!view_.KnowsNodes()) co_return;
  if (std::optional<std::string> problem =
          validation::TyphaScalingProblem(gathering_.CountNodes())) {
    pass.Stop(api::kReasonResourceScalingError, *std::move(problem));
  }
}

// Before anything else of the plan: whose Secrets it has is known only then.
aio::Task<void> InstallationController::WriteKeys(render::Inputs& inputs, Pass& pass) {
  auto written = co_await certificates_.Write(OwnersOf(inputs));
  if (written.ok()) {
    inputs.certificates = *std::move(written);
    pass.certificate_problems = inputs.certificates->problems;
    pass.Again(inputs.certificates->recheck_at);
    co_return;
  }
  pass.error = written.status();
  pass.Stop(api::kReasonCertificateError,
            fmt::format("{}{}", std::string(written.status().message()),
                        status::NextStep({written.status()})));
}

// Of an APIServer that may lack fields, what runs is left as it is.
aio::Task<void> InstallationController::CheckApiServerDefinition(render::Inputs& inputs,
                                                                 Pass& pass) {
  const kinds::KindRecord* const wanted = api_server_.Wanted();
  if (wanted == nullptr || !inputs.api_server.has_value()) co_return;
  DefinitionCheck::Finding finding =
      co_await definition_check_.CheckApiServer(wanted->name, wanted->uid, wanted->generation);
  pass.Again(finding.again_at);
  if (finding.wait.empty() && !finding.obstacle.has_value()) co_return;
  inputs.api_server.reset();
  if (!finding.wait.empty()) api_server_.WaitFor(std::move(finding.wait));
  if (finding.obstacle.has_value()) api_server_.Stop(*std::move(finding.obstacle));
}

// Without a pair what runs is left as it is, and everything else goes on.
void InstallationController::CheckApiServerPair(render::Inputs& inputs) {
  if (!inputs.api_server.has_value()) return;
  if (inputs.certificates->Find(certificates::kApiServerCerts) != nullptr) return;
  TellApiServerPair(*inputs.certificates);
  inputs.api_server.reset();
}

void InstallationController::TellApiServerPair(const certificates::Plan& plan) {
  if (plan.api_server_problems.empty()) return;
  api_server_.Stop(
      {std::string(api::kReasonCertificateError), absl::StrJoin(plan.api_server_problems, "\n")});
}

// With everything else of the plan in place.
aio::Task<void> InstallationController::FinishCertificates(const render::Inputs& inputs,
                                                           Pass& pass) {
  pass.StopForCertificates();
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  if (!inputs.certificates->api_server_problems.empty()) co_return;
  if (wanted_workloads_.AreRolledOut() && api_server_.IsRolledOut() &&
      certificates_.SetRolledOut()) {
    pass.Again(clock_.Now());
  }
  const absl::Status deleted = co_await certificates_.Delete(inputs.certificates);
  if (deleted.ok()) co_return;
  pass.error = deleted;
  pass.Stop(api::kReasonResourceUpdateError,
            fmt::format("{}{}", std::string(deleted.message()), status::NextStep({deleted})));
}

certificates::Owners InstallationController::OwnersOf(const render::Inputs& inputs) const {
  const kinds::KindRecord* const api_server = api_server_.Wanted();
  if (api_server == nullptr) return {.installation = inputs.owner_uid};
  return {.installation = inputs.owner_uid,
          .api_server = api_server->uid,
          .api_server_name = api_server->name};
}

}  // namespace calico::installation
