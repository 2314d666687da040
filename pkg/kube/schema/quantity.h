// Kubernetes quantities ("100m", "0.1", "1Gi"), as far as comparing them goes.
#ifndef CALICO_PKG_KUBE_SCHEMA_QUANTITY_H_
#define CALICO_PKG_KUBE_SCHEMA_QUANTITY_H_

#include <string_view>

namespace calico::kube {

// Whether both are quantities of the same amount: the API server rewrites "1000m" as "1". Texts
// that are no quantities are compared as they are.
bool SameQuantity(std::string_view a, std::string_view b);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_SCHEMA_QUANTITY_H_
