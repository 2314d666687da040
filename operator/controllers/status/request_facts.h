// What the status needs of a CertificateSigningRequest: a few hundred bytes.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_REQUEST_FACTS_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_REQUEST_FACTS_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/codec/json.h"
#include "pkg/pki/key.h"

namespace calico::status {

struct RequestFacts {
  enum class State { kPending, kApproved, kIssued, kDenied, kFailed };

  std::string name;
  std::string username;
  std::string pod_uid;  // of the requester's token; empty: not bound to a pod
  std::string signer_name;
  absl::Time created;
  State state = State::kPending;
  absl::Time approved_at;
  std::string reason;                        // of the condition Denied or Failed
  std::string message;                       // likewise
  std::optional<pki::PublicKey> public_key;  // absent: the request is unreadable
  std::vector<std::string> dns_names;        // that were asked for
  std::string certificate_pem;               // kIssued

  // nullopt unless a service account of one of these namespaces asked.
  // Errors: InvalidArgument with every wrong field's path.
  static absl::StatusOr<std::optional<RequestFacts>> Decode(
      const json::object& object, std::initializer_list<std::string_view> namespaces);
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_REQUEST_FACTS_H_
