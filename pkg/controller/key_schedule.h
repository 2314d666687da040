// KeySchedule: which key is to be worked on, and when. The rules of WorkQueue without its waiting.
#ifndef CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_
#define CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/time/time.h>

#include "pkg/api/meta/object_key.h"

namespace calico::controller {

// Not thread-safe.
class KeySchedule {
 public:
  // Ready at once. A key that is ready already is not added twice; one that is in work becomes
  // ready when it is done. A later due time of the same key stays.
  void Add(const api::ObjectKey& key, absl::Time now);
  // Ready at `due`. The earliest due time wins when a key is given several.
  void AddAt(const api::ObjectKey& key, absl::Time due);

  struct Taken {
    api::ObjectKey key;
    absl::Time ready_since;
  };
  // The key that has been ready longest, which is in work until Done.
  std::optional<Taken> Take(absl::Time now);
  // Requires: `key` is in work.
  void Done(const api::ObjectKey& key, absl::Time now);

  // When the next key becomes ready; InfiniteFuture when none is waiting for its time. Keys that
  // are ready do not count.
  absl::Time NextDue() const;
  // Drops everything but what is in work.
  void Clear();

  size_t ready() const { return ready_.size(); }
  size_t in_work() const { return in_work_.size(); }

 private:
  void Promote(absl::Time now);

  std::deque<Taken> ready_;
  absl::flat_hash_set<api::ObjectKey> queued_;  // in ready_, or in work and added again
  absl::flat_hash_set<api::ObjectKey> in_work_;
  absl::flat_hash_map<api::ObjectKey, absl::Time> due_;
  std::set<std::pair<absl::Time, api::ObjectKey>> by_due_;  // the same, in order
};

}  // namespace calico::controller

#endif  // CALICO_PKG_CONTROLLER_KEY_SCHEDULE_H_
