// The Secrets of a plan as objects that are applied.
#ifndef CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_OBJECTS_H_
#define CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_OBJECTS_H_

#include <string>
#include <vector>

#include "operator/certificates/plan.h"
#include "pkg/codec/json.h"

namespace calico::certificates {

// The UIDs of the objects that own Secrets and take them along when they are deleted.
struct Owners {
  std::string installation;
  std::string api_server;  // empty: there is none
  std::string api_server_name = "default";
};

// With labels and owner; of an original that was read with its uid and resourceVersion, which are
// the precondition (kube::DesiredObject).
json::object MakeObject(const PlannedSecret& secret, const Owners& owners);

// Those of Write::kKeep. They hold base64 of keys: make them late, keep them shortly.
std::vector<json::object> MakeObjects(const Plan& plan, const Owners& owners);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_OBJECTS_H_
