// What the caches keep of each object: only what is read, in the form it is read in.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_RECORDS_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_RECORDS_H_

#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::installation {

// An Installation, readable or not: a wrong one must be told about, not skipped.
struct InstallationRecord {
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::size_t spec_hash = 0;  // tells an equal spec from another one
  bool deleting = false;
  absl::StatusOr<api::Installation> installation;
  json::object status;  // as it is

  // Errors: InvalidArgument when not even the metadata can be read.
  static absl::StatusOr<std::optional<InstallationRecord>> Decode(const json::object& object);
};

// An Installation of another name than `default`.
struct OtherInstallation {
  api::ObjectKey key;
  std::string uid;
  std::string resource_version;
  json::object spec;  // of the one named `overlay`

  // Errors: InvalidArgument when the metadata cannot be read.
  static absl::StatusOr<std::optional<OtherInstallation>> Decode(const json::object& object);
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_RECORDS_H_
