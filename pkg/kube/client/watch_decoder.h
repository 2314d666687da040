// WatchDecoder: the bytes of a watch response in, events out. No I/O.
#ifndef CALICO_PKG_KUBE_CLIENT_WATCH_DECODER_H_
#define CALICO_PKG_KUBE_CLIENT_WATCH_DECODER_H_

#include <cstddef>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/codec/line_splitter.h"
#include "pkg/kube/client/options.h"

namespace calico::kube {

class WatchDecoder {
 public:
  // `max_object_bytes` bounds one event.
  explicit WatchDecoder(size_t max_object_bytes);
  WatchDecoder(const WatchDecoder&) = delete;
  WatchDecoder& operator=(const WatchDecoder&) = delete;

  // Takes the next bytes, which may begin and end anywhere, and hands each complete event on.
  // Errors: what `sink` returned; the mapped error of an ERROR event (410 Expired: kOutOfRange);
  // kDataLoss for what is no event; kResourceExhausted for one that is too large or nested too
  // deeply. After an error every further call returns it again.
  absl::Status Feed(std::string_view bytes, const EventSink& sink);

  // Call at the end of the response. Errors: kUnavailable when it ended within an event.
  absl::Status Finish() const;

 private:
  absl::Status Decode(std::string_view line, const EventSink& sink) const;

  size_t max_object_bytes_;
  codec::LineSplitter splitter_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_WATCH_DECODER_H_
