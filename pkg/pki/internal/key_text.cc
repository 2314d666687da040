#include "pkg/pki/internal/key_text.h"

#include "pkg/base/secret_string.h"
#include "pkg/openssl/error.h"
#include "pkg/pki/internal/secret_pem.h"

namespace calico::pki::internal {

absl::StatusOr<PrivateKey> KeyFromDer(std::string_view label, std::string_view der) {
  return PrivateKey::ParsePem(SecretPem(label, der).view());
}

absl::StatusOr<PrivateKey> KeyFromPkcs8(const PKCS8_PRIV_KEY_INFO* info) {
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info, nullptr);
  if (size <= 0) return openssl::TakeError(absl::StatusCode::kInvalidArgument, "parse private key");
  base::SecretString der = base::SecretString::OfSize(static_cast<size_t>(size));
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_PKCS8_PRIV_KEY_INFO(info, &out);
  return KeyFromDer("PRIVATE KEY", der.view());
}

}  // namespace calico::pki::internal
