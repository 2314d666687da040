// EventCorrelator: which events are written, and which only raise the count of an earlier one.
// client-go's rules, without I/O.
#ifndef CALICO_PKG_KUBE_EVENT_CORRELATOR_H_
#define CALICO_PKG_KUBE_EVENT_CORRELATOR_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_set.h>
#include <absl/time/time.h>

#include "pkg/kube/event/lru_map.h"

namespace calico::kube {

// A name for an event about the object: valid for the API server whatever the object's name (CSR
// names have colons, RBAC names may have capitals), different for each time.
std::string EventName(std::string_view object_name, absl::Time now);

// An event as it is to be written.
struct CorrelatedEvent {
  enum class Kind {
    kDrop,    // too many about this subject
    kCreate,  // write a new one under `name`
    kUpdate   // write `count`, `last` and `message` into the one of that name
  };
  Kind kind = Kind::kDrop;
  std::string name;
  std::string message;  // perhaps with a prefix
  int count = 1;
  absl::Time first;
  absl::Time last;
};

// Of a base::Clock: what lies apart is measured in `steady`, which must not go back; names and what
// is written have `wall`.
struct EventTime {
  absl::Time wall;
  absl::Time steady;
};

// Not thread-safe.
class EventCorrelator {
 public:
  // `subject` tells objects apart (kind, namespace, name, uid); `object_name` is put into names.
  CorrelatedEvent Add(std::string_view subject, std::string_view object_name, std::string_view type,
                      std::string_view reason, std::string_view message, EventTime now);

 private:
  static constexpr size_t kMaxKeys = 4096;

  struct Similar {
    absl::flat_hash_set<std::string> messages;
    absl::Time last = absl::InfinitePast();
  };
  struct Written {
    std::string name;
    int count = 0;
    absl::Time first;                        // wall
    absl::Time last = absl::InfinitePast();  // steady
  };
  struct Budget {
    absl::Time full_at = absl::InfinitePast();
  };

  bool IsOneOfMany(const std::string& similar_key, std::string_view message, absl::Time now);
  bool TakeBudget(const std::string& subject, absl::Time now);

  absl::Time last_name_ = absl::InfinitePast();  // the time in the last name
  LruMap<Similar> similar_{kMaxKeys};            // by everything but the message
  LruMap<Written> written_{kMaxKeys};
  LruMap<Budget> budgets_{kMaxKeys};  // by subject
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_EVENT_CORRELATOR_H_
