// The metrics of csr-signer.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_METRICS_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_METRICS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/metrics/registry.h"

namespace calico::csr {

// What became of a request. One request may count as approved and as issued.
enum class Outcome { kApproved, kIssued, kDenied, kFailed, kRetried };

// Lifetime: the registry outlives it.
class Metrics {
 public:
  Metrics(metrics::Registry& registry, const std::vector<std::string>& signer_names);

  // Requires: `signer` is one of the names given at construction; others are not counted.
  void Count(std::string_view signer, Outcome outcome);
  // From taking a request up to its certificate, the two writes included.
  metrics::Histogram& duration() { return duration_; }

 private:
  std::map<std::string, std::map<Outcome, metrics::Counter*>, std::less<>> requests_;
  metrics::Histogram& duration_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_METRICS_H_
