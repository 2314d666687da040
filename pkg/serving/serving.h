// /metrics, /healthz, /livez and /readyz of a program.
//
//   manager.AddServer("health", [&] {
//     return serving::Serve("health", config.health_address,
//                           {.ready = [&] { return Readiness(manager); }, .live =
//                           serving::AlwaysOk}, logger);
//   });
#ifndef CALICO_PKG_SERVING_SERVING_H_
#define CALICO_PKG_SERVING_SERVING_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/http/message.h"
#include "pkg/metrics/registry.h"

namespace calico::serving {

// What is served. What is not set answers 404.
struct Endpoints {
  const metrics::Registry* metrics = nullptr;  // /metrics
  std::function<absl::Status()> ready;         // /readyz: caches in sync
  std::function<absl::Status()> live;          // /livez, /healthz
};

// For `live` where an answer at all is the proof: the event loop that answers is the one that
// works.
inline absl::Status AlwaysOk() { return absl::OkStatus(); }

// The answer to one request: GET and HEAD; 200 with `ok`, or 503 with the status's message.
http::Response Respond(const http::Request& request, const Endpoints& endpoints);

// Serves on `address` (see ParseListenAddress) until cancelled. Returns early, with an error line,
// when it cannot listen. `listening` (may be null) is told the port.
// Lifetime: `logger`, the registry and what the functions refer to outlive the task.
aio::Task<void> Serve(std::string name, std::string address, Endpoints endpoints,
                      const base::Logger& logger,
                      std::function<void(uint16_t port)> listening = nullptr);

}  // namespace calico::serving

#endif  // CALICO_PKG_SERVING_SERVING_H_
