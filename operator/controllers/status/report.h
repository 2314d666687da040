// Report: lines for the status of an Installation, from one of the things that it looks at.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_REPORT_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_REPORT_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <absl/time/time.h>

namespace calico::status {

// Kinds of trouble told about for one workload or one step of its certificates.
inline constexpr size_t kMostTroubles = 3;

// What should be over by itself and is not after this time has somebody looking at it: a rollout
// that stands still, a container that is not started, a node that does not answer.
inline constexpr absl::Duration kDeadline = absl::Minutes(5);

struct Report {
  std::vector<std::string> progressing;  // will be fine by itself
  std::vector<std::string> failing;      // somebody has to do something
  std::vector<std::string> notes;        // worth knowing, and no trouble
  // When the lines change by themselves, because time passes.
  absl::Time recheck_at = absl::InfiniteFuture();

  bool healthy() const { return progressing.empty() && failing.empty(); }
  void RecheckAt(absl::Time time) { recheck_at = std::min(recheck_at, time); }
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_REPORT_H_
