// The three conditions of TigeraStatus `calico`, decided from facts: no clock, no network.
//
// Available: everything is in place and runs, on every node that it is for. Progressing: not yet,
// and nobody has to do anything; it is over by itself or ends as Degraded (report.h has the time).
// Degraded: somebody has to do something; the message says what. Never Available and Degraded.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_CONDITIONS_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_CONDITIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/status/certificate_health.h"
#include "operator/controllers/status/node_facts.h"
#include "operator/controllers/status/workload_health.h"
#include "pkg/api/meta/condition.h"
#include "pkg/pki/certificate.h"

namespace calico::status {

// Something that stands in the operator's own way.
struct Obstacle {
  std::string reason;  // one of api::kReason...
  std::string message;
};

struct Facts {
  std::int64_t generation = 0;  // of the Installation that all this is about
  std::optional<Obstacle> obstacle;
  // What is waited for and ends by itself, such as a namespace that is being deleted.
  std::vector<std::string> waits;
  std::string change;    // of the release, told first until everything is available
  std::string versions;  // that are in place when everything is
  // Sentences for the user that are no trouble: fields without effect, a CA that ends soon.
  std::vector<std::string> notes;
  // Whether the objects have been applied at all: without them there is nothing to look at.
  bool has_workloads = false;
  NodeList nodes;
  std::vector<Workload> workloads;  // in the order in which they are told about
  std::vector<WaitingPod> waiting_pods;
  std::vector<pki::Certificate> roots;
  absl::Time now;
};

struct Decision {
  // Degraded, Progressing, Available, without transition times: a printer column takes the first
  // that is True, and so shows the message of the most important one.
  std::vector<api::Condition> conditions;
  // When the decision changes by itself.
  absl::Time recheck_at = absl::InfiniteFuture();

  bool is_available() const;
};

Decision Decide(const Facts& facts);

// `decided` with transition times: those of `current` where the status is the same, else `now`.
// Conditions of `current` of other types are dropped.
std::vector<api::Condition> WithTransitionTimes(const std::vector<api::Condition>& current,
                                                std::vector<api::Condition> decided,
                                                absl::Time now);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_CONDITIONS_H_
