#include "pkg/net/tls_rules.h"

#include "pkg/base/check.h"

namespace calico::net {

openssl::SslCtxPtr NewTlsRules(const SSL_METHOD* method) {
  openssl::SslCtxPtr context(SSL_CTX_new(method));
  CALICO_CHECK(context != nullptr);  // out of memory
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_security_level(ctx, 2);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(ctx, 1);  // one read of the socket for a record, not two
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  // As Go does: whatever is in the bundle is trusted, also when it is not a root.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
  return context;
}

}  // namespace calico::net
