// What we need of a ConfigMap: its text data.
#ifndef CALICO_PKG_API_CORE_CONFIG_MAP_H_
#define CALICO_PKG_API_CORE_CONFIG_MAP_H_

#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_meta.h"

namespace calico::api {

struct ConfigMap {
  ObjectMeta meta;  // No labels, annotations, owner references.
  StringMap data;

  // The value, or empty.
  std::string_view Get(std::string_view key) const;

  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<ConfigMap> Decode(const json::object& object);
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_CORE_CONFIG_MAP_H_
