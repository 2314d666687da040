// SHA-256 of bytes, for naming content: not for passwords, and no message authentication.
#ifndef CALICO_PKG_PKI_DIGEST_H_
#define CALICO_PKG_PKI_DIGEST_H_

#include <string>
#include <string_view>

namespace calico::pki {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_DIGEST_H_
