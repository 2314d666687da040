// Objects and files of a cluster that is anybody's: JSON of whatever shape, text of whatever kind.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <absl/time/time.h>

#include "operator/calicert/inventory/found_certificates.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::calicert::inventory::FoundCertificates;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FoundCertificates found;
  found.AddText("input", "", "", text);
  const auto object = calico::codec::ParseJsonObject(text);
  if (object.ok()) found.AddObject(*object);
  CALICO_CHECK(found.EndingBefore(absl::InfiniteFuture()).size() <= found.size());
  return 0;
}
