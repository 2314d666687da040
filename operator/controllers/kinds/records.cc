#include "operator/controllers/kinds/records.h"

#include <utility>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::kinds {

absl::StatusOr<std::optional<KindRecord>> KindRecord::Decode(const json::object& object) {
  codec::Decoder decoder(codec::TextAt(object, "kind"));
  const api::ObjectMeta meta = api::ReadObjectMeta(decoder.Read(object), {});
  CALICO_RETURN_IF_ERROR(decoder.status());
  const json::object* const status = codec::FindObject(object, "status");
  return KindRecord{.name = meta.name,
                    .uid = meta.uid,
                    .resource_version = meta.resource_version,
                    .generation = meta.generation,
                    .deleting = meta.deletion_timestamp.has_value(),
                    .status = status == nullptr ? json::object() : *status};
}

absl::StatusOr<std::optional<ApiServerRecord>> ApiServerRecord::Decode(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(std::optional<KindRecord> head, KindRecord::Decode(object));
  return ApiServerRecord{.head = *std::move(head), .api_server = api::ApiServer::Decode(object)};
}

absl::StatusOr<std::optional<ImageSetRecord>> ImageSetRecord::Decode(const json::object& object,
                                                                     std::string_view wanted) {
  codec::Decoder decoder("ImageSet");
  const api::ObjectMeta meta = api::ReadObjectMeta(decoder.Read(object), {});
  CALICO_RETURN_IF_ERROR(decoder.status());
  if (meta.name == wanted) return ImageSetRecord{meta.name, api::ImageSet::Decode(object)};
  return ImageSetRecord{meta.name, api::ImageSet{.meta = {.name = meta.name}}};
}

}  // namespace calico::kinds
