#include "operator/controllers/csr/metrics.h"

#include <array>
#include <utility>

namespace calico::csr {
namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 5> kOutcomes = {{
    {Outcome::kApproved, "approved"},
    {Outcome::kIssued, "issued"},
    {Outcome::kDenied, "denied"},
    {Outcome::kFailed, "failed"},
    {Outcome::kRetried, "retried"},
}};

}  // namespace

Metrics::Metrics(metrics::Registry& registry, const std::vector<std::string>& signer_names)
    : duration_(registry.AddHistogram("csr_signer_duration_seconds",
                                      "From taking a request up to its certificate.",
                                      metrics::ExponentialBounds(0.002, 2, 14))) {
  for (const std::string& signer : signer_names) {
    for (const auto& [outcome, name] : kOutcomes) {
      requests_[signer][outcome] = &registry.AddCounter(
          "csr_signer_requests_total", "CertificateSigningRequests by what became of them.",
          {{"signer", signer}, {"result", std::string(name)}});
    }
  }
}

void Metrics::Count(std::string_view signer, Outcome outcome) {
  const auto found = requests_.find(signer);
  if (found != requests_.end()) found->second.at(outcome)->Increment();
}

}  // namespace calico::csr
