#include "pkg/api/operator/tigera_status.h"

#include <utility>

#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

absl::StatusOr<TigeraStatus> TigeraStatus::Decode(const json::object& object) {
  codec::Decoder decoder("TigeraStatus");
  const codec::ObjectReader root = decoder.Read(object);
  TigeraStatus status{.meta = ReadObjectMeta(root, {.owner_references = true}),
                      .conditions = ReadConditions(root.Object("status"))};
  CALICO_RETURN_IF_ERROR(decoder.status());
  return status;
}

json::object TigeraStatus::Encode() const {
  json::object object = NewObject(kTigeraStatuses, meta.Key(), meta.resource_version);
  object["spec"] = json::object();
  json::object status;
  status["conditions"] = EncodeConditions(conditions, EmptyText::kOmit);
  object["status"] = std::move(status);
  return object;
}

}  // namespace calico::api
