#include "pkg/net/tls_identity.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "pkg/base/check.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/tls_pem.h"
#include "pkg/net/tls_rules.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"
#include "pkg/pki/key_handle.h"

namespace calico::net {
namespace {

constexpr std::string_view kWhat = "certificate";

absl::Status BadKey(absl::StatusCode code, std::string_view cause) {
  return absl::Status(code, fmt::format("load key: {}", cause));
}

absl::Status BadCertificate(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("load certificate: {}", cause));
}

}  // namespace

struct TlsIdentity::Pair {
  std::string certificate_pem;
  openssl::X509Ptr leaf;
  openssl::CertificateStackPtr chain;  // without the leaf
  openssl::EvpPkeyPtr key;

  static absl::StatusOr<std::unique_ptr<const Pair>> Load(std::string certificate_pem,
                                                          std::string_view key_pem);
  // By the rules of our connections, so that a weak key is found here and not at a handshake.
  absl::Status Check() const;
};

absl::StatusOr<std::unique_ptr<const TlsIdentity::Pair>> TlsIdentity::Pair::Load(
    std::string certificate_pem, std::string_view key_pem) {
  const openssl::ErrorScope scope;
  CALICO_ASSIGN_OR_RETURN(std::vector<openssl::X509Ptr> certificates,
                          ReadCertificates(certificate_pem, kWhat));
  auto pair = std::make_unique<Pair>();
  pair->certificate_pem = std::move(certificate_pem);
  pair->leaf = std::move(certificates.front());
  pair->chain.reset(sk_X509_new_null());
  CALICO_CHECK(pair->chain != nullptr);  // out of memory
  for (size_t i = 1; i < certificates.size(); ++i) {
    CALICO_CHECK(sk_X509_push(pair->chain.get(), certificates[i].get()) > 0);
    (void)certificates[i].release();  // the stack's
  }
  // Not the TLS library's own reader, which leaves the key's bytes in freed memory.
  const absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_pem);
  if (!key.ok()) return BadKey(key.status().code(), std::string(key.status().message()));
  pair->key = pki::HandleOf(*key);
  CALICO_RETURN_IF_ERROR(pair->Check());
  return pair;
}

absl::Status TlsIdentity::Pair::Check() const {
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    return BadKey(absl::StatusCode::kFailedPrecondition, openssl::TakeReason());
  }
  const openssl::SslCtxPtr context = NewTlsRules(TLS_method());
  if (SSL_CTX_use_cert_and_key(context.get(), leaf.get(), key.get(), chain.get(), 1) != 1) {
    return BadCertificate(openssl::TakeReason());
  }
  return absl::OkStatus();
}

TlsIdentity::TlsIdentity() = default;
TlsIdentity::~TlsIdentity() = default;

absl::StatusOr<std::shared_ptr<TlsIdentity>> TlsIdentity::Create(std::string certificate_pem,
                                                                 std::string_view key_pem) {
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity());
  CALICO_RETURN_IF_ERROR(identity->Replace(std::move(certificate_pem), key_pem));
  return identity;
}

absl::Status TlsIdentity::Replace(std::string certificate_pem, std::string_view key_pem) {
  CALICO_ASSIGN_OR_RETURN(pair_, Pair::Load(std::move(certificate_pem), key_pem));
  ++version_;
  return absl::OkStatus();
}

const std::string& TlsIdentity::certificate_pem() const { return pair_->certificate_pem; }

void TlsIdentity::ShowOn(ssl_st* ssl) const {
  // It was checked by the same rules when it was loaded.
  CALICO_CHECK(
      SSL_use_cert_and_key(ssl, pair_->leaf.get(), pair_->key.get(), pair_->chain.get(), 1) == 1);
}

}  // namespace calico::net
