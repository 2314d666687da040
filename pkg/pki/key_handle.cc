#include "pkg/pki/key_handle.h"

#include "pkg/base/check.h"
#include "pkg/pki/internal/key_access.h"

namespace calico::pki {

openssl::EvpPkeyPtr HandleOf(const PrivateKey& key) {
  EVP_PKEY* handle = internal::KeyAccess::Handle(key);
  CALICO_CHECK(EVP_PKEY_up_ref(handle) == 1);
  return openssl::EvpPkeyPtr(handle);
}

}  // namespace calico::pki
