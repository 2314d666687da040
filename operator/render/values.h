// The values that code puts into a release's objects: the CA, images, addresses, ports, names.
// Everything else is in the release's manifests and fragments.
#ifndef CALICO_OPERATOR_RENDER_VALUES_H_
#define CALICO_OPERATOR_RENDER_VALUES_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// What the values are made from. References: as long as the call.
struct ValueSources {
  const Release& release;
  const api::Installation& installation;
  const Inputs& inputs;
  std::string ca_pem;      // of inputs.ca_certificates
  std::string cni_config;  // the text in ConfigMap cni-config, values included
};

// Sources with the derived members filled in from `objects`.
// Errors: InvalidArgument when the ConfigMap holds no CNI configuration.
// Requires: CheckAllTakeValues was OK.
absl::StatusOr<ValueSources> MakeValueSources(const Release& release,
                                              const api::Installation& installation,
                                              const Inputs& inputs,
                                              const std::vector<json::object>& objects);

// Puts the values into one object. An object that takes none is left as it is.
// Errors: InvalidArgument naming object and path where a value has no place.
// Requires: the installation passed validation (it has certificateManagement, a signer name).
absl::Status SetValues(json::object& object, const ValueSources& sources);

// Errors: InvalidArgument naming an object that takes values and is not among `objects`, although
// every Installation has it.
absl::Status CheckAllTakeValues(const std::vector<json::object>& objects);

// On every object: the labels that Calico's operator gives, its own namespace of them, and on pod
// templates too.
void SetCommonLabels(json::object& object);
// Controller reference to Installation `default`.
void SetOwner(json::object& object, std::string_view installation_uid);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_VALUES_H_
