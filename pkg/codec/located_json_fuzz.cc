// ParseLocatedJson takes any bytes, and accepts what ParseJson accepts (and a byte order mark).

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/located_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr size_t kDepth = 32;
  const auto plain = calico::codec::ParseJson(text, {.max_bytes = 1 << 16, .max_depth = kDepth});
  const auto located =
      calico::codec::ParseLocatedJson(text, {.max_bytes = 1 << 16, .max_depth = kDepth});
  CALICO_CHECK(text.starts_with("\xef\xbb\xbf") || plain.ok() == located.ok());
  if (located.ok() && located->kind == calico::codec::LocatedJson::Kind::kObject) {
    CALICO_CHECK(text.starts_with("\xef\xbb\xbf") || plain->is_object());
  }
  return 0;
}
