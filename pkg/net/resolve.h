// Name lookups that do not block the event loop.
#ifndef CALICO_PKG_NET_RESOLVE_H_
#define CALICO_PKG_NET_RESOLVE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/aio/task.h"

namespace calico::net {

// The addresses of `host`, which may be one itself, in the order in which the system wants them
// tried. Errors: kUnavailable (unknown name, no answer, too many lookups under way), kCancelled.
// Cancellation: total. The system's lookup cannot be cut short: its thread goes on alone and ends
// by itself, and neither a task nor the end of the program waits for it.
aio::Task<absl::StatusOr<std::vector<std::string>>> Resolve(std::string host);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_RESOLVE_H_
