// The server's side of the parser, with pipelining: the bytes after one request are the next one.
// The first byte chooses how the input is cut into pieces; the requests must be the same however it
// is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pkg/base/check.h"
#include "pkg/http/parser.h"

namespace calico::http {
namespace {

constexpr ParserLimits kLimits = {.header_bytes = 512, .body_bytes = 4096};

// The complete requests in `bytes`, up to the first error.
std::vector<std::string> Parse(std::string_view bytes, size_t step, bool& ok) {
  std::vector<std::string> requests;
  auto parser = NewRequestParser(kLimits);
  std::string body;
  ok = true;
  for (size_t i = 0; i < bytes.size() && ok; i += step) {
    std::string piece(bytes.substr(i, step));
    while (ok && !piece.empty()) {
      ok = parser->Feed(std::exchange(piece, {})).ok();
      body += parser->TakeBody();
      CALICO_CHECK(body.size() <= kLimits.body_bytes);
      if (!ok || !parser->done()) break;
      requests.push_back(parser->method + " " + parser->target + " " + std::exchange(body, {}));
      if (!parser->keep_alive()) return requests;
      piece = parser->TakeRest();
      parser = NewRequestParser(kLimits);
    }
  }
  return requests;
}

}  // namespace
}  // namespace calico::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::http::Parse;
  if (size == 0) return 0;
  const size_t step = std::max<size_t>(data[0], 1);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool pieces_ok = false;
  bool whole_ok = false;
  const std::vector<std::string> pieces = Parse(bytes, step, pieces_ok);
  const std::vector<std::string> whole = Parse(bytes, std::max<size_t>(bytes.size(), 1), whole_ok);
  if (pieces_ok && whole_ok) CALICO_CHECK(pieces == whole);
  return 0;
}
