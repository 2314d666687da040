// What people give to inspect: no input may crash it, or what is said about it.

#include <cstdint>
#include <string_view>

#include "operator/calicert/certificates/describe.h"
#include "operator/calicert/certificates/material.h"
#include "pkg/base/secret_string.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto passphrase = []() -> absl::StatusOr<base::SecretString> {
    return base::SecretString("passphrase");
  };
  const auto material =
      calicert::ParseMaterial(bytes, "input", passphrase, calicert::KeyReading::kRead);
  if (!material.ok()) return 0;
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  for (const pki::Certificate& certificate : material->certificates) {
    (void)calicert::Paragraph(certificate, now);
    (void)calicert::Document(calicert::Describe(certificate, now));
  }
  for (const pki::CertificateRequest& request : material->requests) {
    (void)calicert::Paragraph(request);
    (void)calicert::Document(calicert::Describe(request));
  }
  return 0;
}
