#include "operator/controllers/calico_config/served_kind.h"

#include <algorithm>
#include <utility>

#include <absl/status/status.h>

#include "pkg/aio/task_group.h"
#include "pkg/base/backoff.h"

namespace calico::calico_config {
namespace {

// A fresh cluster gets its definitions within a second; later nobody waits.
constexpr base::BackoffOptions kServedBackoff = {.initial = absl::Milliseconds(100),
                                                 .cap = absl::Seconds(30)};
constexpr absl::Duration kGoneInterval = absl::Seconds(30);

absl::StatusOr<std::optional<json::object>> KeepAll(const json::object& object) { return object; }

}  // namespace

ServedKind::ServedKind(kube::Client& client, const api::Resource& resource,
                       const base::Clock& clock, const base::Logger& logger, aio::Executor executor,
                       std::function<void()> changed)
    : client_(client),
      clock_(clock),
      executor_(executor),
      changed_(std::move(changed)),
      informer_(client, resource, {}, &KeepAll, clock, logger, executor),
      look_(executor),
      health_changed_(executor) {
  informer_.AddObserver([this](const api::ObjectKey&) { changed_(); });
  informer_.AddHealthObserver([this] {
    health_changed_.Notify();
    changed_();
  });
}

bool ServedKind::IsKnown() const {
  return is_served_.has_value() && (!*is_served_ || informer_.HasSynced());
}

std::optional<std::vector<json::object>> ServedKind::Objects() const {
  if (!is_served_.value_or(false) || !informer_.HasSynced()) return std::nullopt;
  std::vector<api::ObjectKey> keys = informer_.store().Keys();
  std::sort(keys.begin(), keys.end(),
            [](const api::ObjectKey& a, const api::ObjectKey& b) { return a.name < b.name; });
  std::vector<json::object> objects;
  objects.reserve(keys.size());
  for (const api::ObjectKey& key : keys) objects.push_back(*informer_.store().Get(key));
  return objects;
}

KindState ServedKind::State() const {
  return {.resource = &informer_.resource(),
          .is_known = IsKnown(),
          .trouble = trouble_.has_value() ? trouble_ : informer_.trouble(),
          .started = started_};
}

bool ServedKind::HasGone() const {
  return informer_.trouble().has_value() && absl::IsNotFound(informer_.trouble()->error);
}

void ServedKind::SetServed(bool is_served) {
  was_served_ = was_served_ || is_served;
  if (is_served_ == is_served && !trouble_.has_value()) return;
  is_served_ = is_served;
  trouble_.reset();
  changed_();
}

void ServedKind::SetRefusal(const absl::Status& status) {
  if (trouble_.has_value() && trouble_->error == status) return;
  trouble_ = kube::NextTrouble(trouble_, informer_.resource(), status, clock_.SteadyNow());
  changed_();
}

aio::Task<void> ServedKind::WatchUntilGone() {
  aio::TaskGroup group(executor_);
  group.Spawn(informer_.Run());
  while (!HasGone()) {
    if (absl::IsCancelled(co_await health_changed_.Wait(kGoneInterval))) break;
  }
  co_await group.Stop();
  const bool has_gone = HasGone();
  if (has_gone) SetServed(false);
  informer_.Reset();
}

aio::Task<void> ServedKind::Run() {
  base::Backoff backoff(kServedBackoff);
  started_ = clock_.SteadyNow();
  while (true) {
    const absl::StatusOr<bool> serves = co_await client_.Serves(informer_.resource());
    if (absl::IsCancelled(serves.status())) co_return;
    if (!serves.ok()) {
      SetRefusal(serves.status());
    } else {
      SetServed(*serves);
      if (*serves) {
        co_await WatchUntilGone();
        backoff.Reset();
      }
    }
    if (absl::IsCancelled(co_await look_.Wait(backoff.Next(base::RandomUnit())))) co_return;
  }
}

}  // namespace calico::calico_config
