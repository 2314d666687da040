// One connection of the stand-ins' TLS on loopback: what each side says of the other.
#ifndef CALICO_OPERATOR_STANDIN_HANDSHAKE_H_
#define CALICO_OPERATOR_STANDIN_HANDSHAKE_H_

#include <absl/status/status.h>

#include "operator/standin/mutual_tls.h"

namespace calico::standin {

// OK on a side: it took its peer, and a message went from the server to the client.
struct HandshakeEnds {
  absl::Status server;
  absl::Status client;
};

// Blocks until both are done, five seconds at most. The process has to ignore SIGPIPE, as both
// programs do: a refused peer hangs up first.
HandshakeEnds Handshake(MutualTls& server, MutualTls& client);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_HANDSHAKE_H_
