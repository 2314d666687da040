// PKCS#12: no input may crash or take minutes.

#include <cstdint>
#include <string_view>

#include "pkg/pki/formats/pkcs12.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view der(reinterpret_cast<const char*>(data), size);
  for (const char* passphrase : {"passphrase", ""}) {
    (void)calico::pki::ParsePkcs12(der, passphrase);
  }
  return 0;
}
