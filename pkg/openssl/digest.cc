#include "pkg/openssl/digest.h"

#include <openssl/evp.h>

#include "pkg/base/check.h"

namespace calico::openssl {

namespace {

std::string Hex(std::string_view bytes, const EVP_MD* algorithm) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // Fails only when the library is out of memory or was built without the algorithm.
  CALICO_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr) == 1);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) { return Hex(bytes, EVP_sha256()); }
std::string Sha1Hex(std::string_view bytes) { return Hex(bytes, EVP_sha1()); }

}  // namespace calico::openssl
