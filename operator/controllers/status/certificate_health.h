// Do our pods get their certificates? Judged from the requests of our own live pods: what somebody
// else asks for, whatever label he puts on it, and what a dead pod once asked for, says nothing.
//
// A pod that was refused asks again, and until an attempt succeeds the reason stays: it is
// remembered (status_memory.h), and the pod's own status has it, as the end of its init container.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_CERTIFICATE_HEALTH_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_CERTIFICATE_HEALTH_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/status/report.h"
#include "operator/controllers/status/request_facts.h"
#include "pkg/api/core/pod.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

namespace calico::status {

// Nobody approves, or nobody signs, for longer than this: somebody has to look.
inline constexpr absl::Duration kPatience = absl::Minutes(2);

// How an attempt to get a certificate ended, as words after "CertificateSigningRequest <name> ":
// "was denied (Denied): the rule's message".
struct Refusal {
  std::string what;
  bool is_verdict = false;  // of the signer on the request; else the provisioner's own words
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// A pod that waits for a certificate, and the request under the name that is its own.
struct WaitingPod {
  std::shared_ptr<const api::Pod> pod;
  std::string_view provisioner;  // the init container's name
  std::string_view common_name;  // what its certificate must be for
  pki::ExtendedKeyUsage usage = pki::ExtendedKeyUsage::kClientAuth;  // its side of a connection
  std::shared_ptr<const RequestFacts> request;                       // null: there is none
  // What was seen of the pod before.
  std::optional<Refusal> refused;
  absl::Time waits_since = absl::InfiniteFuture();

  // The request, if the pod itself has made it; else null.
  const RequestFacts* OwnRequest() const;
};

// `namespace:pod:uid6`, the name of a pod's own request.
std::string RequestName(const api::Pod& pod);

// Whether the pod still waits: it lives, and its init container has not ended well.
bool WaitsForCertificate(const api::Pod& pod, std::string_view provisioner);

// Whether `request` was made by `pod` itself.
bool IsOwnRequest(const api::Pod& pod, const RequestFacts& request);

// The refusal that pod and request show now: a denied or failed request, or an init container that
// ended for such a reason and runs again. nullopt: none, or a certificate was issued since.
std::optional<Refusal> FindRefusal(const WaitingPod& waiting);

// Since when the pod has waited, as far as pod and request show it now.
absl::Time WaitsSince(const WaitingPod& waiting);

// Requests that are no pod's own are passed over. `roots` is what the pods trust.
Report JudgeCertificates(const std::vector<WaitingPod>& pods,
                         const std::vector<pki::Certificate>& roots, absl::Time now);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_CERTIFICATE_HEALTH_H_
