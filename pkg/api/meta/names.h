// The forms of names that the API server takes.
#ifndef CALICO_PKG_API_META_NAMES_H_
#define CALICO_PKG_API_META_NAMES_H_

#include <string_view>

namespace calico::api {

// RFC 1123 label: lower-case letters, digits and '-', no '-' at the ends, at most 63 characters.
// The name of a namespace.
bool IsDnsLabel(std::string_view text);

// Such labels joined by dots, at most 253 characters: the name of most objects. As for the API
// server, only the whole is bounded: a label may be longer than 63.
bool IsDnsSubdomain(std::string_view text);

// spec.signerName: a domain of two labels or more (253 characters), one slash, and a path of
// subdomains joined by dots; 571 characters together.
bool IsSignerName(std::string_view text);

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_NAMES_H_
