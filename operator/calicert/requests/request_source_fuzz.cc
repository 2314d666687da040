// What somebody hands in as a request: files of every kind and none.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operator/calicert/requests/request_source.h"
#include "pkg/base/check.h"
#include "pkg/pki/certificate_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::calicert::requests::ReadRequestSource;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto source = ReadRequestSource(text, "input");
  if (!source.ok()) return 0;
  // It is one or the other, and what is called PEM is one block.
  CALICO_CHECK(source->request_pem.empty() != source->description.empty());
  if (!source->request_pem.empty()) {
    CALICO_CHECK(source->request_pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  }
  return 0;
}
