// The CA that a user gives, in whatever form: no input may crash, and what is taken is taken again
// from the clean PEM that is made of it.

#include <cstdint>
#include <string_view>

#include <absl/time/time.h>

#include "operator/validation/ca_certificates.h"
#include "operator/validation/ca_pem.h"
#include "pkg/base/check.h"
#include "pkg/pki/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  for (const auto place : {validation::CaPlace::kField, validation::CaPlace::kFile}) {
    const validation::CaPem pem = validation::ReadCaPem(text, place);
    CALICO_CHECK(!pem.certificates.empty() || !pem.problems.empty());
    for (const pki::Certificate& certificate : pem.certificates) {
      if (certificate.public_key().bits() > 4096) return 0;  // only makes the search slow
    }
  }
  const pki::CaDemands demands = validation::CalicoDemands({});
  const validation::CaVerdict verdict = validation::CheckCaCertificates(text, demands, now);
  if (!verdict.problems.empty()) return 0;
  const validation::CaVerdict again =
      validation::CheckCaCertificates(pki::ToPemBundle(verdict.certificates), demands, now);
  CALICO_CHECK(again.problems.empty() && again.certificates == verdict.certificates);
  return 0;
}
