// What the caches keep of the kinds beside Installation: only what is read.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_RECORDS_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "pkg/api/operator/api_server.h"
#include "pkg/api/operator/image_set.h"
#include "pkg/codec/json.h"

namespace calico::kinds {

// What a status needs of the object that it is about.
struct KindRecord {
  std::string name;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  bool deleting = false;
  json::object status;  // as it is

  // Errors: InvalidArgument when the metadata cannot be read.
  static absl::StatusOr<std::optional<KindRecord>> Decode(const json::object& object);
};

// An APIServer, readable or not: a wrong one must be told about, not skipped.
struct ApiServerRecord {
  KindRecord head;
  absl::StatusOr<api::ApiServer> api_server;

  // Errors: as KindRecord.
  static absl::StatusOr<std::optional<ApiServerRecord>> Decode(const json::object& object);
};

// An ImageSet. Of those that are not for the release that is installed only the name is kept.
struct ImageSetRecord {
  std::string name;
  absl::StatusOr<api::ImageSet> set;

  // `wanted`: the name of the one for the release. Errors: as KindRecord.
  static absl::StatusOr<std::optional<ImageSetRecord>> Decode(const json::object& object,
                                                              std::string_view wanted);
};

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_RECORDS_H_
