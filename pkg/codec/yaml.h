// YAML text to JSON values with Kubernetes' rules (sigs.k8s.io/yaml): a plain scalar that looks
// like null, a boolean (yes, no, on, off too), an integer or a float is one, a quoted one is a
// string. Anchors, aliases and tags other than !!str are refused: nothing of Kubernetes needs them,
// and aliases let a small text grow without bound.
#ifndef CALICO_PKG_CODEC_YAML_H_
#define CALICO_PKG_CODEC_YAML_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::codec {

struct YamlLimits {
  std::size_t max_bytes = 4 << 20;
  std::size_t max_depth = 64;
  // Scalars, sequences and mappings of all documents together.
  std::size_t max_nodes = 200'000;
};

// Every document of the text; documents that hold nothing are left out.
// Errors: InvalidArgument with line and column (a key given twice included); ResourceExhausted
// beyond `limits`.
absl::StatusOr<std::vector<json::value>> ParseYamlDocuments(std::string_view text,
                                                            const YamlLimits& limits = {});

// As ParseYamlDocuments; any other number of documents than one is an InvalidArgument error.
absl::StatusOr<json::value> ParseYaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_YAML_H_
