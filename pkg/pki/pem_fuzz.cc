// PEM text and private keys: no input may crash, and what is read must survive being written.

#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/pki/key.h"
#include "pkg/pki/pem.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico::pki;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<PemText> pem = ParsePem(text);
  if (pem.ok()) {
    for (const PemBlock& block : pem->blocks) {
      const absl::StatusOr<std::string> again =
          ParseSinglePem(EncodePem(block.label, block.der), block.label);
      CALICO_CHECK(again.ok() && *again == block.der);
    }
  }
  const absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(text);
  if (key.ok()) {
    const absl::StatusOr<PrivateKey> again = PrivateKey::ParsePem(key->ToPem().view());
    CALICO_CHECK(again.ok() && again->public_key() == key->public_key());
  }
  return 0;
}
