#include "pkg/kube/testing/faults.h"

namespace calico::kube {

int FaultPlan::pending() const {
  int sum = 0;
  for (const Fault& fault : faults_) sum += fault.times;
  return sum;
}

std::optional<Fault> FaultPlan::Take(const std::string& method, const std::string& path_and_query) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (!fault->method.empty() && fault->method != method) continue;
    if (path_and_query.find(fault->path_contains) == std::string::npos) continue;
    Fault taken = *fault;
    if (--fault->times <= 0) faults_.erase(fault);
    return taken;
  }
  return std::nullopt;
}

}  // namespace calico::kube
