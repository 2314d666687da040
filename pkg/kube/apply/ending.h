// Ending: an object that is being deleted, and what it waits for.
#ifndef CALICO_PKG_KUBE_APPLY_ENDING_H_
#define CALICO_PKG_KUBE_APPLY_ENDING_H_

#include <string>

#include <absl/time/time.h>

#include "pkg/api/meta/resource.h"
#include "pkg/codec/json.h"

namespace calico::kube {

struct Ending {
  // "ServiceAccount ns/name is being deleted and waits for finalizer x; it is made anew when it has
  // gone"; of a namespace also what it says remains in it.
  std::string message;
  std::string cause;  // the same up to the semicolon
  absl::Time since;   // when somebody deleted it; the API server's clock
};

// Of an object with a metadata.deletionTimestamp.
Ending EndingOf(const api::Resource& resource, const json::object& object);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_ENDING_H_
