#include "operator/controllers/status/request_facts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate_request.h"

namespace calico::status {
namespace {

// Read before anything else, because most requests of a signer may be somebody else's.
std::string_view UsernameOf(const json::object& object) {
  const json::object* const spec = codec::FindObject(object, "spec");
  return spec == nullptr ? std::string_view() : codec::TextAt(*spec, "username");
}

// lastTransitionTime is the API server's; lastUpdateTime is whatever the clock of the machine says
// on which `kubectl certificate approve` was run.
absl::Time TimeOf(const api::Condition& condition, absl::Time otherwise) {
  if (condition.last_transition_time.has_value()) return *condition.last_transition_time;
  return condition.last_update_time.value_or(otherwise);
}

void ReadState(const api::CertificateSigningRequest& csr, RequestFacts& facts) {
  using State = RequestFacts::State;
  if (const api::Condition* denied = csr.Denied()) {
    facts.state = State::kDenied;
    facts.reason = denied->reason;
    facts.message = denied->message;
  } else if (const api::Condition* failed = csr.Failed()) {
    facts.state = State::kFailed;
    facts.reason = failed->reason;
    facts.message = failed->message;
  } else if (const api::Condition* approved = csr.Approved()) {
    facts.state = csr.IsIssued() ? State::kIssued : State::kApproved;
    facts.approved_at = TimeOf(*approved, facts.created);
  }
  if (facts.state == State::kIssued) facts.certificate_pem = csr.certificate_pem;
}

}  // namespace

absl::StatusOr<std::optional<RequestFacts>> RequestFacts::Decode(
    const json::object& object, std::initializer_list<std::string_view> namespaces) {
  const std::string_view username = UsernameOf(object);
  const bool is_ours = std::any_of(namespaces.begin(), namespaces.end(), [&](std::string_view ns) {
    return username.starts_with(fmt::format("system:serviceaccount:{}:", ns));
  });
  if (!is_ours) return std::nullopt;
  CALICO_ASSIGN_OR_RETURN(const api::CertificateSigningRequest csr,
                          api::CertificateSigningRequest::Decode(object));
  RequestFacts facts;
  facts.name = csr.meta.name;
  facts.username = csr.username;
  facts.pod_uid = csr.SingleExtra(api::kExtraPodUid);
  facts.signer_name = csr.signer_name;
  facts.created = csr.meta.creation_timestamp;
  ReadState(csr, facts);
  const absl::StatusOr<pki::CertificateRequest> request =
      pki::CertificateRequest::ParsePem(csr.request_pem);
  if (request.ok()) {
    facts.public_key = request->public_key();
    facts.dns_names = request->dns_names();
  }
  return std::optional<RequestFacts>(std::move(facts));
}

}  // namespace calico::status
