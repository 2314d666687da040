// Keys in any form: no input may crash, and what is read can be written as PKCS#8.

#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/base/secret_string.h"
#include "pkg/pki/formats/encrypted_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto passphrase = []() -> absl::StatusOr<base::SecretString> {
    return base::SecretString("passphrase");
  };
  const absl::StatusOr<pki::ParsedKey> parsed = pki::ParseAnyKey(text, passphrase);
  if (!parsed.ok()) return 0;
  CALICO_CHECK(pki::LooksLikeKey(text));
  const auto again = pki::ParseAnyKey(pki::ToPkcs8Pem(parsed->key).view(), passphrase);
  CALICO_CHECK(again.ok() && again->key.public_key() == parsed->key.public_key());
  return 0;
}
