// Names of a cluster's objects for the commands that read certificates: "secret/NAME",
// "configmap/NAME", "csr/NAME", "installation".
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_CLUSTER_SOURCE_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_CLUSTER_SOURCE_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/calicert/certificates/material.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"

namespace calico::calicert {

// For CertificateCommands. A namespace may stand in the name: "secret/NS/NAME".
DeclareCluster ClusterSources();

namespace inventory {

struct ObjectName {
  const api::Resource* resource = nullptr;
  api::ObjectKey key;
};
// Errors: InvalidArgument for what is no such name.
absl::StatusOr<ObjectName> ParseObjectName(std::string_view name, std::string_view ns);

// What of the object is in PEM: of a Secret or ConfigMap the values with certificates, tls.crt
// before the others, never a key; of a request its certificate and the request; of an Installation
// the CA. Errors: NotFound when there is nothing of the kind.
absl::StatusOr<std::string> PemOf(const json::object& object);

}  // namespace inventory
}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_CLUSTER_SOURCE_H_
