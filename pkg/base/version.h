// The version of this build, the same in every program (`--define=CALICO_VERSION=...`, .bazelrc).
#ifndef CALICO_PKG_BASE_VERSION_H_
#define CALICO_PKG_BASE_VERSION_H_

namespace calico::base {

const char* Version();

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_VERSION_H_
