#include "pkg/api/meta/api_status.h"

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

absl::StatusOr<ApiStatus> ApiStatus::Decode(const json::object& object) {
  codec::Decoder decoder("Status");
  const codec::ObjectReader reader = decoder.Read(object);
  if (reader.StringView("kind") != "Status") {
    reader.Fail("kind", "expected \"Status\"");
    return decoder.status();
  }
  const codec::ObjectReader details = reader.Object("details");
  ApiStatus status{.success = reader.StringView("status") == "Success",
                   .code = reader.Int32("code"),
                   .reason = reader.String("reason"),
                   .message = reader.String("message"),
                   .name = details.String("name"),
                   .kind = details.String("kind")};
  details.ForEach("causes", [&status](const codec::ObjectReader& cause) {
    status.causes.push_back({.reason = cause.String("reason"),
                             .message = cause.String("message"),
                             .field = cause.String("field")});
  });
  if (const auto seconds = details.OptionalInt32("retryAfterSeconds"); seconds.value_or(0) > 0) {
    status.retry_after = absl::Seconds(*seconds);
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return status;
}

}  // namespace calico::api
