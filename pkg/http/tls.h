// What a TLS connection needs, without naming the TLS library.
#ifndef CALICO_PKG_HTTP_TLS_H_
#define CALICO_PKG_HTTP_TLS_H_

#include <string>

namespace calico::http {

// TLS 1.2 or newer and host verification always, unless `insecure_skip_verify` says otherwise.
struct TlsOptions {
  std::string ca_pem;                  // trust anchors; empty = the system's
  std::string client_certificate_pem;  // chain, leaf first; empty = none
  std::string client_key_pem;          // key of the leaf
  std::string server_name;             // SNI and verified name; empty = the origin's host
  bool insecure_skip_verify = false;
};

// Server side (stand-ins, tests, metrics). The client certificate is demanded when `client_ca_pem`
// is set.
struct TlsServerOptions {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem;
};

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_TLS_H_
