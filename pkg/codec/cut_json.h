// One string out of a JSON text whose end is missing, for objects that are too large to be parsed.
#ifndef CALICO_PKG_CODEC_CUT_JSON_H_
#define CALICO_PKG_CODEC_CUT_JSON_H_

#include <span>
#include <string_view>

namespace calico::codec {

// The string member at `path`, object by object: {"metadata", "name"}. Empty when it is not there
// before the text ends, is no string, or holds an escape. A key given twice: the first one counts.
// Bounded: one pass, no memory. The result points into `text`, which need not be valid JSON.
std::string_view FindStringInCutJson(std::string_view text, std::span<const std::string_view> path);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_CUT_JSON_H_
