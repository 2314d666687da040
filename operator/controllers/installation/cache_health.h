// CacheHealth: what the operator cannot look at, told by its reason. Pure.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CACHE_HEALTH_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CACHE_HEALTH_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "pkg/api/meta/resource.h"
#include "pkg/kube/cache/informer.h"

namespace calico::installation {

// One kind that is watched.
struct CacheState {
  const api::Resource* resource = nullptr;  // static
  bool has_synced = false;
  std::optional<kube::CacheTrouble> trouble;
  absl::Time started = absl::InfiniteFuture();  // of the first attempt; steady clock
  bool is_of_copies = false;  // of pull secrets, to which the right is in a file of its own
  bool is_vital = false;      // until it is known, what runs is left as it is
};

struct CacheHealth {
  // "list Node: nodes is forbidden: ...", one for each kind, and at the end what to do, and what
  // that means for everything else.
  std::vector<std::string> lines;
  // When there may be more lines, because time passes.
  absl::Duration recheck_after = absl::InfiniteDuration();
  // Each kind is complete or has a line: waiting longer helps nobody.
  bool settled = true;
};

// A refusal (403, 404) is told after two seconds, because a role takes the API server a moment to
// enforce, and after ten when it follows upon an outage: an API server that starts knows no role
// yet. Anything else, which may be an outage that ends by itself, after two minutes. All times are
// of the steady clock.
CacheHealth JudgeCaches(const std::vector<CacheState>& caches, absl::Time now);

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CACHE_HEALTH_H_
