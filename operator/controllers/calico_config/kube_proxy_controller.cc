#include "operator/controllers/calico_config/kube_proxy_controller.h"

#include <utility>

#include <fmt/format.h>

#include "operator/controllers/calico_config/live_settings.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::calico_config {
namespace {

constexpr std::string_view kName = "kubeproxy-monitor";
constexpr absl::Duration kLongestBackoff = absl::Minutes(1);

api::ObjectKey Key() { return {"", std::string(kName)}; }
api::ObjectKey KubeProxy() { return {"kube-system", "kube-proxy"}; }

const json::object* Member(const json::object* object, std::string_view key) {
  return object == nullptr ? nullptr : codec::FindObject(*object, key);
}

bool IsOff(const json::object& daemon_set) {
  const json::object* const pod =
      Member(Member(codec::FindObject(daemon_set, "spec"), "template"), "spec");
  const json::object* const selector = Member(pod, "nodeSelector");
  return selector != nullptr && selector->contains(kNoKubeProxyLabel);
}

}  // namespace

std::string OtherManagerOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  for (const auto& [where, key] : {std::pair("labels", "app.kubernetes.io/managed-by"),
                                   std::pair("labels", "addonmanager.kubernetes.io/mode"),
                                   std::pair("annotations", "argocd.argoproj.io/tracking-id")}) {
    const json::object* const found = Member(metadata, where);
    if (found == nullptr || !found->contains(key)) continue;
    return fmt::format("{}={}", key, codec::TextAt(*found, key));
  }
  return "";
}

KubeProxyController::KubeProxyController(aio::Executor executor, kube::Client& client,
                                         CalicoView& view, kube::EventRecorder& events,
                                         metrics::Registry& registry, const base::Clock& clock,
                                         const base::Logger& logger, absl::Duration interval)
    : client_(client),
      view_(view),
      clock_(clock),
      logger_(logger),
      interval_(interval),
      executor_(executor),
      queue_(executor, clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kName)),
      report_(std::string(kName), executor, client, events, registry, clock, logger,
              [this] { queue_.Add(Key()); }) {
  view_.AddObserver([this] { queue_.Add(Key()); });
}

void KubeProxyController::SetInput(std::optional<KubeProxyInput> input) {
  if (std::exchange(is_told_, true) && input == input_) return;
  input_ = std::move(input);
  queue_.Add(Key());
}

aio::Task<void> KubeProxyController::Run() {
  aio::TaskGroup group(executor_);
  group.Spawn(report_.Run());
  co_await controller::RunController(
      {.name = std::string(kName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return Reconcile(); }, logger_);
  co_await group.Stop();
}

aio::Task<absl::StatusOr<controller::Result>> KubeProxyController::Reconcile() {
  if (!is_told_ || !report_.IsKnown()) co_return controller::Result{};
  if (!input_.has_value()) {
    CALICO_CO_RETURN_IF_ERROR(co_await report_.Remove());
    co_return controller::Result{};
  }
  if (!view_.IsKnown()) co_return controller::Result{};
  const std::string uid = input_->installation_uid;
  status::Facts facts{.generation = input_->generation, .has_workloads = true, .now = clock_.Now()};
  const std::optional<bool> is_bpf_on = IsBpfOn(view_.Objects());
  absl::StatusOr<json::object> daemon_set = co_await client_.Get(api::kDaemonSets, KubeProxy());
  if (absl::IsCancelled(daemon_set.status())) co_return daemon_set.status();
  absl::Status error = daemon_set.status();
  if (!daemon_set.ok()) {
    facts.obstacle = status::Obstacle{
        std::string(api::kReasonResourceNotFound),
        fmt::format("failed to retrieve kube-proxy DaemonSet: {}; where there is none, remove "
                    "spec.calicoNetwork.kubeProxyManagement",
                    std::string(error.message()))};
  } else if (const std::string manager = OtherManagerOf(*daemon_set); !manager.empty()) {
    facts.obstacle = status::Obstacle{
        std::string(api::kReasonResourceValidationError),
        fmt::format("DaemonSet kube-system/kube-proxy is looked after by something else ({}) and "
                    "is left as it is: switch it off there, and remove "
                    "spec.calicoNetwork.kubeProxyManagement",
                    manager)};
  } else if (!is_bpf_on.has_value()) {
    facts.waits.emplace_back("FelixConfiguration default is being made");
  } else if (IsOff(*daemon_set) != *is_bpf_on) {
    error = co_await Switch(*daemon_set, *is_bpf_on);
    if (absl::IsCancelled(error)) co_return error;
    if (!error.ok()) {
      facts.obstacle = status::Obstacle{std::string(api::kReasonResourceUpdateError),
                                        std::string(error.message())};
    }
  }
  CALICO_CO_RETURN_IF_ERROR(co_await report_.Write(std::move(facts), uid));
  if (!error.ok() && !absl::IsNotFound(error)) co_return error;
  co_return controller::Result{.requeue_after = interval_};
}

aio::Task<absl::Status> KubeProxyController::Switch(const json::object& daemon_set, bool is_off) {
  json::object selector;
  selector[kNoKubeProxyLabel] = is_off ? json::value("true") : json::value(nullptr);
  json::object pod;
  pod["nodeSelector"] = std::move(selector);
  json::object patch{{"metadata",
                      {{"resourceVersion",
                        codec::TextAt(daemon_set.at("metadata").get_object(), "resourceVersion")}}},
                     {"spec", {{"template", {{"spec", std::move(pod)}}}}}};
  const absl::StatusOr<json::object> answer =
      co_await client_.Patch(api::kDaemonSets, KubeProxy(), std::move(patch));
  if (!answer.ok()) co_return answer.status();
  logger_.Info(is_off ? "kube-proxy is kept from the nodes: eBPF does its work"
                      : "kube-proxy is back on the nodes: eBPF is off");
  co_return absl::OkStatus();
}

}  // namespace calico::calico_config
