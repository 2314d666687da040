#include "pkg/net/connect_reply.h"

#include <fmt/format.h>

#include "pkg/net/ascii.h"

namespace calico::net {
namespace {

constexpr std::string_view kStart = "HTTP/1.x 200";
constexpr std::string_view kEndOfHead = "\r\n\r\n";

// Whether `text`, as far as it has come, can be the start of a status line (RFC 9112 4).
bool IsStatusLine(std::string_view text) {
  for (size_t i = 0; i < kStart.size() && i < text.size(); ++i) {
    const bool digit = kStart[i] == 'x' || i >= kStart.size() - 3;
    if (digit ? !IsDigit(text[i]) : text[i] != kStart[i]) return false;
  }
  const size_t after = kStart.size();
  return text.size() <= after || text[after] == ' ' || text[after] == '\r';
}

int StatusOf(std::string_view head) {
  int status = 0;
  for (const char digit : head.substr(kStart.size() - 3, 3)) status = status * 10 + (digit - '0');
  return status;
}

}  // namespace

absl::Status ConnectReply::Feed(std::string_view bytes) {
  buffer_ += bytes;
  while (!done()) {
    if (!IsStatusLine(buffer_)) return absl::InvalidArgumentError("malformed HTTP");
    const size_t end = buffer_.find(kEndOfHead);
    const size_t size = end == buffer_.npos ? buffer_.size() : end + kEndOfHead.size();
    if (skipped_ + size > kMaxBytes) {
      return absl::ResourceExhaustedError(
          fmt::format("headers are larger than {} bytes", kMaxBytes));
    }
    if (end == buffer_.npos) return absl::OkStatus();
    const int status = StatusOf(buffer_);
    if (status < 100) return absl::InvalidArgumentError("malformed HTTP");
    buffer_.erase(0, size);
    if (status >= 200) {
      status_ = status;
    } else {
      skipped_ += size;
    }
  }
  return absl::OkStatus();
}

}  // namespace calico::net
