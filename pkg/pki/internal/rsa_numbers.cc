#include "pkg/pki/internal/rsa_numbers.h"

#include <optional>

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"

namespace calico::pki::internal {
namespace {

absl::Status LibraryFailed() {
  return openssl::TakeError(absl::StatusCode::kInternal, "compute with RSA key");
}

openssl::BnPtr NewSecret() {
  openssl::BnPtr number(BN_secure_new());
  if (number != nullptr) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

openssl::BnPtr MinusOne(const openssl::BnPtr& number) {
  openssl::BnPtr result = NewSecret();
  if (result == nullptr || BN_copy(result.get(), number.get()) == nullptr ||
      !BN_sub_word(result.get(), 1)) {
    return nullptr;
  }
  return result;
}

// a * b mod modulus == want
std::optional<bool> ProductIs(const openssl::BnPtr& a, const openssl::BnPtr& b,
                              const BIGNUM* modulus, const BIGNUM* want, BN_CTX* ctx) {
  const openssl::BnPtr result = NewSecret();
  if (result == nullptr || !BN_mod_mul(result.get(), a.get(), b.get(), modulus, ctx)) {
    return std::nullopt;
  }
  return BN_cmp(result.get(), want) == 0;
}

std::optional<bool> RemainderIs(const openssl::BnPtr& a, const BIGNUM* modulus,
                                const openssl::BnPtr& want, BN_CTX* ctx) {
  const openssl::BnPtr result = NewSecret();
  if (result == nullptr || !BN_mod(result.get(), a.get(), modulus, ctx)) return std::nullopt;
  return BN_cmp(result.get(), want.get()) == 0;
}

std::optional<bool> IsProductOfPrimes(const RsaNumbers& key, BN_CTX* ctx) {
  const openssl::BnPtr product = NewSecret();
  if (product == nullptr || !BN_mul(product.get(), key.p.get(), key.q.get(), ctx)) {
    return std::nullopt;
  }
  return BN_cmp(product.get(), key.n.get()) == 0 && BN_cmp(key.p.get(), key.q.get()) != 0;
}

}  // namespace

absl::StatusOr<RsaNumbers> ReadRsaNumbers(const EVP_PKEY* key) {
  RsaNumbers numbers;
  const std::pair<const char*, openssl::BnPtr*> parts[] = {
      {OSSL_PKEY_PARAM_RSA_N, &numbers.n},
      {OSSL_PKEY_PARAM_RSA_E, &numbers.e},
      {OSSL_PKEY_PARAM_RSA_D, &numbers.d},
      {OSSL_PKEY_PARAM_RSA_FACTOR1, &numbers.p},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, &numbers.q},
      {OSSL_PKEY_PARAM_RSA_EXPONENT1, &numbers.dp},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, &numbers.dq},
      {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &numbers.qinv},
  };
  for (const auto& [name, number] : parts) {
    *number = NewSecret();
    BIGNUM* target = number->get();
    if (target == nullptr || EVP_PKEY_get_bn_param(key, name, &target) != 1) {
      return openssl::TakeError(absl::StatusCode::kInvalidArgument,
                                "read RSA key: a number is missing");
    }
  }
  return numbers;
}

absl::Status CheckRsaNumbers(const RsaNumbers& key) {
  const openssl::BnCtxPtr owned_ctx(BN_CTX_secure_new());
  BN_CTX* ctx = owned_ctx.get();
  if (ctx == nullptr) return LibraryFailed();
  for (const openssl::BnPtr* factor : {&key.p, &key.q}) {
    if (!BN_is_odd(factor->get()) || BN_is_one(factor->get()) || BN_is_negative(factor->get())) {
      return absl::InvalidArgumentError("check RSA key: a factor is not an odd number above 1");
    }
  }
  const openssl::BnPtr p1 = MinusOne(key.p), q1 = MinusOne(key.q);
  if (p1 == nullptr || q1 == nullptr) return LibraryFailed();
  const std::pair<std::optional<bool>, const char*> relations[] = {
      {IsProductOfPrimes(key, ctx), "the modulus is not the product of two factors"},
      {ProductIs(key.d, key.e, p1.get(), BN_value_one(), ctx), "d is not the inverse of e"},
      {ProductIs(key.d, key.e, q1.get(), BN_value_one(), ctx), "d is not the inverse of e"},
      {RemainderIs(key.d, p1.get(), key.dp, ctx), "the first CRT exponent is wrong"},
      {RemainderIs(key.d, q1.get(), key.dq, ctx), "the second CRT exponent is wrong"},
      {ProductIs(key.qinv, key.q, key.p.get(), BN_value_one(), ctx),
       "the CRT coefficient is wrong"},
  };
  for (const auto& [holds, complaint] : relations) {
    if (!holds.has_value()) return LibraryFailed();
    if (!*holds) return absl::InvalidArgumentError(std::string("check RSA key: ") + complaint);
  }
  return absl::OkStatus();
}

}  // namespace calico::pki::internal
