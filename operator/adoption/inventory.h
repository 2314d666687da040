// Inventory: everything in a cluster that Calico's operator has made, Tigera's or ours, whether the
// operator still knows it or not.
#ifndef CALICO_OPERATOR_ADOPTION_INVENTORY_H_
#define CALICO_OPERATOR_ADOPTION_INVENTORY_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::adoption {

struct FoundObject {
  const api::Resource* resource = nullptr;  // static
  api::ObjectKey key;
  json::object object;  // apiVersion, kind and metadata; of a Secret never the data
};

// The namespaces that an operator fills: calico-system, and calico-apiserver of old releases.
std::vector<std::string> CalicoNamespaces();

// Objects of which IsOfAnOperator: those of the whole cluster, those of CalicoNamespaces and of
// `operator_namespace`, and roles and bindings of kube-system; kinds of Calico's own and of group
// operator.tigera.io are not among them. In the order of their kinds.
// Errors: as kube::Client; a kind that is not served has none.
aio::Task<absl::StatusOr<std::vector<FoundObject>>> ReadInventory(kube::Client& client,
                                                                  std::string operator_namespace);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_INVENTORY_H_
