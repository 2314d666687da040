// Reachability: tells that the API server cannot be reached, why and what to do about it, and that
// it answers again; each at most once in five minutes, however often it comes and goes. Used by
// Client only, which shares it with those of its connections.
#ifndef CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_
#define CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/base/clock.h"
#include "pkg/base/log.h"

namespace calico::kube {

// What a human can do about an error of http::Client or of credentials; never empty.
std::string_view NextStep(const absl::Status& error);

// Threading: event loop thread only. `logger` and `clock` outlive it.
class Reachability {
 public:
  Reachability(std::string origin, const base::Logger& logger, const base::Clock& clock)
      : origin_(std::move(origin)), logger_(logger), clock_(clock) {}

  // The server has answered, whatever it said. Told once after a warning: of the first answer in
  // kSettled, or when nothing has failed for that long.
  void Answered();
  // An attempt ended without an answer. A warning for the first one, if the server cannot be
  // reached: kept connections that break, and answers that take too long, are everyday weather once
  // it has answered. The next warning comes after it was told that the server answers, and not
  // before kTellInterval is over.
  void Failed(const absl::Status& error);

 private:
  static constexpr absl::Duration kTellInterval = absl::Minutes(5);
  static constexpr absl::Duration kSettled = absl::Seconds(10);

  bool MeansUnreachable(const absl::Status& error) const;

  const std::string origin_;
  const base::Logger& logger_;
  const base::Clock& clock_;
  bool has_answered_ = false;  // ever
  bool is_told_ = false;       // and it was not told since that it answers
  bool answered_since_told_ = false;
  absl::Time told_at_ = absl::InfinitePast();
  absl::Time failed_at_ = absl::InfinitePast();
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_REACHABILITY_H_
