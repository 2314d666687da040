// Requests, subjects and signing configurations take any bytes; what they accept is fit for use.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operator/calicert/cfssl/request_json.h"
#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace cfssl = calico::calicert::cfssl;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = cfssl::ParseRequest(text, "f"); read.ok()) {
    for (const auto& relative : read->request.subject.Name()) CALICO_CHECK(!relative.empty());
    if (read->request.ca.has_value() && read->request.ca->expiry.has_value()) {
      CALICO_CHECK(*read->request.ca->expiry > absl::ZeroDuration());
    }
  }
  CALICO_CHECK(cfssl::ParseSubject(text, "f").status().message().size() < (1U << 20));
  if (const auto config = cfssl::ParseSigningConfig(text, "f"); config.ok()) {
    for (const auto& [name, profile] : config->profiles) {
      CALICO_CHECK(!profile.remote.empty() || profile.expiry > absl::ZeroDuration());
      if (profile.name_whitelist.has_value()) profile.name_whitelist->Matches("a.example.com");
    }
    if (const auto chosen = cfssl::ChooseProfile(*config, "www"); chosen.ok()) {
      CALICO_CHECK(!chosen->profile->usages.empty());
    }
  }
  return 0;
}
