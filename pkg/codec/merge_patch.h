// JSON merge patches (RFC 7396): what to send so that an object becomes another one.
#ifndef CALICO_PKG_CODEC_MERGE_PATCH_H_
#define CALICO_PKG_CODEC_MERGE_PATCH_H_

#include "pkg/codec/json.h"

namespace calico::codec {

// The smallest patch that makes `from` equal `to`: members that `to` lacks become null, lists are
// replaced as a whole. Empty: they are equal. A member that is null counts as absent, since a patch
// cannot say null.
json::object MergePatch(const json::object& from, const json::object& to);

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_MERGE_PATCH_H_
