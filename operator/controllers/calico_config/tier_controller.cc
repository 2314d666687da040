#include "operator/controllers/calico_config/tier_controller.h"

#include <string_view>

#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kControllerName = "tiers";
constexpr std::string_view kStatusName = "tiers";
constexpr absl::Duration kLongestBackoff = absl::Minutes(1);
constexpr char kKubeSystem[] = "kube-system";

api::ObjectKey Key() { return {"", std::string(kStatusName)}; }

const api::Resource& ResourceOf(const json::object& object) {
  const std::string_view kind = codec::TextAt(object, "kind");
  if (kind == api::kServedTiers.kind) return api::kServedTiers;
  if (kind == api::kServedNetworkPolicies.kind) return api::kServedNetworkPolicies;
  return api::kServedGlobalNetworkPolicies;
}

api::ObjectKey KeyOf(const json::object& object) {
  const json::object& metadata = object.at("metadata").get_object();
  return {std::string(codec::TextAt(metadata, "namespace")),
          std::string(codec::TextAt(metadata, "name"))};
}

json::object SpecOf(const json::object& object) {
  const json::object* const spec = codec::FindObject(object, "spec");
  return spec == nullptr ? json::object() : *spec;
}

bool HasLabels(const json::object& live, const json::object& wanted) {
  const json::object& labels = wanted.at("metadata").at("labels").get_object();
  const json::object* const metadata = codec::FindObject(live, "metadata");
  const json::object* const found =
      metadata == nullptr ? nullptr : codec::FindObject(*metadata, "labels");
  if (found == nullptr) return false;
  for (const auto& label : labels) {
    if (codec::TextAt(*found, codec::KeyOf(label)) != codec::View(label.value().get_string())) {
      return false;
    }
  }
  return true;
}

// In the reference's wording, with what to do.
constexpr std::string_view kNotServed =
    "Waiting for Tigera API server to be ready: projectcalico.org/v3 is not served, so the "
    "policies "
    "for Calico's own pods are not made yet; create an APIServer (operator.tigera.io/v1) to have "
    "them, Calico runs without";

}  // namespace

TierController::TierController(aio::Executor executor, kube::Client& client,
                               kube::EventRecorder& events, metrics::Registry& registry,
                               const base::Clock& clock, const base::Logger& logger,
                               TierControllerOptions options)
    : client_(client),
      clock_(clock),
      logger_(logger),
      options_(options),
      executor_(executor),
      queue_(executor, clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kControllerName)),
      report_(std::string(kStatusName), executor, client, events, registry, clock, logger,
              [this] { queue_.Add(Key()); }) {}

void TierController::SetInput(std::optional<TierInput> input) {
  if (std::exchange(is_told_, true) && input == input_) return;
  input_ = std::move(input);
  queue_.Add(Key());
}

aio::Task<void> TierController::Run() {
  aio::TaskGroup group(executor_);
  group.Spawn(report_.Run());
  co_await controller::RunController(
      {.name = std::string(kControllerName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return Reconcile(); }, logger_);
  co_await group.Stop();
}

aio::Task<absl::StatusOr<controller::Result>> TierController::Reconcile() {
  if (!is_told_ || !report_.IsKnown()) co_return controller::Result{};
  if (!input_.has_value() || !HasTier(input_->facts.release)) {
    CALICO_CO_RETURN_IF_ERROR(co_await report_.Remove());
    co_return controller::Result{};
  }
  const std::string uid = input_->installation_uid;
  status::Facts facts{.generation = input_->generation, .has_workloads = true, .now = clock_.Now()};
  // An API server of Calico's that does not answer is one that is not there yet.
  const absl::StatusOr<bool> serves =
      co_await aio::WithDeadline(client_.Serves(api::kServedTiers), options_.served_timeout);
  if (absl::IsCancelled(serves.status())) co_return serves.status();
  if (!serves.ok() || !*serves) {
    facts.waits.emplace_back(kNotServed);
    CALICO_CO_RETURN_IF_ERROR(co_await report_.Write(std::move(facts), uid));
    co_return controller::Result{.requeue_after = options_.served_interval};
  }
  PolicyFacts policies = input_->facts;
  absl::Status done = co_await AskNodeLocalDns(policies);
  if (done.ok()) done = co_await Carry(PlanPolicies(policies));
  if (absl::IsCancelled(done)) co_return done;
  if (absl::IsUnavailable(done) || absl::IsAborted(done)) co_return done;  // for a moment
  if (!done.ok()) {
    facts.obstacle =
        status::Obstacle{std::string(api::kReasonResourceUpdateError), std::string(done.message())};
  }
  CALICO_CO_RETURN_IF_ERROR(co_await report_.Write(std::move(facts), uid));
  if (!done.ok()) co_return done;
  co_return controller::Result{.requeue_after = options_.interval};
}

// Pods then ask the node's own server, at the address of the cluster's.
aio::Task<absl::Status> TierController::AskNodeLocalDns(PolicyFacts& facts) {
  const std::string_view provider = codec::TextAt(facts.spec, "kubernetesProvider");
  if (provider == "OpenShift") co_return absl::OkStatus();
  const absl::StatusOr<json::object> daemon_set =
      co_await client_.Get(api::kDaemonSets, {kKubeSystem, "node-local-dns"});
  if (absl::IsNotFound(daemon_set.status())) co_return absl::OkStatus();
  if (!daemon_set.ok()) co_return daemon_set.status();
  const absl::StatusOr<json::object> service = co_await client_.Get(
      api::kServices, {kKubeSystem, provider == "RKE2" ? "rke2-coredns-rke2-coredns" : "kube-dns"});
  if (!service.ok()) co_return service.status();
  const json::object spec = SpecOf(*service);
  const json::array* const addresses = codec::FindArray(spec, "clusterIPs");
  for (const json::value& address : addresses == nullptr ? json::array() : *addresses) {
    if (address.is_string()) facts.node_local_dns.emplace_back(codec::View(address.get_string()));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> TierController::Carry(const PolicyPlan& plan) {
  for (const json::object& object : plan.unwanted) {
    CALICO_CO_RETURN_IF_ERROR(co_await Remove(object));
  }
  for (const json::object& object : plan.wanted) {
    CALICO_CO_RETURN_IF_ERROR(co_await Ensure(object));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> TierController::Ensure(const json::object& wanted) {
  const api::Resource& resource = ResourceOf(wanted);
  const api::ObjectKey key = KeyOf(wanted);
  const std::string id = fmt::format("{} {}/{}", resource.kind, key.ns, key.name);
  const json::object spec = SpecOf(wanted);
  const std::string sent = codec::Serialize(spec);
  const absl::StatusOr<json::object> live = co_await client_.Get(resource, key);
  if (!live.ok() && !absl::IsNotFound(live.status())) co_return live.status();
  absl::StatusOr<json::object> answer;
  if (!live.ok()) {
    answer = co_await client_.Create(resource, wanted);
  } else {
    const json::object found = SpecOf(*live);
    const auto known = answers_.find(id);
    const bool is_answer =
        known != answers_.end() && known->second.first == sent && known->second.second == found;
    if ((found == spec || is_answer) && HasLabels(*live, wanted)) co_return absl::OkStatus();
    json::object patch = wanted;
    patch["metadata"].as_object()["resourceVersion"] =
        codec::TextAt(live->at("metadata").get_object(), "resourceVersion");
    answer = co_await client_.Patch(resource, key, std::move(patch));
  }
  if (!answer.ok()) co_return answer.status();
  logger_.Info(live.ok() ? "changed" : "created",
               {{"kind", resource.kind}, {"namespace", key.ns}, {"name", key.name}});
  answers_[id] = {sent, SpecOf(*answer)};
  co_return absl::OkStatus();
}

aio::Task<absl::Status> TierController::Remove(const json::object& unwanted) {
  const api::Resource& resource = ResourceOf(unwanted);
  const api::ObjectKey key = KeyOf(unwanted);
  const absl::StatusOr<json::object> live = co_await client_.Get(resource, key);
  if (absl::IsNotFound(live.status())) co_return absl::OkStatus();
  if (!live.ok()) co_return live.status();
  if (!IsOperatorsPolicy(*live)) co_return absl::OkStatus();
  const absl::Status deleted = co_await client_.Delete(resource, key);
  if (!deleted.ok() && !absl::IsNotFound(deleted)) co_return deleted;
  logger_.Info("deleted", {{"kind", resource.kind}, {"namespace", key.ns}, {"name", key.name}});
  co_return absl::OkStatus();
}

}  // namespace calico::calico_config
