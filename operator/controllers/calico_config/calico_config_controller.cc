#include "operator/controllers/calico_config/calico_config_controller.h"

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/controllers/status/conditions.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kControllerName = "calico-config";
constexpr std::string_view kStatusName = "ippools";
constexpr absl::Duration kLongestBackoff = absl::Minutes(1);
// That long definitions that this process makes may be missing.
constexpr absl::Duration kDefinitionsPatience = absl::Seconds(30);

api::ObjectKey Key() { return {"", std::string(kStatusName)}; }

std::string_view TextOf(const json::object& object, std::string_view key) {
  return codec::TextAt(object, key);
}

std::string NameOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata == nullptr ? "" : std::string(codec::TextAt(*metadata, "name"));
}

const api::Resource& ResourceOf(const json::object& object) {
  if (TextOf(object, "apiVersion") == kServedApiVersion) return api::kServedIpPools;
  const std::string_view kind = TextOf(object, "kind");
  if (kind == api::kIpPools.kind) return api::kIpPools;
  if (kind == api::kFelixConfigurations.kind) return api::kFelixConfigurations;
  return api::kBgpConfigurations;
}

kube::Contention::Id IdOf(const json::object& object) {
  return {std::string(TextOf(object, "kind")), {"", NameOf(object)}};
}

std::string Described(const json::object& object) {
  return fmt::format("{} {}", TextOf(object, "kind"), NameOf(object));
}

// The fields that a write sets: "spec.nftablesMode".
std::vector<std::string> PathsOf(const json::object& object) {
  std::vector<std::string> paths;
  if (const json::object* const spec = codec::FindObject(object, "spec")) {
    for (const auto& member : *spec) {
      paths.push_back(fmt::format("spec.{}", codec::KeyOf(member)));
    }
  }
  return paths;
}

// Those of `sent` that the answer does not have.
std::vector<std::string> DroppedFrom(const json::object& answer, const json::object& sent) {
  std::vector<std::string> dropped;
  const json::object* const spec = codec::FindObject(answer, "spec");
  for (const std::string& path : PathsOf(sent)) {
    const std::string field = path.substr(path.find('.') + 1);
    if (spec == nullptr || !spec->contains(field)) dropped.push_back(path);
  }
  return dropped;
}

std::string Contested(const json::object& object, const kube::Contention::Contest& contest) {
  if (contest.in_answer) {
    return fmt::format(
        "{}: the API server drops {}: its CustomResourceDefinition is older than this release; "
        "apply the definitions of this release",
        Described(object), contest.path);
  }
  return fmt::format("{}: {} is changed back again and again{}: only one may set it",
                     Described(object), contest.path.empty() ? "it" : contest.path,
                     contest.writer.empty() ? "" : fmt::format(" by {}", contest.writer));
}

// Of TigeraStatus `ippools`.
status::Facts FactsOf(const ConfigInput& input, const Plan& plan,
                      const std::vector<std::string>& definition_problems,
                      const std::string& pending, absl::Time now) {
  status::Facts facts{.generation = input.generation, .has_workloads = true, .now = now};
  std::vector<std::string> lines;
  std::string_view reason;
  for (const Problem& problem : plan.pool_problems) {
    if (lines.empty()) reason = problem.reason;
    lines.push_back(problem.message);
  }
  for (const std::string& problem : definition_problems) {
    if (lines.empty()) reason = api::kReasonResourceValidationError;
    lines.push_back(problem);
  }
  if (!lines.empty()) {
    facts.obstacle =
        status::Obstacle{std::string(reason), fmt::format("{}", fmt::join(lines, "; "))};
  } else if (!pending.empty()) {
    facts.waits.push_back(pending);
  }
  return facts;
}

}  // namespace

bool ConfigInput::operator==(const ConfigInput& other) const {
  const auto agent = [](const ConfigInput& input) {
    const NodeAgent agent = input.node_agent.value_or(NodeAgent());
    return std::tuple(input.node_agent.has_value(), agent.has_bpf_in_environment,
                      agent.is_ready_for_bpf);
  };
  return release == other.release && spec == other.spec && has_ip_pools == other.has_ip_pools &&
         agent(*this) == agent(other) && generation == other.generation &&
         installation_uid == other.installation_uid;
}

bool operator==(const ConfigOutcome& a, const ConfigOutcome& b) {
  const auto is_same = [](const Problem& one, const Problem& other) {
    return one.reason == other.reason && one.message == other.message;
  };
  return a.pools == b.pools && a.waiting == b.waiting && a.is_settled == b.is_settled &&
         std::equal(a.problems.begin(), a.problems.end(), b.problems.begin(), b.problems.end(),
                    is_same);
}

CalicoConfigController::CalicoConfigController(aio::Executor executor, kube::Client& client,
                                               CalicoView& view, kube::EventRecorder& events,
                                               metrics::Registry& registry, bool makes_definitions,
                                               const base::Clock& clock, const base::Logger& logger)
    : client_(client),
      view_(view),
      makes_definitions_(makes_definitions),
      clock_(clock),
      logger_(logger),
      queue_(executor, clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kControllerName)),
      writer_({.name = std::string(kStatusName),
               .owner = &api::kInstallations,
               .owner_name = std::string(api::kInstallationName),
               .is_mirrored = false},
              client, events, clock) {
  view_.AddObserver([this] { queue_.Add(Key()); });
  for (const std::string_view type : {api::kAvailable, api::kProgressing, api::kDegraded}) {
    metrics::Gauge& gauge = registry.AddGauge(
        "tigera_operator_component_status", "Conditions of the components: 1 is True.",
        {{"component", std::string(kStatusName)},
         {"condition", absl::AsciiStrToLower(std::string(type))}});
    condition_gauges_.emplace_back(type, &gauge);
  }
}

void CalicoConfigController::SetInput(std::optional<ConfigInput> input) {
  const bool is_first = !std::exchange(is_told_, true);
  if (input == input_) {
    if (is_first) queue_.Add(Key());
    return;
  }
  input_ = std::move(input);
  SetOutcome(std::nullopt);
  queue_.Add(Key());
}

void CalicoConfigController::SetDefinitionProblems(std::vector<std::string> problems) {
  if (problems == definition_problems_) return;
  definition_problems_ = std::move(problems);
  queue_.Add(Key());
}

void CalicoConfigController::SetOutcome(std::optional<ConfigOutcome> outcome) {
  if (outcome == outcome_) return;
  outcome_ = std::move(outcome);
  if (observer_) observer_();
}

aio::Task<void> CalicoConfigController::Run() {
  queue_.Add(Key());
  return controller::RunController(
      {.name = std::string(kControllerName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return Reconcile(); }, logger_);
}

aio::Task<absl::StatusOr<controller::Result>> CalicoConfigController::Reconcile() {
  if (!input_.has_value()) {
    if (is_told_ && view_.KnowsStatus()) {
      CALICO_CO_RETURN_IF_ERROR(co_await writer_.Remove(view_.Status()));
      for (auto& [type, gauge] : condition_gauges_) gauge->Set(0);
    }
    co_return controller::Result{};
  }
  if (!view_.IsKnown()) co_return controller::Result{};
  Live live = view_.Objects();
  live.node_agent = input_->node_agent;
  const ConfigInput input = *input_;
  Plan plan = MakePlan(
      {.release = input.release, .spec = input.spec, .has_ip_pools = input.has_ip_pools}, live);
  Pass pass;
  if (WaitsForDefinitions(live)) {
    WaitForDefinitions(plan, pass);
  } else {
    co_await Carry(plan, pass);
  }
  if (absl::IsCancelled(pass.error)) co_return pass.error;
  CountInPlace(live, plan);
  // Another one meanwhile: it has its own pass.
  if (input_ != input) co_return controller::Result{};
  const absl::Status reported = co_await Report(plan, pass);
  if (input_ != input) co_return controller::Result{};
  SetOutcome(ConfigOutcome{.pools = plan.pools,
                           .problems = plan.problems,
                           .waiting = plan.waiting,
                           .is_settled = pass.pending.empty() && plan.waiting.empty()});
  if (!pass.error.ok()) co_return pass.error;
  CALICO_CO_RETURN_IF_ERROR(reported);
  co_return controller::Result{
      .requeue_after = pass.again_at == absl::InfiniteFuture()
                           ? absl::InfiniteDuration()
                           : std::max(pass.again_at - clock_.Now(), absl::Milliseconds(1))};
}

bool CalicoConfigController::WaitsForDefinitions(const Live& live) {
  const bool is_served = live.ip_pools.has_value() && live.felix_configurations.has_value() &&
                         live.bgp_configurations.has_value();
  if (is_served || !makes_definitions_) {
    definitions_wait_until_ = absl::InfiniteFuture();
    return false;
  }
  const absl::Time now = clock_.SteadyNow();
  if (definitions_wait_until_ == absl::InfiniteFuture()) {
    definitions_wait_until_ = now + kDefinitionsPatience;
  }
  return now < definitions_wait_until_;
}

// Nothing is written until the kinds are there; that there are none is no problem yet.
void CalicoConfigController::WaitForDefinitions(Plan& plan, Pass& pass) const {
  plan.writes.clear();
  plan.pool_problems.clear();
  plan.problems.clear();
  plan.waiting = "Calico's CustomResourceDefinitions are being made";
  pass.pending = plan.waiting;
  pass.again_at = clock_.Now() + (definitions_wait_until_ - clock_.SteadyNow());
}

// Sends what may be sent; what somebody else changes back each time waits.
aio::Task<void> CalicoConfigController::Carry(Plan& plan, Pass& pass) {
  const std::string hash = fmt::format("{}/{}", input_->installation_uid, input_->generation);
  for (const Write& write : plan.writes) {
    const kube::Contention::Id id = IdOf(write.object);
    const std::vector<std::string> paths = PathsOf(write.object);
    const std::string path = paths.empty() ? "" : paths.front();
    std::vector<Problem>& problems =
        TextOf(write.object, "kind") == api::kIpPools.kind ? plan.pool_problems : plan.problems;
    if (!contention_.MaySend(id, hash, path, "", clock_.SteadyNow())) {
      const std::optional<kube::Contention::Contest> contest = contention_.Find(id);
      if (!contest.has_value()) continue;
      problems.push_back({api::kReasonResourceUpdateError, Contested(write.object, *contest)});
      pass.again_at =
          std::min(pass.again_at, clock_.Now() + (contest->again_at - clock_.SteadyNow()));
      continue;
    }
    pass.pending = "IP pools and settings are being written";
    absl::Status sent = co_await Send(write, path);
    // A race with another writer, or with the cache: the next event tells.
    if (sent.ok() || absl::IsAborted(sent) || absl::IsAlreadyExists(sent)) {
      if (!sent.ok()) pass.error = std::move(sent);
      continue;
    }
    if (!absl::IsCancelled(sent)) {
      problems.push_back({api::kReasonResourceUpdateError, std::string(sent.message())});
    }
    pass.error = std::move(sent);
    co_return;
  }
}

void CalicoConfigController::CountInPlace(const Live& live, const Plan& plan) {
  std::set<kube::Contention::Id> written;
  for (const Write& write : plan.writes) written.insert(IdOf(write.object));
  for (const auto* const objects :
       {&live.ip_pools, &live.felix_configurations, &live.bgp_configurations}) {
    if (!objects->has_value()) continue;
    for (const json::object& object : **objects) {
      const kube::Contention::Id id = IdOf(object);
      if (!written.contains(id)) contention_.InPlace(id, clock_.SteadyNow());
    }
  }
}

aio::Task<absl::Status> CalicoConfigController::Send(const Write& write, std::string_view path) {
  const api::Resource& resource = ResourceOf(write.object);
  const api::ObjectKey key = {"", NameOf(write.object)};
  const kube::Contention::Id id = IdOf(write.object);
  if (write.verb == Write::Verb::kDelete) {
    const absl::Status deleted = co_await client_.Delete(resource, key);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) co_return deleted;
    logger_.Info("deleted", {{"kind", resource.kind}, {"name", key.name}});
    co_return absl::OkStatus();
  }
  absl::StatusOr<json::object> answer;
  if (write.verb == Write::Verb::kCreate) {
    answer = co_await client_.Create(resource, write.object);
  } else {
    answer = co_await client_.Patch(resource, key, write.object);
  }
  if (!answer.ok()) co_return answer.status();
  logger_.Info(write.verb == Write::Verb::kCreate ? "created" : "changed",
               {{"kind", resource.kind}, {"name", key.name}});
  const std::vector<std::string> dropped = DroppedFrom(*answer, write.object);
  if (dropped.empty()) {
    contention_.Sent(id, path, clock_.SteadyNow());
  } else {
    contention_.Rewritten(id, fmt::format("{}", fmt::join(dropped, ", ")), clock_.SteadyNow());
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> CalicoConfigController::Report(const Plan& plan, Pass& pass) {
  if (!view_.KnowsStatus()) co_return absl::OkStatus();
  if (!RulesOf(input_->release).makes_ip_pools) co_return co_await writer_.Remove(view_.Status());
  status::StatusTarget target{.tigera_status = view_.Status(),
                              .owner_uid = input_->installation_uid};
  status::Decision decision =
      status::Decide(FactsOf(*input_, plan, definition_problems_, pass.pending, clock_.Now()));
  for (auto& [type, gauge] : condition_gauges_) {
    const api::Condition* const condition = api::FindCondition(decision.conditions, type);
    gauge->Set(condition != nullptr && condition->IsTrue() ? 1 : 0);
  }
  CALICO_CO_ASSIGN_OR_RETURN(const absl::Time again_at,
                             co_await writer_.Write(std::move(target), std::move(decision)));
  if (again_at != absl::InfiniteFuture()) pass.again_at = std::min(pass.again_at, again_at);
  co_return absl::OkStatus();
}

}  // namespace calico::calico_config
