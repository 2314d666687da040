// Whether bytes are DER: the one encoding of a value, X.690 8 to 11.
//
// OpenSSL reads BER as well and keeps what it has read, so that neither decoding nor encoding again
// shows the difference; Go, and thus kube-apiserver, reads only DER. What two readers could read
// differently is refused before anybody judges it.
#ifndef CALICO_PKG_PKI_INTERNAL_DER_H_
#define CALICO_PKG_PKI_INTERNAL_DER_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace calico::pki::internal {

struct DerElement {
  uint8_t identifier = 0;  // the first byte: class, constructed bit, number
  std::string_view content;
  std::string_view encoding;  // all of it
};

enum class FalseBoolean {
  kAllowed,
  // Every BOOLEAN in it is DEFAULT FALSE, as all of PKCS#10 and its extensions are: left out then.
  kRefused,
};

// Exactly one element, and everything below it: definite lengths and all numbers as short as they
// can be, TRUE as 0xff, no set unused bit, strings in one piece, SETs in order. What is behind a
// primitive context tag, or inside an OCTET STRING or BIT STRING, is not looked at.
// At most 32 deep and 16,384 elements.
// Errors: InvalidArgument with the cause and the byte where it is.
absl::Status CheckDer(std::string_view der, FalseBoolean false_boolean);

// The encodings in `content` are in the order of a SET OF, for one behind an implicit tag.
// Requires: CheckDer passed. Errors: InvalidArgument.
absl::Status CheckSetOrder(std::string_view content);

// A BIT STRING of named bits ends with a bit that is set, or is empty (X.690 11.2.2).
// Requires: `der` is one BIT STRING and CheckDer passed. Errors: InvalidArgument.
absl::Status CheckNamedBits(std::string_view der);

// The elements one below `content`, the content of a constructed one. Requires: CheckDer passed.
// Errors: InvalidArgument.
absl::StatusOr<std::vector<DerElement>> DerChildren(std::string_view content);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_DER_H_
