// Which certificates a TLS server shows, whoever issued them: for looking at them, never for
// talking to it. Nothing is verified and nothing is sent but the handshake.
#ifndef CALICO_PKG_NET_PROBE_TLS_PROBE_H_
#define CALICO_PKG_NET_PROBE_TLS_PROBE_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"

namespace calico::net {

struct ProbedServer {
  std::string address;                    // that answered, with its port
  std::vector<std::string> certificates;  // DER, in the order in which they were sent; at least one
};

// Asks `host`, one address after the other, for `server_name` (empty: the host, unless it is an
// address). Old versions of TLS and weak keys are taken, so that they can be looked at. A server
// that refuses us after it has shown its certificates, for want of a client's, is a success.
// Errors: kUnavailable: no address, nobody answers, no TLS there; kDeadlineExceeded after
// `timeout`. Cancellation: total.
aio::Task<absl::StatusOr<ProbedServer>> ProbeServer(std::string host, uint16_t port,
                                                    std::string server_name,
                                                    absl::Duration timeout);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_PROBE_TLS_PROBE_H_
