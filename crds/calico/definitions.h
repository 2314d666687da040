// Calico's own CustomResourceDefinitions (crd.projectcalico.org and what else a release brings), as
// releases.yaml lists them.
//
// They keep every field of an object and describe only those on which the operator or Calico
// depends: where a cluster has Calico's own, fuller ones, these take nothing away.
#ifndef CALICO_CRDS_CALICO_DEFINITIONS_H_
#define CALICO_CRDS_CALICO_DEFINITIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::crds {

// Those of `release` ("v3.33"), what the operator needs itself first; a release that is not listed
// has those of the one listed before it. Each call reads them anew: a few milliseconds.
// Errors: InvalidArgument for files that do not hold together.
absl::StatusOr<std::vector<json::object>> CalicoDefinitions(std::string_view release);

// The same as text for `kubectl apply`. Errors: as CalicoDefinitions.
absl::StatusOr<std::string> CalicoManifests(std::string_view release);

}  // namespace calico::crds

#endif  // CALICO_CRDS_CALICO_DEFINITIONS_H_
