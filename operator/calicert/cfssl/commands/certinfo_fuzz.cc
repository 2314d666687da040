// certinfo takes any bytes as a certificate and as a request, and prints JSON or an error.

#include <cstddef>
#include <cstdint>
#include <string>

#include "operator/calicert/cfssl/commands/commands.h"
#include "operator/calicert/command/testing/run.h"
#include "pkg/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::calicert::RunWords;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* const flag : {"-cert", "-csr"}) {
    const calico::calicert::RunResult result =
        RunWords(calico::calicert::cfssl::CfsslCommands(), {"certinfo", flag, "-"}, {.in = text});
    CALICO_CHECK(result.code == 0 || (result.code == 1 && !result.err.empty()));
    CALICO_CHECK((result.code == 0) == (result.out.starts_with("{\n")));
  }
  return 0;
}
