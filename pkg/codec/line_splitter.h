// Splits a stream of newline-delimited texts (a Kubernetes watch) into lines, bounded.
#ifndef CALICO_PKG_CODEC_LINE_SPLITTER_H_
#define CALICO_PKG_CODEC_LINE_SPLITTER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

namespace calico::codec {

class LineSplitter {
 public:
  // Gets one line without its end, valid during the call only. An error stops the splitting.
  using LineFunction = absl::FunctionRef<absl::Status(std::string_view line)>;

  explicit LineSplitter(std::size_t max_line_bytes = 8 << 20) : max_line_bytes_(max_line_bytes) {}

  // Takes the next bytes, which may begin and end anywhere. Lines end with "\n" or "\r\n"; empty
  // ones are skipped.
  // Errors: ResourceExhausted for a line that is too long; what `on_line` returned. After an error
  // every further call returns it again.
  absl::Status Feed(std::string_view bytes, LineFunction on_line);

  // Bytes kept of a line whose end has not come yet. Not 0 after the end of the stream: a cut line.
  std::size_t pending_bytes() const { return pending_.size(); }

 private:
  absl::Status FeedAll(std::string_view bytes, LineFunction on_line);
  void ClearPending();

  std::size_t max_line_bytes_;
  std::string pending_;
  absl::Status failed_;
};

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_LINE_SPLITTER_H_
