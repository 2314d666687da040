// Reads an HTTP proxy's answer to CONNECT: its status is all that matters, and no body belongs to
// it (RFC 9110 9.3.6), so that this row needs no HTTP parser.
#ifndef CALICO_PKG_NET_CONNECT_REPLY_H_
#define CALICO_PKG_NET_CONNECT_REPLY_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace calico::net {

class ConnectReply {
 public:
  static constexpr size_t kMaxBytes = 16 << 10;  // of all heads together

  // Parses `bytes`, which continue those of the last call. Informational responses (1xx) are
  // skipped. Errors, after which the object is of no more use: kInvalidArgument when that is no
  // HTTP/1, kResourceExhausted when the heads are over kMaxBytes.
  absl::Status Feed(std::string_view bytes);

  // The head of the final response is complete.
  bool done() const { return status_ != 0; }
  // Requires: done().
  int status() const { return status_; }
  // Whether bytes came after that head. Requires: done().
  bool has_rest() const { return !buffer_.empty(); }

 private:
  std::string buffer_;
  size_t skipped_ = 0;  // bytes of informational responses
  int status_ = 0;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_CONNECT_REPLY_H_
