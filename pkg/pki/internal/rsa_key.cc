#include "pkg/pki/internal/rsa_key.h"

#include <array>
#include <optional>

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "pkg/base/status_macros.h"
#include "pkg/pki/internal/openssl_error.h"
#include "pkg/pki/internal/prime_search.h"

namespace calico::pki::internal {
namespace {

constexpr uint32_t kExponent = 65537;

absl::Status LibraryFailed() {
  return OpensslError(absl::StatusCode::kInternal, "compute with RSA key");
}

BnPtr NewSecret() {
  BnPtr number(BN_secure_new());
  if (number != nullptr) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

BnPtr MinusOne(const BnPtr& number) {
  BnPtr result = NewSecret();
  if (result == nullptr || BN_copy(result.get(), number.get()) == nullptr ||
      !BN_sub_word(result.get(), 1)) {
    return nullptr;
  }
  return result;
}

// |p - q| > 2^(bits/2 - 100), FIPS 186-5 A.1.3 step 5.4; nothing when the library fails.
std::optional<bool> FarApart(const BnPtr& p, const BnPtr& q, int bits) {
  const BnPtr difference = NewSecret();
  if (difference == nullptr || !BN_sub(difference.get(), p.get(), q.get())) return std::nullopt;
  return BN_num_bits(difference.get()) > bits / 2 - 100 + 1;
}

// n, d and the CRT parts from p, q and e. False when the library fails.
bool Derive(RsaNumbers& key, BN_CTX* ctx) {
  const BnPtr p1 = MinusOne(key.p), q1 = MinusOne(key.q);
  const BnPtr gcd = NewSecret(), phi = NewSecret(), lcm = NewSecret();
  key.n = NewSecret();
  key.d = NewSecret();
  key.dp = NewSecret();
  key.dq = NewSecret();
  key.qinv = NewSecret();
  if (!p1 || !q1 || !gcd || !phi || !lcm || !key.n || !key.d || !key.dp || !key.dq || !key.qinv) {
    return false;
  }
  return BN_mul(key.n.get(), key.p.get(), key.q.get(), ctx) &&
         BN_mul(phi.get(), p1.get(), q1.get(), ctx) && BN_gcd(gcd.get(), p1.get(), q1.get(), ctx) &&
         BN_div(lcm.get(), nullptr, phi.get(), gcd.get(), ctx) &&
         BN_mod_inverse(key.d.get(), key.e.get(), lcm.get(), ctx) != nullptr &&
         BN_mod(key.dp.get(), key.d.get(), p1.get(), ctx) &&
         BN_mod(key.dq.get(), key.d.get(), q1.get(), ctx) &&
         BN_mod_inverse(key.qinv.get(), key.q.get(), key.p.get(), ctx) != nullptr;
}

// Primes far enough apart, the larger one first.
absl::StatusOr<RsaNumbers> DrawPrimes(PrimeSearch& search, int bits) {
  RsaNumbers key;
  key.e = NewSecret();
  if (key.e == nullptr || !BN_set_word(key.e.get(), kExponent)) return LibraryFailed();
  key.p = search.Find();
  if (key.p == nullptr) return LibraryFailed();
  std::optional<bool> far_apart = false;
  while (!*far_apart) {
    key.q = search.Find();
    if (key.q == nullptr) return LibraryFailed();
    far_apart = FarApart(key.p, key.q, bits);
    if (!far_apart.has_value()) return LibraryFailed();
  }
  if (BN_cmp(key.p.get(), key.q.get()) < 0) std::swap(key.p, key.q);
  return key;
}

absl::StatusOr<EvpPkeyPtr> ToKey(const RsaNumbers& key) {
  // Secure BIGNUMs go to a secure block of parameters, which OSSL_PARAM_free clears.
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  const std::pair<const char*, const BIGNUM*> parts[] = {
      {OSSL_PKEY_PARAM_RSA_N, key.n.get()},
      {OSSL_PKEY_PARAM_RSA_E, key.e.get()},
      {OSSL_PKEY_PARAM_RSA_D, key.d.get()},
      {OSSL_PKEY_PARAM_RSA_FACTOR1, key.p.get()},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, key.q.get()},
      {OSSL_PKEY_PARAM_RSA_EXPONENT1, key.dp.get()},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, key.dq.get()},
      {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, key.qinv.get()},
  };
  if (builder == nullptr) return LibraryFailed();
  for (const auto& [name, number] : parts) {
    if (!OSSL_PARAM_BLD_push_BN(builder.get(), name, number)) return LibraryFailed();
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpPkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* pkey = nullptr;
  if (params == nullptr || ctx == nullptr || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
      EVP_PKEY_fromdata(ctx.get(), &pkey, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return LibraryFailed();
  }
  return EvpPkeyPtr(pkey);
}

// The pairwise consistency test of FIPS 140-3: a signature by the private half verifies.
absl::Status SignAndVerify(EVP_PKEY* key) {
  static constexpr unsigned char kMessage[] = "pairwise consistency";
  const EvpMdCtxPtr ctx(EVP_MD_CTX_new());
  std::array<unsigned char, 1024> signature;  // 8192 bits
  size_t size = signature.size();
  if (ctx == nullptr || EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(ctx.get(), signature.data(), &size, kMessage, sizeof(kMessage)) != 1) {
    return LibraryFailed();
  }
  EVP_MD_CTX_reset(ctx.get());
  if (EVP_DigestVerifyInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestVerify(ctx.get(), signature.data(), size, kMessage, sizeof(kMessage)) != 1) {
    return OpensslError(absl::StatusCode::kInternal,
                        "check new RSA key: signature does not verify");
  }
  return absl::OkStatus();
}

// a * b mod (m - minus) == want
std::optional<bool> ProductIs(const BnPtr& a, const BnPtr& b, const BIGNUM* modulus,
                              const BIGNUM* want, BN_CTX* ctx) {
  const BnPtr result = NewSecret();
  if (result == nullptr || !BN_mod_mul(result.get(), a.get(), b.get(), modulus, ctx)) {
    return std::nullopt;
  }
  return BN_cmp(result.get(), want) == 0;
}

std::optional<bool> RemainderIs(const BnPtr& a, const BIGNUM* modulus, const BnPtr& want,
                                BN_CTX* ctx) {
  const BnPtr result = NewSecret();
  if (result == nullptr || !BN_mod(result.get(), a.get(), modulus, ctx)) return std::nullopt;
  return BN_cmp(result.get(), want.get()) == 0;
}

std::optional<bool> IsProductOfPrimes(const RsaNumbers& key, BN_CTX* ctx) {
  const BnPtr product = NewSecret();
  if (product == nullptr || !BN_mul(product.get(), key.p.get(), key.q.get(), ctx)) {
    return std::nullopt;
  }
  return BN_cmp(product.get(), key.n.get()) == 0 && BN_cmp(key.p.get(), key.q.get()) != 0;
}

}  // namespace

absl::StatusOr<RsaNumbers> ReadRsaNumbers(const EVP_PKEY* key) {
  RsaNumbers numbers;
  const std::pair<const char*, BnPtr*> parts[] = {
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
      return OpensslError(absl::StatusCode::kInvalidArgument, "read RSA key: a number is missing");
    }
  }
  return numbers;
}

absl::Status CheckRsaNumbers(const RsaNumbers& key) {
  const BnCtxPtr owned_ctx(BN_CTX_secure_new());
  BN_CTX* ctx = owned_ctx.get();
  if (ctx == nullptr) return LibraryFailed();
  for (const BnPtr* factor : {&key.p, &key.q}) {
    if (!BN_is_odd(factor->get()) || BN_is_one(factor->get()) || BN_is_negative(factor->get())) {
      return absl::InvalidArgumentError("check RSA key: a factor is not an odd number above 1");
    }
  }
  const BnPtr p1 = MinusOne(key.p), q1 = MinusOne(key.q);
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

absl::StatusOr<EvpPkeyPtr> GenerateRsaKey(int bits) {
  const BnCtxPtr ctx(BN_CTX_secure_new());
  if (ctx == nullptr) return LibraryFailed();
  PrimeSearch search(bits / 2, kExponent);
  RsaNumbers key;
  do {
    CALICO_ASSIGN_OR_RETURN(key, DrawPrimes(search, bits));
    if (!Derive(key, ctx.get())) return LibraryFailed();
  } while (BN_num_bits(key.d.get()) <= bits / 2);  // FIPS 186-5 A.1.1: practically never
  CALICO_RETURN_IF_ERROR(CheckRsaNumbers(key));
  CALICO_ASSIGN_OR_RETURN(EvpPkeyPtr pkey, ToKey(key));
  CALICO_RETURN_IF_ERROR(SignAndVerify(pkey.get()));
  return pkey;
}

}  // namespace calico::pki::internal
