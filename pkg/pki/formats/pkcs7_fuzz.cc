// PKCS#7: no input may crash, and what is read holds certificates.

#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/pki/formats/pkcs7.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view der(reinterpret_cast<const char*>(data), size);
  const auto certificates = calico::pki::ParsePkcs7(der);
  CALICO_CHECK(!certificates.ok() || !certificates->empty());
  return 0;
}
