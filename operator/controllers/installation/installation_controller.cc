#include "operator/controllers/installation/installation_controller.h"

#include <algorithm>
#include <set>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calico_config/calico_config.h"
#include "operator/controllers/certificates/secret_objects.h"
#include "operator/defaults/complete_spec.h"
#include "operator/defaults/conflicts.h"
#include "operator/render/names.h"
#include "operator/render/render.h"
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
constexpr std::string_view kControllerName = "installation";
// Pods that end take that long, and so does the namespace that they are in.
constexpr absl::Duration kEndingPatience = absl::Seconds(30);
constexpr size_t kMostErrors = 3;
constexpr std::string_view kMissingRight =
    ": if the operator lacks a right, apply the operator.yaml of this version";

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

// The right to write copies of pull secrets is bound in calico-system, and goes with that namespace
// when the Installation is deleted.
std::string NextStep(const kube::ApplyReport& report, bool uses_pull_secrets) {
  if (std::none_of(report.errors.begin(), report.errors.end(), absl::IsPermissionDenied)) return "";
  if (report.stopped_at != kube::Wave::kSecrets || !uses_pull_secrets) {
    return std::string(kMissingRight);
  }
  return fmt::format(
      ": run `kubectl apply --server-side -f image-pull-secrets.yaml`, which gives the operator "
      "the right to the Secrets of namespace {} again",
      render::kCalicoNamespace);
}

certificates::Owners OwnersOf(const render::Inputs& inputs) {
  return {.installation = inputs.owner_uid,
          .api_server = inputs.api_server.has_value() ? inputs.api_server->uid : ""};
}

std::string IgnoredNote(const std::vector<std::string>& fields) {
  return fmt::format("fields without effect in this version: {}", absl::StrJoin(fields, ", "));
}

// What only Calico's own configuration says (IPPool, FelixConfiguration, BGPConfiguration), which
// this operator plans (operator/calico_config) and does not write to a cluster yet.
void TellUnwritten(const api::Installation& completed, const json::object& given,
                   std::string_view release, std::vector<std::string>& ignored,
                   std::vector<validation::Problem>& problems) {
  const calico_config::ReleaseRules& rules = calico_config::RulesOf(release);
  const std::string& plane = completed.calico_network.linux_dataplane;
  if (rules.switches_data_plane && plane != "Iptables" && !plane.empty()) {
    problems.push_back(
        {"spec.calicoNetwork.linuxDataplane",
         fmt::format("{} needs FelixConfiguration default to say so, which this version does not "
                     "write yet: remove the field, or set it to Iptables",
                     plane)});
  }
  const json::object* const network = codec::FindObject(given, "calicoNetwork");
  if (network == nullptr) return;
  const json::array* const pools = codec::FindArray(*network, "ipPools");
  if (rules.makes_ip_pools && pools != nullptr && !pools->empty()) {
    ignored.emplace_back("spec.calicoNetwork.ipPools (apply the IPPools yourself)");
  }
  for (const char* const field :
       {"clusterRoutingMode", "bpfNetworkBootstrap", "kubeProxyManagement"}) {
    const std::string_view value = codec::TextAt(*network, field);
    if (!value.empty() && value != "Disabled") {
      ignored.push_back(fmt::format("spec.calicoNetwork.{}", field));
    }
  }
}

// With every default of the release, in memory only. Its pools are not looked at yet: the cluster
// counts as one without.
absl::StatusOr<api::Installation> Complete(const api::Installation& installation,
                                           const defaults::ClusterFacts& facts) {
  json::object spec = defaults::CompleteSpec(installation.spec, facts);
  CALICO_ASSIGN_OR_RETURN(
      api::Installation completed,
      api::Installation::Decode(
          {{"metadata", {{"name", api::kInstallationName}}}, {"spec", std::move(spec)}}));
  completed.meta = installation.meta;
  return completed;
}

}  // namespace

InstallationController::InstallationController(aio::Executor executor, kube::Client& client,
                                               ClusterView& view, kube::EventRecorder& events,
                                               metrics::Registry& registry,
                                               InstallationControllerOptions options,
                                               const base::Clock& clock, const base::Logger& logger)
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
                .hash_annotation = std::string(render::kAppliedAnnotation)},
               clock, logger, executor),
      wanted_workloads_(view, applier_),
      definition_check_(client, view, options_, clock),
      certificates_(client, view.secrets(), registry,
                    {.field_manager = std::string(render::kFieldManager),
                     .hash_annotation = std::string(render::kAppliedAnnotation)},
                    clock, logger),
      gathering_(executor, client, view, certificates_, options_, clock),
      events_(events),
      writer_({.name = std::string(api::kTigeraStatusCalico),
               .owner = &api::kInstallations,
               .owner_name = std::string(api::kInstallationName)},
              client, events, clock) {
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
  TellOtherInstallations();
  Pass pass{.record = view_.Installation()};
  if (pass.record == nullptr && !view_.KnowsInstallation()) {
    co_return co_await ReportBlind(std::move(pass));
  }
  if (pass.record == nullptr) {
    SetMetrics({});
    CALICO_CO_RETURN_IF_ERROR(co_await writer_.Remove(view_.Status()));
    co_return controller::Result{};
  }
  if (!view_.ServesInstallations()) {
    // A status that is there must not go on saying what was so before; one that went with its
    // Installation does not come back.
    if (view_.Status() == nullptr) co_return controller::Result{};
    pass.may_write_installation = false;
    co_return co_await ReportBlind(std::move(pass));
  }
  // Being deleted: the garbage collector is at work, and what it removes must not come back.
  if (pass.record->deleting) co_return controller::Result{};
  co_await Advance(pass);
  if (co_await aio::IsCancelled()) co_return absl::CancelledError();
  co_await Report(pass);
  LogOnce(pass);
  if (!pass.error.ok()) co_return pass.error;
  co_return controller::Result{.requeue_after = pass.WaitFrom(clock_.Now())};
}

// Everything up to the applied objects; stops where something is in the way.
aio::Task<void> InstallationController::Advance(Pass& pass) {
  {
    // Side by side: both are asked only once, when every moment counts.
    aio::TaskGroup questions(executor_);
    questions.Spawn(gathering_.AskOperatorDns());
    questions.Spawn(gathering_.AskCluster());
    co_await definition_check_.Check(pass);
    co_await questions.Join();
    co_await questions.Stop();
  }
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  gathering_.TellSigns(pass);
  if (pass.obstacle.has_value()) co_return;
  const absl::StatusOr<api::Installation> completed = Validate(pass);
  if (!completed.ok()) {
    pass.Stop(api::kReasonInvalidConfiguration,
              fmt::format("Invalid Installation provided: {}",
                          std::string(completed.status().message())));
    co_return;
  }
  absl::StatusOr<render::Inputs> inputs =
      co_await gathering_.Gather(*pass.record->installation, pass);
  if (!inputs.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(inputs.status().message()));
    pass.error = inputs.status();
    co_return;
  }
  if (pass.obstacle.has_value()) co_return;
  inputs->ca_certificates = pass.roots;
  co_await Apply(*completed, *std::move(inputs), pass);
}

// Completed, with what it says told to the pass. Errors: every problem at once.
absl::StatusOr<api::Installation> InstallationController::Validate(Pass& pass) const {
  CALICO_RETURN_IF_ERROR(pass.record->installation.status());
  const api::Installation& installation = *pass.record->installation;
  const defaults::ClusterFacts cluster = gathering_.ClusterFacts();
  CALICO_ASSIGN_OR_RETURN(api::Installation completed, Complete(installation, cluster));
  const auto endpoint = view_.Endpoint();
  const std::vector<base::IpAddress> node_addresses = gathering_.NodeAddresses();
  validation::InstallationVerdict verdict = validation::ValidateCompleted(
      completed, {.spec = {.release = options_.release->version(),
                           .has_api_endpoint = endpoint.ok() && endpoint->has_value()},
                  .now = clock_.Now(),
                  .node_addresses = node_addresses,
                  .requires_certificate_management = false});
  pass.Again(verdict.recheck_at);
  pass.notes = std::move(verdict.warnings);
  std::vector<std::string> ignored =
      api::IgnoredFields(installation.spec, options_.release->version());
  TellUnwritten(completed, installation.spec, options_.release->version(), ignored,
                verdict.problems);
  if (!ignored.empty()) pass.notes.push_back(IgnoredNote(ignored));
  for (defaults::Conflict& conflict : defaults::ConflictsWithCluster(installation.spec, cluster)) {
    verdict.problems.push_back({std::move(conflict.path), std::move(conflict.text)});
  }
  if (!verdict.ok()) return absl::InvalidArgumentError(validation::ToString(verdict.problems));
  pass.is_valid = true;
  pass.roots = std::move(verdict.ca_certificates);
  return completed;
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
  // Asked at the moment of the plan, with nothing to wait for in between: objects of a kind that
  // comes meanwhile would be there and not wanted.
  inputs.has_admission_policies = view_.owned().IsServed(api::kValidatingAdmissionPolicies) &&
                                  view_.owned().IsServed(api::kValidatingAdmissionPolicyBindings);
  absl::StatusOr<std::vector<json::object>> objects =
      render::Render(*options_.release, installation, inputs);
  if (!objects.ok()) {
    pass.error = objects.status();
    pass.Stop(api::kReasonResourceRenderingError,
              fmt::format("release {}: {}", options_.release->version(),
                          std::string(objects.status().message())));
    co_return;
  }
  wanted_workloads_.Remember(*objects);
  for (json::object& secret : certificates::MakeObjects(*inputs.certificates, OwnersOf(inputs))) {
    objects->push_back(std::move(secret));
  }
  const kube::ApplyReport report = co_await applier_.Apply(*std::move(objects), inputs.owner_uid);
  if (report.recheck_after != absl::InfiniteDuration()) {
    pass.Again(clock_.Now() + report.recheck_after);
  }
  pass.notes.insert(pass.notes.end(), report.notes.begin(), report.notes.end());
  pass.namespace_ending = report.namespace_ending;
  TellEndings(report.endings, pass);
  if (!report.ok()) {
    pass.error = report.errors.front();
    std::vector<std::string> messages = report.contested;
    messages.push_back(Describe(report.errors) + NextStep(report, !inputs.pull_secrets.empty()));
    pass.Stop(api::kReasonResourceUpdateError, absl::StrJoin(messages, "\n"));
    co_return;
  }
  if (!report.contested.empty()) {
    pass.Stop(api::kReasonResourceUpdateError, absl::StrJoin(report.contested, "\n"));
  }
  if (report.namespace_ending) co_return;
  pass.applied = true;
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
    co_return;
  }
  pass.error = written.status();
  pass.Stop(api::kReasonCertificateError,
            fmt::format("{}{}", std::string(written.status().message()),
                        absl::IsPermissionDenied(written.status()) ? kMissingRight : ""));
}

// With everything else of the plan in place.
aio::Task<void> InstallationController::FinishCertificates(const render::Inputs& inputs,
                                                           Pass& pass) {
  pass.StopForCertificates();
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  if (wanted_workloads_.AreRolledOut() && certificates_.SetRolledOut()) pass.Again(clock_.Now());
  const absl::Status deleted = co_await certificates_.Delete(inputs.certificates);
  if (deleted.ok()) co_return;
  pass.error = deleted;
  pass.Stop(api::kReasonResourceUpdateError,
            fmt::format("{}{}", std::string(deleted.message()),
                        absl::IsPermissionDenied(deleted) ? kMissingRight : ""));
}

// What goes in a moment is waited for; what does not needs somebody.
void InstallationController::TellEndings(const std::vector<kube::Ending>& endings,
                                         Pass& pass) const {
  std::vector<std::string> stuck;
  for (const kube::Ending& ending : endings) {
    const absl::Time late = ending.since + kEndingPatience;
    if (clock_.Now() < late) {
      pass.waits.push_back(ending.message);
      pass.Again(late);
    } else {
      stuck.push_back(ending.message);
    }
  }
  if (!stuck.empty()) pass.Stop(api::kReasonResourceUpdateError, absl::StrJoin(stuck, "\n"));
}

}  // namespace calico::installation
