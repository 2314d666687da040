// Any bytes as DER: what passes has one encoding, and can be walked.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/pki/internal/der.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico::pki::internal;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool strict = CheckDer(bytes, FalseBoolean::kRefused).ok();
  const bool plain = CheckDer(bytes, FalseBoolean::kAllowed).ok();
  CALICO_CHECK(plain || !strict);
  if (!plain) return 0;
  const auto outer = DerChildren(bytes);
  CALICO_CHECK(outer.ok() && outer->size() == 1 && outer->front().encoding == bytes);
  if ((outer->front().identifier & 0x20) == 0) return 0;
  const auto children = DerChildren(outer->front().content);
  CALICO_CHECK(children.ok());
  size_t sum = 0;
  for (const DerElement& child : *children) {
    CALICO_CHECK(CheckDer(child.encoding, FalseBoolean::kAllowed).ok());
    sum += child.encoding.size();
  }
  CALICO_CHECK(sum == outer->front().content.size());
  return 0;
}
