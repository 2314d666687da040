// The client's side of the parser: heads, 1xx, Content-Length, chunks, until close. The first byte
// chooses how the rest is cut into pieces and whether the request was a HEAD. However it is cut,
// the outcome must be the same, and within the limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/http/parser.h"

namespace calico::http {
namespace {

constexpr ParserLimits kLimits = {.header_bytes = 512, .body_bytes = 4096};

struct Outcome {
  bool ok = true;
  bool done = false;
  int status = 0;
  size_t headers = 0;
  std::string body;
};

Outcome Parse(std::string_view bytes, size_t step, bool to_head) {
  const auto parser = NewResponseParser(kLimits, to_head);
  Outcome out;
  for (size_t i = 0; i < bytes.size() && out.ok; i += step) {
    out.ok = parser->Feed(bytes.substr(i, step)).ok();
    out.body += parser->TakeBody();
    CALICO_CHECK(out.body.size() <= kLimits.body_bytes);
    if (parser->done()) break;
  }
  out.done = out.ok && (parser->done() || parser->FeedEnd().ok()) && parser->head_done();
  if (out.done) {
    out.status = parser->status;
    out.headers = parser->headers.size();
    (void)parser->keep_alive();
    (void)parser->TakeRest();
  }
  return out;
}

}  // namespace
}  // namespace calico::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::http::Outcome;
  using calico::http::Parse;
  if (size == 0) return 0;
  const bool to_head = (data[0] & 0x80) != 0;
  const size_t step = std::max<size_t>(data[0] & 0x7f, 1);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome pieces = Parse(bytes, step, to_head);
  const Outcome whole = Parse(bytes, std::max<size_t>(bytes.size(), 1), to_head);
  // Smaller pieces may pass where one large piece breaks a limit or is malformed further on, but
  // two complete messages are the same message.
  if (pieces.done && whole.done) {
    CALICO_CHECK(pieces.status == whole.status);
    CALICO_CHECK(pieces.headers == whole.headers);
    CALICO_CHECK(pieces.body == whole.body);
  }
  return 0;
}
