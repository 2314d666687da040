#include "pkg/pki/internal/secret_pem.h"

#include <cstring>
#include <string>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace calico::pki::internal {

base::SecretString SecretPem(std::string_view label, std::string_view der) {
  constexpr size_t kLineBytes = 48;  // 64 characters
  const std::string begin = fmt::format("-----BEGIN {}-----\n", label);
  const std::string end = fmt::format("-----END {}-----\n", label);
  const size_t lines = der.size() / kLineBytes + 1;
  // Each line with its newline, and the byte that the encoder puts behind.
  base::SecretString pem = base::SecretString::OfSize(begin.size() + lines * 65 + 1 + end.size());
  char* out = pem.data();
  std::memcpy(out, begin.data(), begin.size());
  size_t used = begin.size();
  while (!der.empty()) {
    const std::string_view line = der.substr(0, kLineBytes);
    used += static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out + used),
                                                reinterpret_cast<const unsigned char*>(line.data()),
                                                static_cast<int>(line.size())));
    out[used++] = '\n';
    der.remove_prefix(line.size());
  }
  std::memcpy(out + used, end.data(), end.size());
  pem.Shorten(used + end.size());
  return pem;
}

}  // namespace calico::pki::internal
