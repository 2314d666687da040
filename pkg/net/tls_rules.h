// The rules that hold for every TLS connection of ours, whichever side we are.
#ifndef CALICO_PKG_NET_TLS_RULES_H_
#define CALICO_PKG_NET_TLS_RULES_H_

#include <openssl/ssl.h>

#include "pkg/openssl/handles.h"

namespace calico::net {

// TLS 1.2 or newer, security level 2 (112 bits), no renegotiation, compression or sessions.
openssl::SslCtxPtr NewTlsRules(const SSL_METHOD* method);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_RULES_H_
