// Decode takes any JSON object; what it accepts survives Encode and Decode.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::api::CertificateSigningRequest;
  const auto object = calico::codec::ParseJsonObject(
      std::string_view(reinterpret_cast<const char*>(data), size), {.max_bytes = 1 << 20});
  if (!object.ok()) return 0;
  const auto csr = CertificateSigningRequest::Decode(*object);
  if (!csr.ok()) return 0;
  const calico::json::object encoded = csr->Encode();
  const auto again = CertificateSigningRequest::Decode(encoded);
  CALICO_CHECK(again.ok());
  CALICO_CHECK(again->Encode() == encoded);
  CALICO_CHECK(again->request_pem == csr->request_pem);
  CALICO_CHECK(again->IsApproved() == csr->IsApproved() && again->IsDenied() == csr->IsDenied());
  CALICO_CHECK(again->SingleExtra(calico::api::kExtraPodUid) ==
               csr->SingleExtra(calico::api::kExtraPodUid));
  return 0;
}
