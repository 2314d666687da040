#include "operator/standin/program.h"

#include <unistd.h>

namespace calico::standin {

std::string Flag(const Arguments& arguments, std::string_view name, std::string_view fallback) {
  const std::string flag = std::string("--").append(name);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(flag + "=")) return arguments[i].substr(flag.size() + 1);
    if (arguments[i] == flag && i + 1 < arguments.size()) return arguments[i + 1];
  }
  return std::string(fallback);
}

void WaitForever() {
  for (;;) pause();
}

int Succeed(const Arguments&) { return 0; }

}  // namespace calico::standin
