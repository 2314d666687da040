// JSON values to YAML text, for people: what a command prints, golden files.
#ifndef CALICO_PKG_CODEC_YAML_WRITER_H_
#define CALICO_PKG_CODEC_YAML_WRITER_H_

#include <string>

#include <absl/types/span.h>

#include "pkg/codec/json.h"

namespace calico::codec {

// Block style as kubectl prints it: keys sorted, sequences not indented, strings quoted only when
// needed, several lines as a literal block; but long lines are not folded. Ends with a newline.
// Reading it back gives an equal value, as long as no key is longer than YAML's 1,024 characters.
std::string ToYaml(const json::value& value);

// The documents with `---` lines between them.
std::string ToYaml(absl::Span<const json::value> documents);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_YAML_WRITER_H_
