// A file that was put into the binary at build time (see tools/bazel/embed.bzl).
#ifndef CALICO_PKG_BASE_EMBEDDED_FILE_H_
#define CALICO_PKG_BASE_EMBEDDED_FILE_H_

#include <string_view>

namespace calico::base {

// Lifetime of both views: static.
struct EmbeddedFile {
  std::string_view name;  // The path below the package that embeds it, such as "v3.32/node.yaml".
  std::string_view content;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_EMBEDDED_FILE_H_
