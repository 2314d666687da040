// KeySchedule: which key is to be worked on, and when. The rules of WorkQueue without its waiting.
//
// Keys belong to flows (one, unless told otherwise). Flows with ready keys take turns, so that one
// with thousands of keys costs another with one key no more than a turn. Within a flow the key that
// has been ready longest is next.
#ifndef CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_
#define CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/time/time.h>

#include "pkg/api/meta/object_key.h"

namespace calico::controller {

// Whose key it is, as a number. Asked each time when a key becomes ready.
using FlowOf = std::function<uint64_t(const api::ObjectKey& key)>;

// Not thread-safe.
class KeySchedule {
 public:
  // Null: all keys are of one flow.
  explicit KeySchedule(FlowOf flow_of = nullptr) : flow_of_(std::move(flow_of)) {}

  // Ready at once. A key that is ready already is not added twice; one that is in work becomes
  // ready when it is done. A later due time of the same key stays.
  void Add(const api::ObjectKey& key, absl::Time now);
  // Ready at `due`. The earliest due time wins when a key is given several.
  void AddAt(const api::ObjectKey& key, absl::Time due);

  struct Taken {
    api::ObjectKey key;
    absl::Time ready_since;
  };
  // Of the flow whose turn it is, the key that has been ready longest. It is in work until Done.
  std::optional<Taken> Take(absl::Time now);
  // Requires: `key` is in work.
  void Done(const api::ObjectKey& key, absl::Time now);

  // When the next key becomes ready; InfiniteFuture when none is waiting for its time. Keys that
  // are ready do not count.
  absl::Time NextDue() const;
  // Drops everything but what is in work.
  void Clear();

  size_t ready() const { return ready_; }
  size_t in_work() const { return in_work_.size(); }

 private:
  void Promote(absl::Time now);
  void PushReady(const api::ObjectKey& key, absl::Time now);

  FlowOf flow_of_;
  absl::flat_hash_map<uint64_t, std::list<Taken>> flows_;  // none of them empty
  std::deque<uint64_t> turns_;                             // each of flows_ once
  size_t ready_ = 0;                                       // keys in flows_
  absl::flat_hash_set<api::ObjectKey> queued_;             // in flows_, or in work and added again
  absl::flat_hash_set<api::ObjectKey> in_work_;
  absl::flat_hash_map<api::ObjectKey, absl::Time> due_;
  std::set<std::pair<absl::Time, api::ObjectKey>> by_due_;  // the same, in order
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_
