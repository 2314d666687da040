// MessageParser: HTTP/1.1 heads and bodies (Content-Length, chunked, until close) from bytes, with
// no I/O. The client, the server and the fuzz targets share it.
#ifndef CALICO_PKG_HTTP_PARSER_H_
#define CALICO_PKG_HTTP_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/http/message.h"

namespace calico::http {

struct ParserLimits {
  size_t header_bytes = 64 << 10;  // start line and fields; also a chunk header, the trailer
  size_t body_bytes = std::numeric_limits<size_t>::max();
};

// Parses one message. What follows it is kept for TakeRest. Not thread-safe.
class MessageParser {
 public:
  virtual ~MessageParser() = default;

  // Parses `bytes`, which continue those of the last call.
  // Errors, after which the parser is of no more use: kInvalidArgument when malformed,
  // kResourceExhausted when over a limit.
  virtual absl::Status Feed(std::string_view bytes) = 0;
  // The connection was closed in an orderly way. Errors: kInvalidArgument when the message is cut.
  virtual absl::Status FeedEnd() = 0;

  virtual bool got_some() const = 0;   // a byte of the message has arrived
  virtual bool head_done() const = 0;  // start line and headers are complete
  virtual bool done() const = 0;       // the whole message is complete
  // Whether another message may follow on this connection. Requires: head_done().
  virtual bool keep_alive() const = 0;

  // The length of the body if the head says it. Requires: head_done().
  virtual std::optional<uint64_t> content_length() const = 0;

  // The body bytes parsed since the last call.
  virtual std::string TakeBody() = 0;
  // The bytes after the message. Requires: done().
  virtual std::string TakeRest() = 0;

  int status = 0;         // of a response
  std::string method;     // of a request
  std::string target;     // of a request
  bool http_1_0 = false;  // the peer speaks HTTP/1.0: no chunks to it
  Headers headers;        // without the trailer's
};

// Informational responses (1xx) are skipped. `to_head`: the request was a HEAD, so no body follows.
std::unique_ptr<MessageParser> NewResponseParser(ParserLimits limits, bool to_head);
std::unique_ptr<MessageParser> NewRequestParser(ParserLimits limits);

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_PARSER_H_
