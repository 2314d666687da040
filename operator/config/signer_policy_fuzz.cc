// The policy file, as a user or a ConfigMap gives it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operator/config/signer_policy.h"
#include "pkg/base/check.h"
#include "pkg/pki/usage.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto policy = calico::config::ParseSignerPolicy(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!policy.ok()) return 0;
  for (const calico::csr_policy::CsrPolicyEntry& entry : policy->entries) {
    // What is accepted can match something, and cannot match everything.
    CALICO_CHECK(!entry.name.empty() && !entry.namespaces.empty());
    CALICO_CHECK(!entry.service_accounts.empty() && !entry.common_names.empty());
    CALICO_CHECK(!entry.keys.empty() && !entry.csr_names.empty() && !entry.usages.empty());
    CALICO_CHECK(entry.min_duration >= calico::csr_policy::kShortestDuration);
    CALICO_CHECK(entry.max_duration >= entry.min_duration);
    for (const std::string& dropped : entry.drop_subject_attributes) {
      const std::string attribute = dropped.substr(0, dropped.find('='));
      // As the parser of requests names it, and never the name that is certified.
      CALICO_CHECK(attribute != "CN" && calico::pki::SubjectAttributeName(attribute) == attribute);
    }
    for (const std::string& usage : entry.usages) {
      CALICO_CHECK(calico::csr_policy::FindUsage(usage) != nullptr);
    }
  }
  return 0;
}
