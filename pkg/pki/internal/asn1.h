// Small readings of ASN.1 values that names, extensions, requests and certificates share.
#ifndef CALICO_PKG_PKI_INTERNAL_ASN1_H_
#define CALICO_PKG_PKI_INTERNAL_ASN1_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "pkg/openssl/handles.h"

namespace calico::pki::internal {

inline const unsigned char* ToBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// The content bytes. Lifetime: that of `value`.
inline std::string_view ContentOf(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

// Dotted decimal identifier.
std::string OidOf(const ASN1_OBJECT* object);

// Reads all of `der` with one of OpenSSL's d2i functions; null unless every byte is used.
template <class Ptr, class D2i>
Ptr DecodeAll(D2i d2i, std::string_view der) {
  const unsigned char* in = ToBytes(der);
  Ptr value(d2i(nullptr, &in, static_cast<long>(der.size())));
  if (value != nullptr && in != ToBytes(der) + der.size()) value.reset();
  return value;
}

// The DER of `value` by one of OpenSSL's i2d functions; empty when the library fails.
template <class T, class I2d>
std::string Encode(I2d i2d, T* value) {
  unsigned char* der = nullptr;
  const int size = i2d(value, &der);
  const openssl::BytesPtr owned(der);
  return size <= 0 ? std::string()
                   : std::string(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
}

// Whether encoding `value` again gives `der`. That shows BER in the parts whose bytes the library
// does not keep; the whole is CheckDer's (der.h).
template <class T, class I2d>
bool IsCanonical(I2d i2d, T* value, std::string_view der) {
  return Encode(i2d, value) == der;
}

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_ASN1_H_
