#include "pkg/pki/internal/prime_search.h"

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include "pkg/pki/internal/openssl_ptr.h"

namespace calico::pki::internal {
namespace {

constexpr uint32_t kExponent = 65537;

std::string Hex(const BIGNUM* number) {
  const OpensslStringPtr text(BN_bn2hex(number));
  return text.get();
}

// floor(sqrt(2) * 2^(bits - 1)), computed on its own: the root of 2^(2 * bits - 1) by bisection.
BnPtr SqrtTwo(int bits) {
  const BnCtxPtr ctx(BN_CTX_new());
  BnPtr root(BN_new());
  const BnPtr target(BN_new()), square(BN_new());
  BN_zero(root.get());
  BN_zero(target.get());
  BN_set_bit(target.get(), 2 * bits - 1);
  for (int bit = bits - 1; bit >= 0; --bit) {
    BN_set_bit(root.get(), bit);
    BN_sqr(square.get(), root.get(), ctx.get());
    if (BN_cmp(square.get(), target.get()) > 0) BN_clear_bit(root.get(), bit);
  }
  return root;
}

TEST(PrimeSearchTest, FindsPrimesInRange) {
  const BnCtxPtr ctx(BN_CTX_new());
  const BnPtr lowest = SqrtTwo(1024);
  PrimeSearch search(1024, kExponent);
  std::set<std::string> seen;
  for (int i = 0; i < 40; ++i) {
    const BnPtr prime = search.Find();
    ASSERT_NE(prime, nullptr);
    // The library's own test: 64 rounds of Miller-Rabin.
    EXPECT_EQ(BN_check_prime(prime.get(), ctx.get(), nullptr), 1);
    EXPECT_EQ(BN_num_bits(prime.get()), 1024);
    EXPECT_GE(BN_cmp(prime.get(), lowest.get()), 0);
    EXPECT_NE(BN_mod_word(prime.get(), kExponent), 1);
    EXPECT_TRUE(seen.insert(Hex(prime.get())).second);
  }
}

TEST(PrimeSearchTest, FindsLargerPrimes) {
  const BnCtxPtr ctx(BN_CTX_new());
  const BnPtr prime = PrimeSearch(2048, kExponent).Find();
  ASSERT_NE(prime, nullptr);
  EXPECT_EQ(BN_check_prime(prime.get(), ctx.get(), nullptr), 1);
  EXPECT_EQ(BN_num_bits(prime.get()), 2048);
  EXPECT_GE(BN_cmp(prime.get(), SqrtTwo(2048).get()), 0);
}

TEST(PrimeSearchTest, AvoidsPrimesThatAreOneModuloTheExponent) {
  // With e = 3 half of all primes do not fit, so a missing check shows at once.
  PrimeSearch search(1024, 3);
  for (int i = 0; i < 12; ++i) {
    const BnPtr prime = search.Find();
    ASSERT_NE(prime, nullptr);
    EXPECT_EQ(BN_mod_word(prime.get(), 3), 2);
  }
}

// Residues and bits of uniformly chosen primes are uniform. 200 primes, and limits that a sound
// search misses with a probability below 1e-9; a search that favours a residue or a fixed bit
// fails.
TEST(PrimeSearchTest, IsNotVisiblyBiased) {
  constexpr int kPrimes = 200;
  PrimeSearch search(1024, kExponent);
  int one_modulo_four = 0, above_middle = 0, residues[5] = {};
  int ones[1024] = {};
  const BnPtr middle = SqrtTwo(1024);  // the middle of [sqrt(2)/2, 1) is 0.8536
  for (int i = 0; i < kPrimes; ++i) {
    const BnPtr prime = search.Find();
    ASSERT_NE(prime, nullptr);
    one_modulo_four += BN_mod_word(prime.get(), 4) == 1 ? 1 : 0;
    ++residues[BN_mod_word(prime.get(), 5)];
    for (int bit = 0; bit < 1024; ++bit) ones[bit] += BN_is_bit_set(prime.get(), bit);
    const BnPtr top(BN_dup(prime.get()));
    BN_rshift(top.get(), top.get(), 1024 - 32);
    above_middle += BN_get_word(top.get()) > 0xDA8279A0UL ? 1 : 0;  // 0.85355 * 2^32
  }
  // Binomial(200, 1/2) has a standard deviation of 7.07.
  EXPECT_NEAR(one_modulo_four, 100, 45);
  EXPECT_NEAR(above_middle, 100, 45);
  EXPECT_EQ(residues[0], 0);
  for (int residue = 1; residue < 5; ++residue) EXPECT_NEAR(residues[residue], 50, 39) << residue;
  EXPECT_EQ(ones[0], kPrimes);     // odd
  EXPECT_EQ(ones[1023], kPrimes);  // exactly 1024 bits
  for (int bit = 1; bit < 1020; ++bit) EXPECT_NEAR(ones[bit], 100, 50) << bit;
}

}  // namespace
}  // namespace calico::pki::internal
