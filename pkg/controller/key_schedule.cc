#include "pkg/controller/key_schedule.h"

#include "pkg/base/check.h"

namespace calico::controller {

void KeySchedule::Add(const api::ObjectKey& key, absl::Time now) {
  if (!queued_.insert(key).second) return;
  if (!in_work_.contains(key)) ready_.push_back({key, now});
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
  if (ready_.empty()) return std::nullopt;
  Taken taken = std::move(ready_.front());
  ready_.pop_front();
  queued_.erase(taken.key);
  in_work_.insert(taken.key);
  return taken;
}

void KeySchedule::Done(const api::ObjectKey& key, absl::Time now) {
  CALICO_CHECK(in_work_.erase(key) == 1);
  if (queued_.contains(key)) ready_.push_back({key, now});
}

absl::Time KeySchedule::NextDue() const {
  return by_due_.empty() ? absl::InfiniteFuture() : by_due_.begin()->first;
}

void KeySchedule::Clear() {
  ready_.clear();
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
