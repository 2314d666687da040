// Digests of bytes, for naming content: not for passwords, and no message authentication.
#ifndef CALICO_PKG_OPENSSL_DIGEST_H_
#define CALICO_PKG_OPENSSL_DIGEST_H_

#include <string>
#include <string_view>

namespace calico::openssl {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// 40 of them. Only where another program has chosen it: two texts with the same SHA-1 can be made.
std::string Sha1Hex(std::string_view bytes);

}  // namespace calico::openssl

#endif  // CALICO_PKG_OPENSSL_DIGEST_H_
