#include "pkg/api/coordination/lease.h"

#include <utility>

#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/time.h"

namespace calico::api {

absl::StatusOr<Lease> Lease::Decode(const json::object& object) {
  codec::Decoder decoder("Lease");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader spec = root.Object("spec");
  Lease lease{.meta = ReadObjectMeta(root, MetaFields::All()),
              .holder_identity = spec.String("holderIdentity"),
              .lease_duration_seconds = spec.OptionalInt32("leaseDurationSeconds"),
              .acquire_time = spec.Time("acquireTime"),
              .renew_time = spec.Time("renewTime"),
              .lease_transitions = spec.Int32("leaseTransitions")};
  CALICO_RETURN_IF_ERROR(decoder.status());
  return lease;
}

json::object Lease::Encode() const {
  json::object spec{{"holderIdentity", holder_identity}, {"leaseTransitions", lease_transitions}};
  if (lease_duration_seconds.has_value()) spec["leaseDurationSeconds"] = *lease_duration_seconds;
  if (acquire_time.has_value()) spec["acquireTime"] = codec::EncodeMicroTime(*acquire_time);
  if (renew_time.has_value()) spec["renewTime"] = codec::EncodeMicroTime(*renew_time);
  json::object object = NewObject(kLeases, meta.Key());
  object["metadata"] = EncodeObjectMeta(meta);
  object["spec"] = std::move(spec);
  return object;
}

}  // namespace calico::api
