// Identities from the test CA.
#ifndef CALICO_PKG_NET_TESTING_TEST_IDENTITY_H_
#define CALICO_PKG_NET_TESTING_TEST_IDENTITY_H_

#include <memory>

#include "pkg/base/check.h"
#include "pkg/net/tls_identity.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::net {

inline std::shared_ptr<TlsIdentity> IdentityOf(const pki::TestLeaf& leaf) {
  auto identity = TlsIdentity::Create(leaf.chain_pem, leaf.key_pem);
  CALICO_CHECK(identity.ok());
  return *std::move(identity);
}

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TESTING_TEST_IDENTITY_H_
