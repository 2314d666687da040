// CertificateSigningRequests as the signer keeps and writes them.
//
// Thousands may wait at once, so a waiting request is kept as JSON text without what nobody needs,
// and beyond a budget only as a reminder to GET it when its turn comes. A request that has its
// verdict is not kept at all.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_PENDING_CSR_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_PENDING_CSR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::csr {

struct PendingCsr {
  std::string uid;
  // The object without managedFields, groups and those `extra` that no rule reads; null: large, or
  // over the budget.
  std::shared_ptr<const std::string> text;
  // Who asks, as a hash of user name and pod: requesters take turns.
  uint64_t requester = 0;
  // Much more text than an honest request has, up to megabytes. Not many of them at a time.
  bool is_large = false;
};

// Nothing is left to do for it: denied, failed, issued, or being deleted.
bool IsFinished(const json::object& csr);

// An Informer's decoder. Copies share one budget.
class PendingCsrDecoder {
 public:
  explicit PendingCsrDecoder(size_t budget_bytes)
      : budget_bytes_(budget_bytes), kept_bytes_(std::make_shared<size_t>(0)) {}

  // nullopt for a finished request. Errors: InvalidArgument without metadata.uid.
  absl::StatusOr<std::optional<PendingCsr>> operator()(const json::object& csr) const;

  size_t kept_bytes() const { return *kept_bytes_; }

 private:
  size_t budget_bytes_;
  std::shared_ptr<size_t> kept_bytes_;
};

// A condition with status True. `type` and `reason` are static.
struct NewCondition {
  std::string_view type;
  std::string_view reason;
  std::string message;
};

// The body for PUT .../approval and .../status: metadata as it is in `csr`, resourceVersion
// included, its conditions and `add`, and the certificate. No spec: the server takes its own.
json::object WriteBody(const json::object& csr, const std::optional<NewCondition>& add,
                       std::string_view certificate_pem = {});

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_PENDING_CSR_H_
