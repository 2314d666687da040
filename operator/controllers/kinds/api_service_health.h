// Does the API server reach Calico's API server? Judged from the condition that it gives the
// APIService: pods that run are of no use to anybody when their network cannot be reached from
// there. Pure.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVICE_HEALTH_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVICE_HEALTH_H_

#include <string>

#include <absl/time/time.h>

#include "pkg/codec/json.h"

namespace calico::kinds {

struct ApiServiceHealth {
  std::string progress;     // "APIService v3.projectcalico.org is not available: ..."; empty: it is
  bool is_failing = false;  // it should be by now: somebody has to look
  absl::Time recheck_at = absl::InfiniteFuture();  // when it begins to fail
};

inline constexpr char kApiServiceName[] = "v3.projectcalico.org";

// `api_service` as the API server has it; null: it was applied and is not seen yet. `since`: when
// pods were there to answer. It may take status::kDeadline from then on, or from its own last
// change.
ApiServiceHealth JudgeApiService(const json::object* api_service, absl::Time since, absl::Time now);

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVICE_HEALTH_H_
