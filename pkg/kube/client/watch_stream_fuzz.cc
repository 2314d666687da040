// A watch response in two pieces: whatever the bytes are, the decoder ends with events or an error,
// and where the pieces meet makes no difference.

#include <cstdint>
#include <string>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/watch_decoder.h"

namespace {

using ::calico::kube::WatchDecoder;
using ::calico::kube::WatchEvent;

constexpr size_t kMaxObjectBytes = 2048;

std::string Decode(std::string_view first, std::string_view second) {
  std::string seen;
  WatchDecoder decoder(kMaxObjectBytes);
  const auto sink = [&seen](WatchEvent event) {
    seen += std::to_string(static_cast<int>(event.type));
    seen += ::calico::codec::Serialize(event.object);
    return absl::OkStatus();
  };
  absl::Status status = decoder.Feed(first, sink);
  if (status.ok()) status = decoder.Feed(second, sink);
  if (status.ok()) status = decoder.Finish();
  return seen + status.ToString();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = bytes.empty() ? 0 : data[0] * bytes.size() / 256;
  CALICO_CHECK(Decode(bytes, "") == Decode(bytes.substr(0, cut), bytes.substr(cut)));
  return 0;
}
