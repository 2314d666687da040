// Where something stands in a YAML text, for messages about what has been read from it.
#ifndef CALICO_PKG_CODEC_YAML_POSITION_H_
#define CALICO_PKG_CODEC_YAML_POSITION_H_

#include <optional>
#include <string_view>

namespace calico::codec {

struct YamlPosition {
  int line = 1;  // both from 1
  int column = 1;
};

// The position of what `path`, as ObjectReader writes it without its root, names:
// `members[0].peerURLs[1]` is an entry of a sequence, `members[0].peerURLs` the key of a mapping.
// Where the text has not got the last parts, such as a key that is missing, that of the part before
// them; nothing where it has not got the first. A text that cannot be parsed has no positions.
std::optional<YamlPosition> FindInYaml(std::string_view text, std::string_view path);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_YAML_POSITION_H_
