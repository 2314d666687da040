// Splits a stream of newline-delimited texts (a Kubernetes watch) into lines, bounded.
#ifndef CALICO_PKG_CODEC_LINE_SPLITTER_H_
#define CALICO_PKG_CODEC_LINE_SPLITTER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

namespace calico::codec {

class LineSplitter {
 public:
  // Gets one line without its end, valid during the call only. An error stops the splitting.
  using LineFunction = absl::FunctionRef<absl::Status(std::string_view line)>;

  // Gets the first bytes (64 KiB at most) of a line that was too long, after its last byte.
  using LongLineFunction = std::function<void(std::string_view head)>;

  // Longer lines are passed over and told to `on_long_line`; without that they are errors.
  explicit LineSplitter(std::size_t max_line_bytes = 8 << 20,
                        LongLineFunction on_long_line = nullptr)
      : max_line_bytes_(max_line_bytes), on_long_line_(std::move(on_long_line)) {}

  // Takes the next bytes, which may begin and end anywhere. Lines end with "\n" or "\r\n"; empty
  // ones are skipped.
  // Errors: ResourceExhausted for a line that is too long; what `on_line` returned. After an error
  // every further call returns it again.
  absl::Status Feed(std::string_view bytes, LineFunction on_line);

  // Bytes kept of a line whose end has not come yet. Not 0 after the end of the stream: a cut line.
  std::size_t pending_bytes() const { return pending_.size(); }

 private:
  absl::Status FeedAll(std::string_view bytes, LineFunction on_line);
  absl::Status TooLong() const;
  void PassOver(std::string_view part);
  void ClearPending();

  std::size_t max_line_bytes_;
  LongLineFunction on_long_line_;
  std::string pending_;
  bool passing_over_ = false;  // the line that is pending is too long
  absl::Status failed_;
};

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_LINE_SPLITTER_H_
