#include "operator/controllers/installation/installation_controller.h"

#include <algorithm>
#include <set>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calico_config/calico_config.h"
#include "operator/controllers/installation/crd_check.h"
#include "operator/defaults/complete_spec.h"
#include "operator/defaults/conflicts.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/render.h"
#include "pkg/aio/cancellation.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/schema/compare.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kSoon = absl::Milliseconds(100);
constexpr absl::Duration kLongestBackoff = absl::Seconds(30);
constexpr std::string_view kControllerName = "installation";
constexpr absl::Duration kGapInterval = absl::Seconds(30);
// While the definition lacks something; it is not watched.
constexpr absl::Duration kCrdInterval = absl::Seconds(10);
constexpr absl::Duration kManagedCrdInterval = absl::Milliseconds(500);
constexpr absl::Duration kManagedCrdPatience = absl::Seconds(30);
// Pods that end take that long, and so does the namespace that they are in.
constexpr absl::Duration kEndingPatience = absl::Seconds(30);
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

// The right to write copies of pull secrets is bound in calico-system, and goes with that namespace
// when the Installation is deleted.
std::string NextStep(const kube::ApplyReport& report) {
  if (std::none_of(report.errors.begin(), report.errors.end(), absl::IsPermissionDenied)) return "";
  if (report.stopped_at != kube::Wave::kSecrets) {
    return ": if the operator lacks a right, apply the operator.yaml of this version";
  }
  return fmt::format(
      ": run `kubectl apply --server-side -f image-pull-secrets.yaml`, which gives the operator "
      "the right to the Secrets of namespace {} again",
      render::kCalicoNamespace);
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
      // Until the first rendering: what every release has.
      wanted_workloads_({{.kind = status::kDaemonSet, .name = std::string(render::kNode)},
                         {.kind = status::kDeployment, .name = std::string(render::kTypha)}}),
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

// Before anything is made of an Installation of which a part may have been dropped.
aio::Task<void> InstallationController::CheckCrd(Pass& pass) {
  const SpecId spec = {pass.record->uid, pass.record->spec_hash};
  if (spec == checked_spec_) co_return;
  absl::StatusOr<std::vector<std::string>> pruned = co_await ReadPrunedFields(client_);
  if (absl::IsPermissionDenied(pruned.status())) {
    // Whether something is dropped stays unknown, which is no reason to do nothing.
    pass.gaps.push_back(fmt::format("{}: apply the operator.yaml of this version",
                                    std::string(pruned.status().message())));
    co_return;
  }
  if (!pruned.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(pruned.status().message()));
    pass.error = pruned.status();
    co_return;
  }
  if (pruned->empty()) {
    crd_wait_until_.reset();
    pass.may_have_lost = spec == pruned_spec_;
    if (!pass.may_have_lost) checked_spec_ = spec;
    co_return;
  }
  pruned_spec_ = spec;
  pruned_fields_ = *std::move(pruned);
  TellPruned(pass);
}

// While the definition drops fields, any write of the Installation stores it without them.
void InstallationController::TellPruned(Pass& pass) {
  pass.may_write_installation = false;
  if (!crd_wait_until_.has_value()) crd_wait_until_ = clock_.Now() + kManagedCrdPatience;
  if (options_.manages_crds && clock_.Now() < *crd_wait_until_) {
    pass.waits.emplace_back("the CustomResourceDefinition of Installation is being updated");
    pass.Again(clock_.Now() + kManagedCrdInterval);
  } else {
    pass.Stop(api::kReasonResourceValidationError, PrunedMessage(pruned_fields_));
    pass.Again(clock_.Now() + kCrdInterval);
  }
}

// Whether the pods of a workload would be replaced.
bool InstallationController::WouldRoll(const std::vector<json::object>& objects) const {
  if (!view_.KnowsWorkloads()) return true;
  const auto template_of = [](json::object object) {
    return json::object{
        {"apiVersion", object["apiVersion"]},
        {"kind", object["kind"]},
        {"spec", {{"template", render::EnsureObject(object, {"spec", "template"})}}}};
  };
  for (const json::object& object : objects) {
    const std::string_view kind = render::KindOf(object);
    if (kind != api::kDaemonSets.kind && kind != api::kDeployments.kind) continue;
    const api::Resource& resource =
        kind == api::kDaemonSets.kind ? api::kDaemonSets : api::kDeployments;
    const auto live = view_.owned().Get(
        resource, {std::string(render::kCalicoNamespace), std::string(render::NameOf(object))});
    if (live == nullptr) continue;
    if (kube::FirstDifference(kube::Schema::Kubernetes(), template_of(live->Parse()),
                              template_of(object))
            .has_value()) {
      return true;
    }
  }
  return false;
}

// Of a spec that was seen under a definition that drops fields.
aio::Task<void> InstallationController::CheckLost(const api::Installation& installation,
                                                  const render::Inputs& inputs, Pass& pass) {
  const absl::StatusOr<std::vector<json::object>> objects =
      render::Render(*options_.release, installation, inputs);
  if (!objects.ok()) co_return;
  if (WouldRoll(*objects)) {
    const absl::StatusOr<json::object> live = co_await client_.Get(api::kInstallations, Key());
    const auto lost = live.ok() ? LostFields(*live, pruned_fields_) : std::nullopt;
    if (!lost.has_value() || !lost->empty()) {
      pass.Stop(api::kReasonResourceValidationError, LostMessage(lost.value_or(pruned_fields_)));
      pass.Again(clock_.Now() + kCrdInterval);
      co_return;
    }
  }
  checked_spec_ = std::exchange(pruned_spec_, {});
}

// Everything up to the applied objects; stops where something is in the way.
aio::Task<void> InstallationController::Advance(Pass& pass) {
  {
    // Side by side: both are asked only once, when every moment counts.
    aio::TaskGroup questions(executor_);
    questions.Spawn(AskOperatorDns());
    questions.Spawn(AskCluster());
    co_await CheckCrd(pass);
    co_await questions.Join();
    co_await questions.Stop();
  }
  if (pass.obstacle.has_value() || !pass.waits.empty()) co_return;
  if (!signs_.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(signs_.status().message()));
    pass.error = signs_.status();
    co_return;
  }
  pass.gaps.insert(pass.gaps.end(), signs_->gaps.begin(), signs_->gaps.end());
  if (!signs_->gaps.empty()) pass.Again(clock_.Now() + kGapInterval);
  if (!pass.record->installation.ok()) {
    pass.Stop(api::kReasonInvalidConfiguration,
              fmt::format("Invalid Installation provided: {}",
                          std::string(pass.record->installation.status().message())));
    co_return;
  }
  const api::Installation& installation = *pass.record->installation;
  const defaults::ClusterFacts cluster = ClusterFactsOf();
  const absl::StatusOr<api::Installation> completed = Complete(installation, cluster);
  if (!completed.ok()) {
    pass.Stop(api::kReasonInvalidConfiguration,
              fmt::format("Invalid Installation provided: {}",
                          std::string(completed.status().message())));
    co_return;
  }
  const auto endpoint = view_.Endpoint();
  const std::vector<base::IpAddress> node_addresses = NodeAddresses();
  validation::InstallationVerdict verdict = validation::ValidateCompleted(
      *completed, {.spec = {.release = options_.release->version(),
                            .has_api_endpoint = endpoint.ok() && endpoint->has_value()},
                   .now = clock_.Now(),
                   .node_addresses = node_addresses});
  pass.Again(verdict.recheck_at);
  pass.notes = std::move(verdict.warnings);
  std::vector<std::string> ignored =
      api::IgnoredFields(installation.spec, options_.release->version());
  TellUnwritten(*completed, installation.spec, options_.release->version(), ignored,
                verdict.problems);
  if (!ignored.empty()) pass.notes.push_back(IgnoredNote(ignored));
  for (defaults::Conflict& conflict : defaults::ConflictsWithCluster(installation.spec, cluster)) {
    verdict.problems.push_back({std::move(conflict.path), std::move(conflict.text)});
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
  co_await Apply(*completed, *std::move(inputs), pass);
}

aio::Task<void> InstallationController::Apply(const api::Installation& installation,
                                              render::Inputs inputs, Pass& pass) {
  if (!inputs.pull_secrets.empty() && view_.FindDaemonSet(render::kNode) != nullptr) {
    // The role for them exists already, so the copies can be compared with what is there.
    view_.owned().StartLater();
    const absl::Status ignored =
        co_await view_.owned().WaitForKind(api::kSecrets, absl::Seconds(2));
  }
  if (pass.may_have_lost) co_await CheckLost(installation, inputs, pass);
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
  RememberWorkloads(*objects);
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
    messages.push_back(Describe(report.errors) + NextStep(report));
    pass.Stop(api::kReasonResourceUpdateError, absl::StrJoin(messages, "\n"));
    co_return;
  }
  if (!report.contested.empty()) {
    pass.Stop(api::kReasonResourceUpdateError, absl::StrJoin(report.contested, "\n"));
  }
  if (report.namespace_ending) co_return;
  pass.applied = true;
  co_await view_.WatchCopies(!installation.image_pull_secrets.empty());
  if (!view_.KnowsNodes()) co_return;
  if (std::optional<std::string> problem = validation::TyphaScalingProblem(CountNodes())) {
    pass.Stop(api::kReasonResourceScalingError, *std::move(problem));
  }
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
