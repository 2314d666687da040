#include "pkg/kube/client/watch_decoder.h"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "pkg/codec/json.h"
#include "pkg/kube/client/errors.h"

namespace calico::kube {
namespace {

// Room for {"type":"BOOKMARK","object":...} around the object.
constexpr size_t kEnvelopeBytes = 256;
constexpr size_t kEnvelopeDepth = 1;

std::optional<WatchEventType> ParseType(std::string_view type) {
  if (type == "ADDED") return WatchEventType::kAdded;
  if (type == "MODIFIED") return WatchEventType::kModified;
  if (type == "DELETED") return WatchEventType::kDeleted;
  if (type == "BOOKMARK") return WatchEventType::kBookmark;
  return std::nullopt;
}

absl::Status ErrorEvent(const json::object& object) {
  absl::StatusOr<api::ApiStatus> status = api::ApiStatus::Decode(object);
  if (!status.ok()) return Undecodable(status.status(), "decode ERROR event");
  absl::Status error = ErrorFromApiStatus(*status);
  // A watch that ends with an error that names no cause of ours is begun anew like a broken one.
  if (error.code() == absl::StatusCode::kFailedPrecondition) {
    return absl::UnavailableError(std::string(error.message()));
  }
  return error;
}

}  // namespace

WatchDecoder::WatchDecoder(size_t max_object_bytes)
    : max_object_bytes_(max_object_bytes), splitter_(max_object_bytes + kEnvelopeBytes) {}

absl::Status WatchDecoder::Feed(std::string_view bytes, const EventSink& sink) {
  return splitter_.Feed(bytes, [this, &sink](std::string_view line) { return Decode(line, sink); });
}

absl::Status WatchDecoder::Finish() const {
  if (splitter_.pending_bytes() == 0) return absl::OkStatus();
  return absl::UnavailableError("connection ended within an event");
}

absl::Status WatchDecoder::Decode(std::string_view line, const EventSink& sink) const {
  // An object that a list takes must not be refused for the envelope around it.
  constexpr size_t kMaxDepth = codec::ParseLimits().max_depth + kEnvelopeDepth;
  absl::StatusOr<json::object> event = codec::ParseJsonObject(
      line, {.max_bytes = max_object_bytes_ + kEnvelopeBytes, .max_depth = kMaxDepth});
  if (!event.ok()) return Undecodable(event.status(), "decode watch event");
  const json::value* type = event->if_contains("type");
  json::value* object = event->if_contains("object");
  if (type == nullptr || !type->is_string() || object == nullptr || !object->is_object()) {
    return absl::DataLossError("decode watch event: expected type and object");
  }
  const std::string_view name = codec::View(type->get_string());
  if (name == "ERROR") return ErrorEvent(object->get_object());
  const std::optional<WatchEventType> known = ParseType(name);
  if (!known) {
    return absl::DataLossError(
        fmt::format("decode watch event: type {:?} is unknown", name.substr(0, 64)));
  }
  return sink({*known, std::move(object->get_object())});
}

}  // namespace calico::kube
