// ApplyOutcome: what applying objects means for the status of the object that asked for them.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_APPLY_OUTCOME_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_APPLY_OUTCOME_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/controllers/status/conditions.h"
#include "operator/render/names.h"
#include "pkg/kube/apply/applier.h"

namespace calico::status {

struct ApplyOutcome {
  bool is_applied = false;  // everything was sent, and can be looked at
  // What it was made from has changed meanwhile: a pass of its own makes it anew, at once.
  bool is_superseded = false;
  std::optional<Obstacle> obstacle;
  std::vector<std::string> waits;  // for what ends by itself
  std::vector<std::string> notes;
  absl::Status error;                            // to be tried again
  absl::Time again_at = absl::InfiniteFuture();  // on the wall clock
};

// An object that is being deleted is waited for for half a minute; then somebody has to look.
// `copies_pull_secrets`: the right to write Secrets of `ns` is the user's to give.
ApplyOutcome OutcomeOf(const kube::ApplyReport& report, absl::Time now, bool copies_pull_secrets,
                       std::string_view ns = render::kCalicoNamespace);

// What to do about errors of the operator's own rights, to be put behind them; empty: they are
// others.
std::string NextStep(const std::vector<absl::Status>& errors);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_APPLY_OUTCOME_H_
