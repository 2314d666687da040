#include "pkg/controller/key_schedule.h"

#include "pkg/base/check.h"

namespace calico::controller {

void KeySchedule::Add(const api::ObjectKey& key, absl::Time now) {
  if (!queued_.insert(key).second) return;
  if (!in_work_.contains(key)) PushReady(key, now);
}

void KeySchedule::PushReady(const api::ObjectKey& key, absl::Time now) {
  const uint64_t flow = flow_of_ ? flow_of_(key) : 0;
  std::list<Taken>& keys = flows_[flow];
  if (keys.empty()) turns_.push_back(flow);
  keys.push_back({key, now});
  ++ready_;
}

void KeySchedule::AddAt(const api::ObjectKey& key, absl::Time due) {
  const auto [entry, is_new] = due_.try_emplace(key, due);
  if (!is_new) {
    if (entry->second <= due) return;
    by_due_.erase({entry->second, key});
    entry->second = due;
  }
  by_due_.insert({due, key});
}

std::optional<KeySchedule::Taken> KeySchedule::Take(absl::Time now) {
  Promote(now);
  if (ready_ == 0) return std::nullopt;
  const auto flow = flows_.find(turns_.front());
  turns_.pop_front();
  Taken taken = std::move(flow->second.front());
  flow->second.pop_front();
  --ready_;
  if (flow->second.empty()) {
    flows_.erase(flow);
  } else {
    turns_.push_back(flow->first);
  }
  queued_.erase(taken.key);
  in_work_.insert(taken.key);
  return taken;
}

void KeySchedule::Done(const api::ObjectKey& key, absl::Time now) {
  CALICO_CHECK(in_work_.erase(key) == 1);
  if (queued_.contains(key)) PushReady(key, now);
}

absl::Time KeySchedule::NextDue() const {
  return by_due_.empty() ? absl::InfiniteFuture() : by_due_.begin()->first;
}

void KeySchedule::Clear() {
  flows_.clear();
  turns_.clear();
  ready_ = 0;
  queued_.clear();
  due_.clear();
  by_due_.clear();
}

void KeySchedule::Promote(absl::Time now) {
  while (!by_due_.empty() && by_due_.begin()->first <= now) {
    const auto [due, key] = *by_due_.begin();
    by_due_.erase(by_due_.begin());
    due_.erase(key);
    Add(key, due);
  }
}

}  // namespace calico::controller
