// What we need of a Secret: its data, decoded into memory that is wiped.
#ifndef CALICO_PKG_API_CORE_SECRET_H_
#define CALICO_PKG_API_CORE_SECRET_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/secret_string.h"
#include "pkg/codec/json.h"

namespace calico::api {

// The type of a Secret that says nothing else.
inline constexpr std::string_view kOpaqueSecret = "Opaque";

using SecretData = std::map<std::string, base::SharedSecret, std::less<>>;

// Copies share the values.
struct Secret {
  ObjectMeta meta;  // with labels, annotations and owner references
  std::string type;
  SecretData data;

  // The value, or empty. Lifetime: as this Secret or a copy of it.
  std::string_view Get(std::string_view key) const;

  // The JSON object keeps its base64; whoever holds it wipes or forgets it.
  // Errors: InvalidArgument with every wrong field's path; a value never shows in the message.
  static absl::StatusOr<Secret> Decode(const json::object& object);
};

// The member `data` of a Secret: base64 of each value.
json::object EncodeSecretData(const SecretData& data);

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_SECRET_H_
