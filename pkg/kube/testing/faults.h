// Faults of the fake API server: what shall go wrong with the next requests.
#ifndef CALICO_PKG_KUBE_TESTING_FAULTS_H_
#define CALICO_PKG_KUBE_TESTING_FAULTS_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

namespace calico::kube {

// One fault. Requests that match use it up, one time each.
struct Fault {
  // Which requests.
  std::string method;         // empty = any
  std::string path_contains;  // of the path with its query, decoded; empty = any
  int times = 1;

  // What happens: first the delay, then the first of these that is set.
  absl::Duration delay = absl::ZeroDuration();
  int status = 0;                              // answer with this and do nothing
  std::string reason;                          // of that answer
  std::optional<int> retry_after;              // seconds, of that answer
  std::optional<std::string> raw_body;         // instead of a Status, with `status` or 200
  bool close = false;                          // close the connection and do nothing
  bool act_then_close = false;                 // do what is asked, then close without an answer
  std::optional<std::string> act_then_answer;  // do what is asked, then answer with this body
  // Answer as ever, but cut the connection after so many bytes of the body.
  size_t cut_after = std::numeric_limits<size_t>::max();
};

class FaultPlan {
 public:
  void Add(Fault fault) { faults_.push_back(std::move(fault)); }
  void Clear() { faults_.clear(); }
  // Requests that faults still wait for.
  int pending() const;
  // Takes the first fault that matches; nullopt when there is none.
  std::optional<Fault> Take(const std::string& method, const std::string& path_and_query);

 private:
  std::vector<Fault> faults_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_FAULTS_H_
