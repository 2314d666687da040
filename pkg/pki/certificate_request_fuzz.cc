// PKCS#10 from strangers: PEM or DER, whatever comes first.

#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/pki/certificate_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico::pki;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const absl::StatusOr<CertificateRequest>& request :
       {CertificateRequest::ParsePem(bytes), CertificateRequest::ParseDer(bytes)}) {
    if (!request.ok()) continue;
    // What passes has one encoding, which reads the same again.
    const absl::StatusOr<CertificateRequest> again = CertificateRequest::ParseDer(request->der());
    CALICO_CHECK(again.ok() && again->subject_text() == request->subject_text());
    // Large RSA keys only make the search slow.
    if (request->public_key().bits() > 4096) continue;
    request->VerifySignature().IgnoreError();
    request->public_key().CheckStrength().IgnoreError();
  }
  return 0;
}
