// A proxy's answer to CONNECT. The first byte chooses how the rest is cut into pieces, which must
// not change the outcome. Its seeds are those of the HTTP client.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/net/connect_reply.h"

namespace calico::net {
namespace {

// The status, 0 if it did not come, nullopt if that was no HTTP.
std::optional<int> Read(std::string_view bytes, size_t step) {
  ConnectReply reply;
  for (size_t i = 0; i < bytes.size(); i += step) {
    if (!reply.Feed(bytes.substr(i, step)).ok()) return std::nullopt;
    if (reply.done()) break;
  }
  if (!reply.done()) return 0;
  CALICO_CHECK(reply.status() >= 200 && reply.status() <= 999);
  (void)reply.has_rest();
  return reply.status();
}

}  // namespace
}  // namespace calico::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = data[0] % 64 + 1;
  CALICO_CHECK(calico::net::Read(bytes, step) == calico::net::Read(bytes, bytes.size() + 1));
  return 0;
}
