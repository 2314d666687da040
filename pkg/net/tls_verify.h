// What is wrong with a peer's certificate, in words for the one who has to mend it.
#ifndef CALICO_PKG_NET_TLS_VERIFY_H_
#define CALICO_PKG_NET_TLS_VERIFY_H_

#include <string>
#include <string_view>

#include <openssl/x509.h>

namespace calico::net {

// `code` is one of X509_V_ERR_*; `certificate`, the one that it is about, may be null. `peer_name`
// is who was expected. The text is one printable line; names of the certificate are cut short.
std::string ExplainRefusal(int code, const X509* certificate, std::string_view peer_name);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_VERIFY_H_
