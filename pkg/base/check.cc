#include "pkg/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace calico::base {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace calico::base
