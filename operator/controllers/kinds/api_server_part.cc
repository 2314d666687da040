#include "operator/controllers/kinds/api_server_part.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/kinds/api_service_health.h"
#include "operator/controllers/status/apply_outcome.h"
#include "operator/render/names.h"
#include "operator/validation/api_server_rules.h"
#include "operator/validation/installation.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::kinds {
namespace {

std::string Invalid(std::string_view what) {
  return fmt::format("Invalid APIServer provided: {}", what);
}

// Since when a pod has been there to answer; nullopt: there is none.
std::optional<absl::Time> AnswersSince(const status::Workload& workload, absl::Time now) {
  if (workload.deployment == nullptr || workload.deployment->available_replicas == 0) {
    return std::nullopt;
  }
  const api::Condition* const available =
      api::FindCondition(workload.deployment->conditions, api::kAvailable);
  return available == nullptr ? now : available->last_transition_time.value_or(now);
}

}  // namespace

ApiServerPart::ApiServerPart(aio::Executor executor, kube::Client& client,
                             installation::ClusterView& cluster, KindsView& kinds,
                             kube::EventRecorder& events, metrics::Registry& registry,
                             std::string ns, const base::Clock& clock, const base::Logger& logger)
    : client_(client),
      cluster_(cluster),
      kinds_(kinds),
      events_(events),
      ns_(std::move(ns)),
      clock_(clock),
      logger_(logger),
      applier_(client, cluster.owned(),
               {.field_manager = std::string(render::kFieldManager),
                .hash_annotation = std::string(render::kAppliedAnnotation)},
               clock, logger, std::move(executor)),
      workloads_(
          cluster, applier_,
          {{.kind = status::kDeployment, .name = std::string(render::kApiServer), .ns = ns_}}),
      metrics_(registry, api::kTigeraStatusApiServer) {}

void ApiServerPart::Stop(status::Obstacle obstacle) {
  if (!pass_.obstacle.has_value()) pass_.obstacle = std::move(obstacle);
}

void ApiServerPart::Begin() {
  pass_ = Pass{};
  if (!kinds_.KnowsApiServers().ok()) return;
  absl::StatusOr<std::shared_ptr<const ApiServerRecord>> found = kinds_.ApiServer();
  if (!found.ok()) {
    pass_.record = kinds_.FindApiServer(api::kApiServerName);
    pass_.is_one_of_two = true;
    Stop({std::string(api::kReasonInvalidConfiguration), std::string(found.status().message())});
    return;
  }
  pass_.record = *std::move(found);
  if (pass_.record != nullptr) Check(*pass_.record);
}

void ApiServerPart::Check(const ApiServerRecord& record) {
  const absl::StatusOr<api::ApiServer>& api_server = record.api_server;
  if (!api_server.ok()) {
    Stop({std::string(api::kReasonInvalidConfiguration),
          Invalid(std::string(api_server.status().message()))});
    return;
  }
  const std::vector<validation::Problem> problems =
      validation::CheckApiServerSpec(api_server->spec);
  if (!problems.empty()) {
    Stop({std::string(api::kReasonInvalidConfiguration), Invalid(validation::ToString(problems))});
    return;
  }
  if (!api_server->ignored_fields.empty()) {
    pass_.notes.push_back(fmt::format("fields without effect in this version: {}",
                                      absl::StrJoin(api_server->ignored_fields, ", ")));
  }
}

// Being deleted: the garbage collector is at work, and what it removes must not come back.
const KindRecord* ApiServerPart::Wanted() const {
  if (pass_.record == nullptr || pass_.record->head.deleting || pass_.is_one_of_two) return nullptr;
  return &pass_.record->head;
}

std::optional<render::ApiServerInput> ApiServerPart::Input() const {
  if (Wanted() == nullptr || pass_.obstacle.has_value()) return std::nullopt;
  return render::ApiServerInput{.uid = pass_.record->head.uid,
                                .spec = pass_.record->api_server->spec,
                                .name = pass_.record->head.name};
}

aio::Task<void> ApiServerPart::Apply(std::vector<json::object> objects, bool copies_pull_secrets) {
  workloads_.Remember(objects);
  // What is not known by then is applied anyway.
  const absl::Status ignored = co_await cluster_.WatchNamespace(ns_);
  status::ApplyOutcome outcome =
      status::OutcomeOf(co_await applier_.Apply(std::move(objects), pass_.record->head.uid),
                        clock_.Now(), copies_pull_secrets, ns_);
  if (outcome.obstacle.has_value()) Stop(*std::move(outcome.obstacle));
  std::move(outcome.waits.begin(), outcome.waits.end(), std::back_inserter(pass_.waits));
  std::move(outcome.notes.begin(), outcome.notes.end(), std::back_inserter(pass_.notes));
  pass_.is_applied = outcome.is_applied;
  pass_.error = outcome.error;
  pass_.again_at = std::min(pass_.again_at, outcome.again_at);
}

status::Facts ApiServerPart::FactsOf(const Certificates& certificates) {
  status::Facts facts{.generation = pass_.record->head.generation,
                      .obstacle = pass_.obstacle,
                      .waits = pass_.waits,
                      .notes = pass_.notes,
                      .nodes = cluster_.Nodes(),
                      .workloads = workloads_.Look(),
                      .waiting_pods = cluster_.WaitingPods({render::kApiServer}, ns_),
                      .roots = certificates.roots,
                      .now = clock_.Now()};
  const bool are_there = std::all_of(facts.workloads.begin(), facts.workloads.end(),
                                     [](const status::Workload& one) { return one.is_there(); });
  facts.has_workloads = cluster_.KnowsWorkloads() && (pass_.is_applied || are_there);
  return facts;
}

// While no pod answers, that is the cause, and is told already.
void ApiServerPart::LookAtApiService(status::Facts& facts) {
  if (!facts.has_workloads || facts.workloads.empty()) return;
  const std::optional<absl::Time> since = AnswersSince(facts.workloads.front(), facts.now);
  if (!since.has_value()) return;
  const auto live = cluster_.owned().Get(api::kApiServices, {"", kApiServiceName});
  const json::object object = live == nullptr ? json::object() : live->Parse();
  ApiServiceHealth health = JudgeApiService(live == nullptr ? nullptr : &object, *since, facts.now);
  pass_.again_at = std::min(pass_.again_at, health.recheck_at);
  if (health.progress.empty()) return;
  if (!health.is_failing) {
    facts.waits.push_back(std::move(health.progress));
  } else if (!facts.obstacle.has_value()) {
    facts.obstacle =
        status::Obstacle{std::string(api::kReasonResourceNotReady),
                         fmt::format("{}: can the API server reach Service calico-api of its "
                                     "namespace, and the pods behind it?",
                                     health.progress)};
  }
}

status::StatusWriter& ApiServerPart::WriterFor(const std::string& name) {
  if (!writer_.has_value() || writer_name_ != name) {
    writer_name_ = name;
    writer_.emplace(status::StatusSubject{.name = std::string(api::kTigeraStatusApiServer),
                                          .owner = &api::kApiServers,
                                          .owner_name = name},
                    client_, events_, clock_);
  }
  return *writer_;
}

aio::Task<absl::StatusOr<absl::Time>> ApiServerPart::Report(const Certificates& certificates) {
  if (!kinds_.KnowsApiServers().ok()) co_return absl::InfiniteFuture();
  const std::shared_ptr<const api::TigeraStatus> told = kinds_.Status(api::kTigeraStatusApiServer);
  if (pass_.record == nullptr) {
    metrics_.Hide();
    CALICO_CO_RETURN_IF_ERROR(co_await WriterFor(std::string(api::kApiServerName)).Remove(told));
    co_return absl::InfiniteFuture();
  }
  if (pass_.record->head.deleting) co_return absl::InfiniteFuture();
  status::Facts facts = FactsOf(certificates);
  LookAtApiService(facts);
  memory_.Recall(told == nullptr ? std::vector<api::Condition>() : told->conditions,
                 clock_.SteadyNow(), facts);
  // Remembered all the same: why they were refused is told again once that is known.
  if (!certificates.are_known) facts.waiting_pods.clear();
  status::Decision decision = status::Decide(facts);
  LogOnce();
  metrics_.Set(decision);
  pass_.again_at = std::min(pass_.again_at, decision.recheck_at);
  const auto now = kinds_.FindApiServer(pass_.record->head.name);
  // Gone meanwhile, or made anew: that has a pass of its own.
  if (now == nullptr || now->head.uid != pass_.record->head.uid) co_return absl::InfiniteFuture();
  CALICO_CO_ASSIGN_OR_RETURN(const absl::Time again_at,
                             co_await WriterFor(now->head.name)
                                 .Write({.tigera_status = told,
                                         .is_status_known = kinds_.KnowsStatuses(),
                                         .owner_uid = now->head.uid,
                                         .owner_version = now->head.resource_version,
                                         .owner_status = now->head.status},
                                        std::move(decision)));
  CALICO_CO_RETURN_IF_ERROR(pass_.error);
  co_return std::min(again_at, pass_.again_at);
}

void ApiServerPart::LogOnce() {
  const std::string what = fmt::format("{}\n{}\n{}", pass_.record->head.generation,
                                       pass_.obstacle.has_value() ? pass_.obstacle->message : "",
                                       absl::StrJoin(pass_.notes, "\n"));
  if (std::exchange(logged_, what) == what) return;
  if (pass_.obstacle.has_value()) {
    logger_.Warning("the APIServer cannot be carried out",
                    {{"generation", pass_.record->head.generation},
                     {"reason", pass_.obstacle->reason},
                     {"problem", pass_.obstacle->message}});
  }
  for (const std::string& note : pass_.notes) {
    logger_.Info("note on the APIServer",
                 {{"generation", pass_.record->head.generation}, {"note", note}});
  }
}

}  // namespace calico::kinds
