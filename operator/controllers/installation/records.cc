#include "operator/controllers/installation/records.h"

#include <functional>
#include <string>
#include <utility>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::installation {
namespace {

json::object ObjectOr(const json::object& object, std::string_view key) {
  const json::object* const found = codec::FindObject(object, key);
  return found == nullptr ? json::object() : *found;
}

}  // namespace

absl::StatusOr<std::optional<InstallationRecord>> InstallationRecord::Decode(
    const json::object& object) {
  codec::Decoder decoder("Installation");
  const api::ObjectMeta meta = api::ReadObjectMeta(decoder.Read(object), {});
  CALICO_RETURN_IF_ERROR(decoder.status());
  return InstallationRecord{
      .uid = meta.uid,
      .resource_version = meta.resource_version,
      .generation = meta.generation,
      .spec_hash = std::hash<std::string>()(codec::Serialize(ObjectOr(object, "spec"))),
      .deleting = meta.deletion_timestamp.has_value(),
      .installation = api::Installation::Decode(object),
      .status = ObjectOr(object, "status")};
}

absl::StatusOr<std::optional<OtherInstallation>> OtherInstallation::Decode(
    const json::object& object) {
  codec::Decoder decoder("Installation");
  const api::ObjectMeta meta = api::ReadObjectMeta(decoder.Read(object), {});
  CALICO_RETURN_IF_ERROR(decoder.status());
  return OtherInstallation{
      .key = meta.Key(),
      .uid = meta.uid,
      .resource_version = meta.resource_version,
      .spec = meta.name == api::kOverlayName ? ObjectOr(object, "spec") : json::object()};
}

}  // namespace calico::installation
