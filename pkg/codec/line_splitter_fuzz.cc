// However the bytes are cut, LineSplitter gives the same lines. The first byte of the input is the
// length of the pieces.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pkg/base/check.h"
#include "pkg/codec/line_splitter.h"

namespace {

std::vector<std::string> Split(std::string_view text, std::size_t piece) {
  std::vector<std::string> lines;
  calico::codec::LineSplitter splitter(100);
  for (std::size_t i = 0; i < text.size(); i += piece) {
    const absl::Status status = splitter.Feed(text.substr(i, piece), [&](std::string_view line) {
      CALICO_CHECK(!line.empty() && line.size() <= 100);
      CALICO_CHECK(line.find('\n') == std::string_view::npos);
      lines.emplace_back(line);
      return absl::OkStatus();
    });
    if (!status.ok()) lines.emplace_back("error");
    if (!status.ok()) break;
  }
  CALICO_CHECK(splitter.pending_bytes() <= 100);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CALICO_CHECK(Split(text, text.size() + 1) == Split(text, data[0] % 64 + 1));
  return 0;
}
