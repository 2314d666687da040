// The hashes that Calico's operator writes into annotations: SHA-1 over a value as Go's %q prints
// it. They must be the same to the letter, since a pod whose annotation changes is restarted.
#ifndef CALICO_OPERATOR_CERTIFICATES_ANNOTATION_HASH_H_
#define CALICO_OPERATOR_CERTIFICATES_ANNOTATION_HASH_H_

#include <string>
#include <string_view>

#include "pkg/api/meta/object_meta.h"

namespace calico::certificates {

// `text` as strconv.Quote gives it: in quotes, with escapes. Characters beyond ASCII stay if Go
// counts them as printable, which is decided here by blocks of Unicode: right for every assigned
// character of the scripts that names of CAs are written in.
std::string GoQuote(std::string_view text);

// 40 lower-case hexadecimal digits.
std::string AnnotationHash(std::string_view text);
// Of a map, as Go prints it: map["a":"b" "c":"d"], by key.
std::string AnnotationHash(const api::StringMap& map);

// "<ns>.hash.operator.tigera.io/<name>"; without `ns`, "hash.operator.tigera.io/<name>".
std::string HashAnnotation(std::string_view ns, std::string_view name);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_ANNOTATION_HASH_H_
