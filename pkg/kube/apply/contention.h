// Contention: which objects somebody else changes back whenever we put them right, and when it is
// time to try them again.
//
// Two writers that each react at once make new generations without end, and a workload's pods are
// restarted with each. Drift is put right at once; what differs in the same place again and again,
// or in the very answer of an apply, waits longer each time. A writer that comes by every few
// minutes is one too, so places are counted by the hour, and one that was contested is not new
// when it differs again soon.
//
// Pure: no I/O, no clock.
#ifndef CALICO_PKG_KUBE_APPLY_CONTENTION_H_
#define CALICO_PKG_KUBE_APPLY_CONTENTION_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "pkg/api/meta/object_key.h"

namespace calico::kube {

struct ContentionOptions {
  // So often within that time the same field is put right at once.
  int free_tries = 4;
  absl::Duration window = absl::Hours(1);
  // Then it waits: doubled with each try that has not helped.
  absl::Duration first_wait = absl::Seconds(10);
  absl::Duration longest_wait = absl::Minutes(5);
  // What stays as it must be for so long, and for twice as long as it ever did during the contest,
  // has no other writer any more; at most `window`. What is known of it is kept for `window`.
  absl::Duration calm = absl::Seconds(30);
};

class Contention {
 public:
  // The kind and the name.
  using Id = std::pair<std::string, api::ObjectKey>;

  // An object with another writer.
  struct Contest {
    std::string path;        // what differs; empty: it is deleted each time
    bool in_answer = false;  // the answer to an apply differed already
    std::string writer;      // of the path, as far as it is known
    absl::Time again_at;     // when to look again
  };

  explicit Contention(ContentionOptions options = {}) : options_(options) {}

  // Whether an object that differs at `path` from what it shall be may be sent at `now`. `hash` is
  // of what it shall be: when that has changed, everything is forgotten. `writer` is who has set
  // the path, if that is known.
  bool MaySend(const Id& id, std::string_view hash, std::string_view path, std::string_view writer,
               absl::Time now);
  // It was sent because of `path`, and the answer was what was asked for.
  void Sent(const Id& id, std::string_view path, absl::Time now);
  // It was sent, and the answer differs at `path`.
  void Rewritten(const Id& id, std::string_view path, absl::Time now);
  // It is as it shall be.
  void InPlace(const Id& id, absl::Time now);
  // It is being deleted, and what is made in its place has no past.
  void Forget(const Id& id) { states_.erase(id); }
  // Nothing is known any more: other objects, or another owner.
  void Clear() { states_.clear(); }

  bool IsContested(const Id& id) const { return Find(id).has_value(); }
  std::optional<Contest> Find(const Id& id) const;

 private:
  struct Tally {
    std::string path;
    absl::Time first;
    int tries = 0;
    std::optional<absl::Time> sent_at;  // until it is seen to differ again
    absl::Duration held;                // the longest time from the one to the other
  };
  struct State {
    std::string hash;
    std::vector<Tally> tallies;  // the newest ones
    std::optional<Contest> contest;
    absl::Duration wait;  // zero: there was no contest
    absl::Time next_try;
    absl::Duration held;  // as of the tallies of the contested paths
    std::optional<absl::Time> in_place_since;
    std::optional<absl::Time> calm_since;  // a contest has ended
  };

  absl::Duration CalmOf(const State& state) const;
  void Count(State& state, std::string_view path, absl::Time now) const;
  void WaitLonger(State& state, absl::Time now) const;
  void Begin(State& state, std::string_view path, bool in_answer, absl::Time now) const;

  const ContentionOptions options_;
  absl::flat_hash_map<Id, State> states_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_CONTENTION_H_
