#include "operator/controllers/csr/policy_source.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "operator/config/signer_policy.h"
#include "pkg/base/status_macros.h"

namespace calico::csr {

PolicySource::PolicySource(std::string file, std::vector<std::string> signer_names,
                           const base::Logger& logger)
    : file_(std::move(file)),
      signer_names_(std::move(signer_names)),
      logger_(logger),
      watched_(file_.empty() ? std::vector<std::string>() : std::vector<std::string>{file_}) {}

absl::StatusOr<std::unique_ptr<PolicySource>> PolicySource::Open(
    std::string file, std::vector<std::string> signer_names, const base::Logger& logger) {
  std::unique_ptr<PolicySource> source(
      new PolicySource(std::move(file), std::move(signer_names), logger));
  source->Look();
  CALICO_RETURN_IF_ERROR(source->watched_.status());
  return source;
}

absl::StatusOr<std::shared_ptr<const csr_policy::CsrPolicy>> PolicySource::Load(
    std::string_view text) const {
  absl::StatusOr<csr_policy::CsrPolicy> policy = config::ParseSignerPolicy(text);
  if (!policy.ok()) return base::Annotate(policy.status(), fmt::format("read {}", file_));
  policy->signer_names = signer_names_;
  return std::make_shared<const csr_policy::CsrPolicy>(*std::move(policy));
}

base::WatchedFiles::News PolicySource::Look() {
  return watched_.Refresh([this](std::span<const base::SecretString> files) -> absl::Status {
    const std::string_view text =
        files.empty() ? config::BuiltinSignerPolicy("calico").value_or("") : files.front().view();
    CALICO_ASSIGN_OR_RETURN(current_, Load(text));
    return absl::OkStatus();
  });
}

bool PolicySource::Refresh() {
  switch (Look()) {
    case base::WatchedFiles::News::kNone:
      return false;
    case base::WatchedFiles::News::kTaken:
      logger_.Info("policy read", {{"file", file_}, {"entries", current_->entries.size()}});
      return true;
    case base::WatchedFiles::News::kFailed:
      logger_.Error("policy not taken, the old one stays", {{"error", watched_.status()}});
      return false;
  }
  return false;
}

}  // namespace calico::csr
