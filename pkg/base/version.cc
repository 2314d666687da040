#include "pkg/base/version.h"

namespace calico::base {

const char* Version() { return CALICO_VERSION; }

}  // namespace calico::base
