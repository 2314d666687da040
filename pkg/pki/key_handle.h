// For TLS: a key as OpenSSL knows it. Everybody else stays with PrivateKey.
#ifndef CALICO_PKG_PKI_KEY_HANDLE_H_
#define CALICO_PKG_PKI_KEY_HANDLE_H_

#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"

namespace calico::pki {

// Shares the key, which is wiped when the last holder lets go. Never null.
openssl::EvpPkeyPtr HandleOf(const PrivateKey& key);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_KEY_HANDLE_H_
