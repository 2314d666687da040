// TlsStream: TLS as a layer over another layer, for client and server.
#ifndef CALICO_PKG_NET_TLS_STREAM_H_
#define CALICO_PKG_NET_TLS_STREAM_H_

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "pkg/net/layer.h"
#include "pkg/net/tls_identity.h"

namespace calico::net {

enum class TlsSide { kClient, kServer };

// See TlsContext::Wrap. Shows what `identity` (may be null) holds now. `lower` and `context` must
// outlive the result.
std::unique_ptr<Layer> NewTlsStream(SSL_CTX* context, TlsSide side, const TlsIdentity* identity,
                                    Layer& lower, const std::string& peer_name);

// Has the streams of `context` verify their peers, by `mode` (SSL_VERIFY_*), and say what is wrong.
void VerifyPeers(SSL_CTX* context, int mode);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_STREAM_H_
