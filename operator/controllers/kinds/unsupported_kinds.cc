#include "operator/controllers/kinds/unsupported_kinds.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "operator/controllers/status/component_metrics.h"
#include "operator/controllers/status/conditions.h"
#include "operator/controllers/status/status_writer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::kinds {
namespace {

constexpr std::string_view kControllerName = "unsupported-kinds";
constexpr absl::Duration kLongestBackoff = absl::Minutes(1);

api::ObjectKey Key() { return {"", std::string(kControllerName)}; }

std::string MessageOf(std::string_view kind, std::string_view what) {
  return fmt::format(
      "{0} is not run by this version of the operator: there are no {1}. The object is kept, and "
      "what another operator has made for it is left alone; networking, policies and Calico's API "
      "server do not need it. To be rid of this status run `kubectl delete {2} default`",
      kind, what, absl::AsciiStrToLower(std::string(kind)));
}

}  // namespace

struct UnsupportedKinds::Kind {
  Kind(const api::Resource& the_resource, std::string_view status, std::string_view what,
       absl::Status (KindsView::*knows_it)() const,
       std::shared_ptr<const KindRecord> (KindsView::*find_it)() const, kube::Client& client,
       kube::EventRecorder& events, metrics::Registry& registry, const base::Clock& clock)
      : status_name(status),
        message(MessageOf(the_resource.kind, what)),
        knows(knows_it),
        find(find_it),
        metrics(registry, status),
        writer({.name = std::string(status), .owner = &the_resource, .owner_name = "default"},
               client, events, clock) {}

  const std::string_view status_name;
  const std::string message;
  absl::Status (KindsView::* const knows)() const;
  std::shared_ptr<const KindRecord> (KindsView::* const find)() const;
  status::ComponentMetrics metrics;
  status::StatusWriter writer;
};

UnsupportedKinds::UnsupportedKinds(aio::Executor executor, kube::Client& client, KindsView& view,
                                   kube::EventRecorder& events, metrics::Registry& registry,
                                   const base::Clock& clock, const base::Logger& logger)
    : view_(view),
      clock_(clock),
      logger_(logger),
      queue_(std::move(executor), clock, {.cap = kLongestBackoff}),
      metrics_(registry, std::string(kControllerName)) {
  kinds_.push_back(std::make_unique<Kind>(api::kGoldmanes, api::kTigeraStatusGoldmane, "flow logs",
                                          &KindsView::KnowsGoldmanes, &KindsView::Goldmane, client,
                                          events, registry, clock));
  kinds_.push_back(std::make_unique<Kind>(api::kWhiskers, api::kTigeraStatusWhisker,
                                          "flow logs to be shown", &KindsView::KnowsWhiskers,
                                          &KindsView::Whisker, client, events, registry, clock));
  view_.AddObserver([this](KindsView::Change) { queue_.Add(Key()); });
}

UnsupportedKinds::~UnsupportedKinds() = default;

aio::Task<void> UnsupportedKinds::Run() {
  queue_.Add(Key());
  return controller::RunController(
      {.name = std::string(kControllerName), .workers = 1, .metrics = &metrics_}, queue_,
      [this](api::ObjectKey) { return Reconcile(); }, logger_);
}

aio::Task<absl::StatusOr<controller::Result>> UnsupportedKinds::Reconcile() {
  absl::Time again_at = absl::InfiniteFuture();
  absl::Status error;
  for (const std::unique_ptr<Kind>& kind : kinds_) {
    const absl::StatusOr<absl::Time> reported = co_await Report(*kind);
    if (absl::IsCancelled(reported.status())) co_return reported.status();
    if (reported.ok()) {
      again_at = std::min(again_at, *reported);
    } else {
      error.Update(reported.status());
    }
  }
  CALICO_CO_RETURN_IF_ERROR(error);
  if (again_at == absl::InfiniteFuture()) co_return controller::Result{};
  co_return controller::Result{.requeue_after =
                                   std::max(again_at - clock_.Now(), absl::Milliseconds(1))};
}

// Returns when to look again.
aio::Task<absl::StatusOr<absl::Time>> UnsupportedKinds::Report(Kind& kind) {
  if (!(view_.*kind.knows)().ok() || !view_.KnowsStatuses()) co_return absl::InfiniteFuture();
  const std::shared_ptr<const KindRecord> record = (view_.*kind.find)();
  const std::shared_ptr<const api::TigeraStatus> told = view_.Status(kind.status_name);
  if (record == nullptr) {
    kind.metrics.Hide();
    CALICO_CO_RETURN_IF_ERROR(co_await kind.writer.Remove(told));
    co_return absl::InfiniteFuture();
  }
  // Being deleted: the garbage collector removes the status, and it must not come back.
  if (record->deleting) co_return absl::InfiniteFuture();
  status::Decision decision = status::Decide(
      {.generation = record->generation,
       .obstacle = status::Obstacle{std::string(api::kReasonNotApplicable), kind.message},
       .now = clock_.Now()});
  kind.metrics.Set(decision);
  co_return co_await kind.writer.Write({.tigera_status = told,
                                        .owner_uid = record->uid,
                                        .owner_version = record->resource_version,
                                        .owner_status = record->status},
                                       std::move(decision));
}

}  // namespace calico::kinds
