// What every object of a release gets, whatever its manifest says: images, pull secrets, labels and
// the owner.
#ifndef CALICO_OPERATOR_RENDER_FINISH_H_
#define CALICO_OPERATOR_RENDER_FINISH_H_

#include <string_view>

#include <absl/status/status.h>

#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// Of a DaemonSet or Deployment:
//   - the full name of every image, by digest where there is an ImageSet; pull policy (IfNotPresent
//     where nobody says one) and pull secrets
//   - TLS_CIPHER_SUITES in the containers that serve, where spec.tlsCipherSuites is set and the
//     release knows it
//   - times of probes that differ from the API's defaults, where the manifest says none
//   - a label for pods of the host's network, in releases that have it
//   - in calico-node, each of the user's templates for BIRD in place of the image's file
// Other objects are left as they are.
// Errors: InvalidArgument naming the object, for an image that the release or the set lacks.
absl::Status FinishWorkload(json::object& object, const Release& release,
                            const api::Installation& installation, const Inputs& inputs);

// The object to which others belong, and with which they go: an Installation or an APIServer.
struct Owner {
  const api::Resource* resource = &api::kInstallations;
  std::string_view uid;
  std::string_view name = api::kInstallationName;
};

// Which labels pod templates get: all of their workload, or the two by its name, by which pods are
// found. Another set restarts the pods of a cluster that is taken over.
enum class LabelsOnPods { kAll, kByName };

// On every object: the labels that Calico's operator gives, its own namespace of them.
void SetCommonLabels(json::object& object, const Owner& owner,
                     LabelsOnPods on_pods = LabelsOnPods::kAll);
// Whether the object has no owner, since it must not go at once when the Installation does: what
// the CNI plugin needs until the last pod of the pod network has ended
// (operator/controllers/teardown).
bool OutlivesInstallation(const json::object& object);

// Controller reference; none for an object that outlives its Installation.
void SetOwner(json::object& object, const Owner& owner);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_FINISH_H_
