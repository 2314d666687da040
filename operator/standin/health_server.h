// HTTP health endpoints on localhost, as the probes of calico-node and calico-typha ask for them.
#ifndef CALICO_OPERATOR_STANDIN_HEALTH_SERVER_H_
#define CALICO_OPERATOR_STANDIN_HEALTH_SERVER_H_

#include <atomic>
#include <cstdint>
#include <string>

namespace calico::standin {

// Serves GET /liveness (200) and GET /readiness (200 while `ready`, else 503) on 127.0.0.1:`port`
// from a thread of its own, for ever. Ends the process when the port is taken.
// Lifetime: `ready` is static.
void StartHealthServer(uint16_t port, const std::atomic<bool>& ready);

// True if GET `path` on 127.0.0.1:`port` is answered with 200 within a second.
bool IsHealthy(uint16_t port, const std::string& path);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_HEALTH_SERVER_H_
