#include "pkg/codec/line_splitter.h"

#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::codec {
namespace {

// One long line must not cost its memory for the rest of a watch.
constexpr std::size_t kKeepBytes = 64 << 10;

std::string_view WithoutCarriageReturn(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

absl::Status LineSplitter::Feed(std::string_view bytes, LineFunction on_line) {
  if (failed_.ok()) failed_ = FeedAll(bytes, on_line);
  return failed_;
}

absl::Status LineSplitter::FeedAll(std::string_view bytes, LineFunction on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() + part.size() > max_line_bytes_) {
      return absl::ResourceExhaustedError(
          fmt::format("read line: longer than {} bytes", max_line_bytes_));
    }
    if (end == std::string_view::npos) {
      pending_ += part;
      return absl::OkStatus();
    }
    bytes.remove_prefix(end + 1);
    // A line that came in one piece is handed on without a copy.
    const bool in_one_piece = pending_.empty();
    if (!in_one_piece) pending_ += part;
    const std::string_view line = WithoutCarriageReturn(in_one_piece ? part : pending_);
    if (!line.empty()) CALICO_RETURN_IF_ERROR(on_line(line));
    ClearPending();
  }
  return absl::OkStatus();
}

void LineSplitter::ClearPending() {
  pending_.clear();
  if (pending_.capacity() > kKeepBytes) pending_.shrink_to_fit();
}

}  // namespace calico::codec
