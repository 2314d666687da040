// calicert's file of an etcd cluster: whatever it says, there is a layout whose files stay in its
// folder, or an error.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operator/calicert/etcd/description.h"
#include "pkg/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto layout = calico::calicert::etcd::ParseDescription(text);
  if (!layout.ok()) {
    CALICO_CHECK(!layout.status().message().empty());
    return 0;
  }
  CALICO_CHECK(!layout->pairs.empty() && !layout->cas.empty());
  for (const auto& pair : layout->pairs) {
    CALICO_CHECK(pair.base.find('/') == pair.base.npos && pair.ca < layout->cas.size());
  }
  return 0;
}
