// What a plain (unquoted) YAML scalar means, by the rules of sigs.k8s.io/yaml. For yaml.h and its
// tests.
#ifndef CALICO_PKG_CODEC_YAML_SCALAR_H_
#define CALICO_PKG_CODEC_YAML_SCALAR_H_

#include <optional>
#include <string_view>

#include "pkg/codec/json.h"

namespace calico::codec {

// null, a boolean, an integer, a float or a string. An integral float becomes an integer, as it
// does on Go's way through JSON. nullopt for infinity and not-a-number, which JSON cannot hold.
std::optional<json::value> ResolvePlainScalar(std::string_view text);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_YAML_SCALAR_H_
