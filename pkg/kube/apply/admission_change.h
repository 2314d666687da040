// Admission changes: what mutating webhooks make of a workload when it is applied, and whether that
// is harmless.
//
// Clusters take images from a mirror of their own and keep nodes apart by taints, and a webhook
// sees to it: an image of the same name and tag from another registry, tolerations or entries of
// the nodeSelector added to ours. Sending our own again would change nothing. Everything else is
// somebody who writes what is ours.
//
// Pure: compares, sends nothing. What is atomic to the API server is replaced whole by an apply, so
// in the answer to one only a webhook can have added to it.
#ifndef CALICO_PKG_KUBE_APPLY_ADMISSION_CHANGE_H_
#define CALICO_PKG_KUBE_APPLY_ADMISSION_CHANGE_H_

#include <optional>
#include <string>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::kube {

struct AdmissionChanges {
  std::vector<std::string> paths;    // that were changed without harm
  std::optional<std::string> other;  // the first path that differs in another way
  json::object accepted;             // what was desired, with the harmless changes
};

// `answer` is what the API server says that it holds after `desired` was applied.
AdmissionChanges ChangesOf(const json::object& answer, const json::object& desired);

// Makes the harmless changes of `answer` in `desired` too. Returns their paths.
std::vector<std::string> TakeHarmlessChanges(const json::object& answer, json::object& desired);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_ADMISSION_CHANGE_H_
