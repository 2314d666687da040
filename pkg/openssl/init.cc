#include "pkg/openssl/init.h"

#include <cstdint>
#include <initializer_list>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "pkg/base/check.h"

namespace calico::openssl {
namespace {

// 101 is the first priority that programs may use. Constructors of C++ objects come later, those of
// the sanitizers' run times before.
[[gnu::constructor(101)]] void InitializeBeforeMain() { Initialize(); }

// Left alone, the library begins its first search for an algorithm by naming all ciphers and
// digests as OpenSSL 1.1 did, which takes a short program a third of its time. It finds them in its
// providers without; what it looks up by such a name are the digests of signatures and of key
// derivation, and the ciphers of a PEM header (RFC 1421).
bool NameAlgorithms() {
  for (const EVP_MD* digest :
       {EVP_md5(), EVP_md5_sha1(), EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(),
        EVP_sha512(), EVP_sha512_224(), EVP_sha512_256(), EVP_sha3_224(), EVP_sha3_256(),
        EVP_sha3_384(), EVP_sha3_512(), EVP_ripemd160(), EVP_sm3()}) {
    if (EVP_add_digest(digest) != 1) return false;
  }
  for (const EVP_CIPHER* cipher :
       {EVP_des_cbc(), EVP_des_ede3_cbc(), EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc(),
        EVP_camellia_128_cbc(), EVP_camellia_192_cbc(), EVP_camellia_256_cbc(), EVP_aria_128_cbc(),
        EVP_aria_192_cbc(), EVP_aria_256_cbc()}) {
    if (EVP_add_cipher(cipher) != 1) return false;
  }
  return true;
}

// The generator that the library takes by itself is made of a cipher, which brings all ciphers up
// in a process that signs and no more. A signature needs digests anyway: this one is made of
// SHA-256, with the same strength of 256 bits (NIST SP 800-90A, Hash_DRBG).
bool ChooseGenerator() {
  return RAND_set_DRBG_type(nullptr, "HASH-DRBG", nullptr, nullptr, "SHA2-256") == 1;
}

bool Start() {
  // Nothing is freed at the end: the process is, and threads that are still at it may go on.
  constexpr uint64_t kOptions = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
                                OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS;
  return OPENSSL_init_crypto(kOptions, nullptr) == 1 && NameAlgorithms() && ChooseGenerator();
}

}  // namespace

void Initialize() {
  static const bool is_ready = Start();
  CALICO_CHECK(is_ready);
}

}  // namespace calico::openssl
