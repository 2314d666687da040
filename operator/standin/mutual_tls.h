// Mutual TLS between Typha and Felix, with the checks that the real ones make.
//
// Both verify the peer's chain against the CA file and then its identity: the leaf's CN equals the
// configured one, or a URI SAN equals the configured URI (either is enough). Host names are not
// looked at. Written on the TLS library itself, apart from our product's own TLS code, so that it
// is an independent witness.
#ifndef CALICO_OPERATOR_STANDIN_MUTUAL_TLS_H_
#define CALICO_OPERATOR_STANDIN_MUTUAL_TLS_H_

#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/standin/socket.h"

namespace calico::standin {

enum class TlsSide { kServer, kClient };

struct MutualTlsFiles {
  std::string certificate;
  std::string key;
  std::string ca;
};

struct PeerIdentity {
  std::string common_name;
  std::string uri_san;
};

// An established connection whose peer has been checked.
class TlsConnection {
 public:
  virtual ~TlsConnection() = default;
  // At least one byte. Errors: kUnavailable when closed or timed out.
  virtual absl::StatusOr<std::string> Read() = 0;
  virtual absl::Status Write(const std::string& bytes) = 0;
  // Subject CN of the peer.
  virtual const std::string& peer_common_name() const = 0;
};

// The files as they were when it was made. Threading: Establish may be called from many threads.
class MutualTls {
 public:
  // Errors: kInvalidArgument naming the file that is missing or unreadable.
  static absl::StatusOr<std::unique_ptr<MutualTls>> Load(TlsSide side, const MutualTlsFiles& files,
                                                         PeerIdentity peer);
  virtual ~MutualTls() = default;
  // Handshake and identity check. Errors: kUnauthenticated naming what is wrong with the peer.
  virtual absl::StatusOr<std::unique_ptr<TlsConnection>> Establish(Socket socket) = 0;
};

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_MUTUAL_TLS_H_
