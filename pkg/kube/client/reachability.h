// Reachability: tells once that the API server cannot be reached, why and what to do about it, and
// once that it answers again. Used by Client only, which shares it with those of its connections.
#ifndef CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_
#define CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>

#include "pkg/base/log.h"

namespace calico::kube {

// What a human can do about an error of http::Client or of credentials; never empty.
std::string_view NextStep(const absl::Status& error);

// Threading: event loop thread only. `logger` outlives it.
class Reachability {
 public:
  Reachability(std::string origin, const base::Logger& logger)
      : origin_(std::move(origin)), logger_(logger) {}

  // The server has answered, whatever it said.
  void Answered();
  // An attempt ended without an answer. A warning for the first one, if the server cannot be
  // reached: kept connections that break, and answers that take too long, are everyday weather once
  // it has answered.
  void Failed(const absl::Status& error);

 private:
  bool MeansUnreachable(const absl::Status& error) const;

  const std::string origin_;
  const base::Logger& logger_;
  bool has_answered_ = false;  // ever
  bool is_told_ = false;       // since the last answer
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_
