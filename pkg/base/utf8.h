// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#ifndef CALICO_PKG_BASE_UTF8_H_
#define CALICO_PKG_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace calico::base {

// Length of the valid sequence at the front of `text`, 1 to 4; 0 when there is none.
std::size_t Utf8SequenceLength(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_UTF8_H_
