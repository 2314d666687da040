#include "operator/calico_config/calico_metadata.h"

#include <utility>

namespace calico::calico_config {
namespace {

constexpr std::string_view kCopy = "projectcalico.org/metadata";

const json::object* MapOf(const json::object& object, std::string_view map) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata == nullptr ? nullptr : codec::FindObject(*metadata, map);
}

// Empty when there is none, or none that can be read.
json::object CopyOf(const json::object& object) {
  const json::object* const annotations = MapOf(object, "annotations");
  if (annotations == nullptr) return {};
  const std::string_view text = codec::TextAt(*annotations, kCopy);
  if (text.empty()) return {};
  absl::StatusOr<json::object> copy = codec::ParseJsonObject(text);
  return copy.ok() ? *std::move(copy) : json::object();
}

std::string ValueOf(const json::object& object, std::string_view map, std::string_view key) {
  const json::object* const own = MapOf(object, map);
  if (own != nullptr && own->contains(key)) return std::string(codec::TextAt(*own, key));
  const json::object copy = CopyOf(object);
  const json::object* const copied = codec::FindObject(copy, map);
  return copied == nullptr ? "" : std::string(codec::TextAt(*copied, key));
}

}  // namespace

std::string LabelOf(const json::object& object, std::string_view key) {
  return ValueOf(object, "labels", key);
}

std::string AnnotationOf(const json::object& object, std::string_view key) {
  return ValueOf(object, "annotations", key);
}

void Annotate(const json::object& object, std::string_view key, std::string_view value,
              json::object& annotations) {
  annotations[key] = value;
  json::object copy = CopyOf(object);
  json::value* const copied = copy.if_contains("annotations");
  if (copied == nullptr || !copied->is_object() || !copied->get_object().contains(key)) return;
  copied->get_object()[key] = value;
  annotations[kCopy] = codec::Serialize(copy);
}

}  // namespace calico::calico_config
