#include "operator/controllers/csr/policy_source.h"

#include <utility>

#include <fmt/format.h>

#include "operator/config/signer_policy.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/secret_file.h"

namespace calico::csr {

PolicySource::PolicySource(std::string file, std::vector<std::string> signer_names,
                           const base::Logger& logger)
    : file_(std::move(file)),
      signer_names_(std::move(signer_names)),
      logger_(logger),
      watched_({file_}) {}

absl::StatusOr<std::unique_ptr<PolicySource>> PolicySource::Open(
    std::string file, std::vector<std::string> signer_names, const base::Logger& logger) {
  std::unique_ptr<PolicySource> source(
      new PolicySource(std::move(file), std::move(signer_names), logger));
  source->watched_.Changed();
  CALICO_ASSIGN_OR_RETURN(source->current_, source->Load());
  return source;
}

absl::StatusOr<std::shared_ptr<const policy::CsrPolicy>> PolicySource::Load() const {
  absl::StatusOr<policy::CsrPolicy> policy = absl::UnknownError("");
  if (file_.empty()) {
    policy = config::ParseSignerPolicy(config::BuiltinSignerPolicy("calico").value_or(""));
  } else {
    CALICO_ASSIGN_OR_RETURN(const base::SecretString text, pki::ReadSecretFile(file_));
    policy = config::ParseSignerPolicy(text.view());
  }
  if (!policy.ok()) return base::Annotate(policy.status(), fmt::format("read {}", file_));
  policy->signer_names = signer_names_;
  return std::make_shared<const policy::CsrPolicy>(*std::move(policy));
}

bool PolicySource::Refresh() {
  if (file_.empty() || (!watched_.Changed() && !retry_)) return false;
  absl::StatusOr<std::shared_ptr<const policy::CsrPolicy>> policy = Load();
  retry_ = !policy.ok();
  if (!policy.ok()) {
    std::string error = policy.status().ToString();
    if (error != last_error_) {
      logger_.Error("policy not taken, the old one stays", {{"error", policy.status()}});
    }
    last_error_ = std::move(error);
    return false;
  }
  last_error_.clear();
  current_ = *std::move(policy);
  logger_.Info("policy read", {{"file", file_}, {"entries", current_->entries.size()}});
  return true;
}

}  // namespace calico::csr
